import { execFileSync } from "node:child_process";
import { gunzipSync } from "node:zlib";

export interface Member {
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly folder: boolean;
  /** Seconds since 1970. */
  readonly time: number;
  readonly content: Buffer;
}

/** What is in a gzipped tar, read by its headers (POSIX ustar); tar(1) has to find the same names in it. */
export function membersOf(archive: Buffer): readonly Member[] {
  const bytes = gunzipSync(archive);
  const members: Member[] = [];
  const text = (from: number, length: number): string =>
    bytes
      .subarray(from, from + length)
      .toString("latin1")
      .split("\0")[0] ?? "";
  for (let at = 0; bytes[at] !== 0; ) {
    const octal = (offset: number, length: number): number => Number.parseInt(text(at + offset, length), 8);
    const size = octal(124, 12);
    members.push({
      path: text(at, 100),
      mode: octal(100, 8),
      owner: `${String(octal(108, 8))}:${String(octal(116, 8))}${text(at + 265, 32)}${text(at + 297, 32)}`,
      folder: text(at + 156, 1) === "5",
      time: octal(136, 12),
      content: bytes.subarray(at + 512, at + 512 + size),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  const listed = execFileSync("tar", ["-tzf", "-"], { input: archive, encoding: "utf8" });
  if (listed !== members.map(({ path }) => `${path}\n`).join("")) throw new Error(`tar(1) finds something else:\n${listed}`);
  return members;
}

/** The content of a member; rejects where there is none. */
export function memberOf(members: readonly Member[], path: string): Buffer {
  const found = members.find((member) => member.path === path);
  if (found === undefined) throw new Error(`there is no ${path} among ${members.map((member) => member.path).join(", ")}`);
  return found.content;
}
