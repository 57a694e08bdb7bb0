/** What the stories of a relay have in common: its book, its programs, downloads through it. */
import type { Test } from "../harness/index.ts";
import { compiled, type Running, type TestNode } from "../testbed/index.ts";
import { BINDER, type FlowResult, type Household, PORT, SERVER, until } from "./household.ts";

interface Listed {
  readonly homes: readonly { readonly name: string; readonly number: number; readonly cn: string; readonly address: string }[];
  readonly rested: readonly { readonly number: number; readonly until: string }[];
}

export async function listed(house: Household): Promise<Listed> {
  return JSON.parse(await house.node("relay").must(BINDER, ["relay", "list", "--json"])) as Listed;
}

/** A download that is on its way; every byte is compared. */
export class Download {
  readonly #running: Running;

  private constructor(running: Running) {
    this.#running = running;
  }

  static async begin(house: Household, host: string, seconds: number): Promise<Download> {
    const where = ["get", "--to", SERVER, "--port", String(PORT)];
    const running = house.node(host).start(await compiled("flow"), [...where, "--seconds", String(seconds), "--interval", "100"]);
    await running.line(/"bytes":[1-9]/);
    return new Download(running);
  }

  get bytes(): number {
    const { bytes } = JSON.parse(this.#running.lines.at(-1) ?? "{}") as { bytes?: number };
    return bytes ?? 0;
  }

  /** Its time is up now. */
  async enough(): Promise<FlowResult> {
    this.#running.kill("SIGINT");
    return await this.result();
  }

  async result(): Promise<FlowResult> {
    await this.#running.exit;
    return JSON.parse(this.#running.lines.at(-1) ?? "{}") as FlowResult;
  }

  async end(): Promise<void> {
    await this.#running.end();
  }
}

export async function relayRuns(relay: TestNode): Promise<void> {
  await until("the relay runs", 10_000, async () => ((await relay.run(BINDER, ["status", "--json"])).status === 0 ? true : undefined));
}

interface Process {
  readonly pid: number;
  readonly name: string;
  readonly uid: number;
  readonly arguments: string;
}

/** Every process of a node, by its /proc. */
export async function processes(node: TestNode): Promise<readonly Process[]> {
  const script =
    'for d in /proc/[0-9]*; do [ -r $d/status ] || continue; echo "$(grep -E "^(Name|Uid):" $d/status | cut -f2 | tr "\\n" " ")${d#/proc/} $(tr "\\0" " " <$d/cmdline)"; done';
  const text = await node.must("sh", ["-c", `${script} 2>/dev/null`]);
  return text.split("\n").flatMap((line) => {
    const match = /^(\S+) (\d+) (\d+) (.*)$/.exec(line);
    return match === null ? [] : [{ name: match[1] ?? "", uid: Number(match[2]), pid: Number(match[3]), arguments: match[4] ?? "" }];
  });
}

/** That a relay which stopped has left no program, and nothing in the kernel. */
export async function nothingLeft(t: Test, relay: TestNode): Promise<void> {
  const names = (await processes(relay)).map(({ name }) => name);
  t.same(
    names.filter((name) => /openvpn|haproxy|dnsmasq/.test(name)),
    [],
    "no program",
  );
  t.notMatch(await relay.must("ip", ["rule"]), /proto 213|2130|2133/, "no rule");
  t.equal(await relay.must("ip", ["route", "show", "table", "all", "proto", "213"]), "", "no route");
  t.notMatch(await relay.must("ip", ["link"]), /binder-/, "no device");
  t.notMatch(await relay.must("ip", ["address"]), /198\.19\./, "no address");
  t.notMatch(await relay.must("nft", ["list", "tables"]), /binder/, "no table");
}

/** Pid by name of all programs that the relay's daemons started. */
export async function programs(relay: TestNode): Promise<Readonly<Record<string, number>>> {
  const text = await relay.must("sh", ["-c", "cd /run/binder/processes && grep -o '\"pid\":[0-9]*' *.json"]);
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => [line.split(":")[0] ?? "", Number(line.split(":")[2])]),
  );
}
