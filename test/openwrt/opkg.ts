import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type Member, memberOf, membersOf } from "./archive.ts";
import type { Router } from "./router.ts";

const INFO = "/usr/lib/opkg/info";
const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Installs, upgrades and removes one package as OpenWrt's opkg does, after opkg_install_pkg and opkg_remove_pkg of its libopkg: which script
 * runs when and with what arguments, when files go and come, and what becomes of conffiles that were changed. Compared
 * with opkg itself, of 2024-10-16, by hand: it takes the package, and leaves the same files after each step.
 */
export class Opkg {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  async install(ipk: Buffer): Promise<void> {
    const { name, version, data, control } = unpack(ipk);
    const old = this.#installed(name);
    const upgrade = old === undefined ? "0" : "1";
    const kept = new Map<string, Buffer>();
    if (old !== undefined) {
      await this.#script(`${INFO}/${name}.prerm`, `upgrade ${version}`, upgrade);
      for (const [path, shipped] of old.conffiles) {
        const now = this.#content(path);
        if (now !== undefined && hash(now) !== shipped) kept.set(path, now);
      }
      await this.#script(`${INFO}/${name}.postrm`, `upgrade ${version}`, upgrade);
      this.#removeFiles(name, old);
      this.#removeInfo(name);
    }
    for (const member of data) this.#put(member);
    const conffiles = linesOf(control.find(({ path }) => path === "./conffiles")?.content);
    for (const path of conffiles) this.#resolve(path, kept.get(path));
    for (const { path, mode, content, folder } of control) if (!folder) this.#write(`${INFO}/${name}.${path.slice(2)}`, content, mode);
    this.#write(
      `${INFO}/${name}.list`,
      Buffer.from(data.flatMap(({ path, folder }) => (folder ? [] : `${path.slice(1)}\n`)).join("")),
      0o644,
    );
    const sums = conffiles.map((path) => `${path} ${hash(memberOf(data, `.${path}`))}\n`);
    this.#write(`${INFO}/${name}.sums`, Buffer.from(sums.join("")), 0o644);
    await this.#script(`${INFO}/${name}.postinst`, "configure", upgrade);
  }

  async remove(name: string): Promise<void> {
    const old = this.#installed(name);
    if (old === undefined) throw new Error(`${name} is not installed`);
    await this.#script(`${INFO}/${name}.prerm`, "remove", "0");
    this.#removeFiles(name, old);
    await this.#script(`${INFO}/${name}.postrm`, "remove", "0");
    this.#removeInfo(name);
  }

  #installed(name: string): Installed | undefined {
    if (!this.#router.has(`${INFO}/${name}.list`)) return undefined;
    const sums = linesOf(this.#content(`${INFO}/${name}.sums`)).map((line): [string, string] => {
      const [path = "", sum = ""] = line.split(" ");
      return [path, sum];
    });
    return { files: linesOf(this.#content(`${INFO}/${name}.list`)), conffiles: new Map(sums) };
  }

  async #script(path: string, args: string, upgrade: string): Promise<void> {
    if (!this.#router.has(path)) return;
    const { status, stdout, stderr } = await this.#router.run(`${path} ${args}`, { PKG_UPGRADE: upgrade, PKG_ROOT: "/" });
    if (status !== 0) throw new Error(`${path} ${args}: status ${String(status)}\n${stdout}${stderr}`);
  }

  /** Conffiles that a person has changed stay; folders go as far as they are empty. */
  #removeFiles(name: string, { files, conffiles }: Installed): void {
    const folders = new Set<string>();
    for (const path of files) {
      for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) folders.add(folder);
      const now = this.#content(path);
      const shipped = conffiles.get(path);
      if (now === undefined || (shipped !== undefined && hash(now) !== shipped)) continue;
      rmSync(this.#router.path(path));
    }
    for (const folder of [...folders].sort((one, other) => other.length - one.length)) {
      if (this.#router.has(folder) && readdirSync(this.#router.path(folder)).length === 0) rmdirSync(this.#router.path(folder));
    }
    rmSync(this.#router.path(`${INFO}/${name}.list`));
  }

  #removeInfo(name: string): void {
    const folder = this.#router.path(INFO);
    for (const file of readdirSync(folder)) if (file.startsWith(`${name}.`)) rmSync(join(folder, file));
  }

  /** What a person had in a conffile is put back, and the package's is laid beside it. */
  #resolve(path: string, kept: Buffer | undefined): void {
    if (kept === undefined) return;
    const here = this.#router.path(path);
    if (hash(kept) !== hash(readFileSync(here))) renameSync(here, `${here}-opkg`);
    writeFileSync(here, kept, { mode: 0o600 });
  }

  #put({ path, mode, content, folder }: Member): void {
    const inside = path.slice(1);
    if (folder) mkdirSync(this.#router.path(inside), { recursive: true });
    else this.#write(inside, content, mode);
  }

  #write(inside: string, content: Buffer, mode: number): void {
    const path = this.#router.path(inside);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
  }

  #content(inside: string): Buffer | undefined {
    const path = this.#router.path(inside);
    return existsSync(path) ? readFileSync(path) : undefined;
  }
}

interface Installed {
  readonly files: readonly string[];
  /** Their hashes, as they came. */
  readonly conffiles: ReadonlyMap<string, string>;
}

const linesOf = (bytes: Buffer | undefined): readonly string[] => (bytes?.toString() ?? "").split("\n").filter((line) => line !== "");

/** The parts of a package. */
export function unpack(ipk: Buffer): {
  readonly name: string;
  readonly version: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly data: readonly Member[];
  readonly control: readonly Member[];
  readonly outer: readonly Member[];
} {
  const outer = membersOf(ipk);
  const data = membersOf(memberOf(outer, "./data.tar.gz"));
  const control = membersOf(memberOf(outer, "./control.tar.gz"));
  const fields = new Map(
    linesOf(memberOf(control, "./control")).map((line): [string, string] => [
      line.split(": ")[0] ?? "",
      line.split(": ").slice(1).join(": "),
    ]),
  );
  return { name: fields.get("Package") ?? "", version: fields.get("Version") ?? "", fields, data, control, outer };
}
