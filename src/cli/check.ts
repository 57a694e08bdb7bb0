import { type ConfigResult, formatConfigError, parseConfig, parseRelayConfig } from "../config/index.ts";
import type { RelayConfig } from "../config/relay-types.ts";
import type { Config, ConfigError } from "../config/types.ts";
import { type Host, HostError } from "../host/types.ts";
import { runCommand, STATUS } from "./frame.ts";

const DEFAULT_FILE = "/etc/config/binder";

const usage = `usage: binder check [--relay] [--json] [FILE]

Checks a configuration, ${DEFAULT_FILE} by default, and prints everything that is wrong with it.

--relay  it is a relay's own configuration; so is, without this, any file with the name binder-relay
--json   print {"ok": true, "errors": []}, an error being {file, line, section, option, rule, value}
`;

/** `binder check`: answers 3 if the configuration is wrong, 1 if it can't be read. */
export async function checkCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, flags: ["relay", "json"], positionals: { least: 0, most: 1 } };
  return await runCommand(host, args, "binder check", shape, async ({ flags, positionals: [file = DEFAULT_FILE] }) => {
    const json = flags.has("json");
    let bytes: Uint8Array;
    try {
      bytes = await host.files.read(file);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      report(host, json, [unreadable(file, error)]);
      return STATUS.failed;
    }
    const relay = flags.has("relay") || file.slice(file.lastIndexOf("/") + 1) === "binder-relay";
    const { errors, summary } = relay
      ? outcome(parseRelayConfig(file, bytes), summaryOfRelay)
      : outcome(parseConfig(file, bytes), summaryOfHome);
    report(host, json, errors, `${file}: well: ${summary}`);
    return errors.length === 0 ? STATUS.well : STATUS.configuration;
  });
}

function report(host: Host, json: boolean, errors: readonly ConfigError[], well = ""): void {
  const ok = errors.length === 0;
  if (json) host.program.stdout(`${JSON.stringify({ ok, errors })}\n`);
  else if (ok) host.program.stdout(`${well}\n`);
  else for (const error of errors) host.program.stderr(`${formatConfigError(error)}\n`);
}

function outcome<T>(
  result: ConfigResult<T>,
  summary: (config: T) => string,
): { readonly errors: readonly ConfigError[]; readonly summary: string } {
  return result.ok ? { errors: [], summary: summary(result.config) } : { errors: result.errors, summary: "" };
}

function summaryOfHome({ lans, relays, gateways, bypasses }: Config): string {
  const counts = [count(gateways, "gateway"), count(relays, "relay"), count(lans, "lan"), count(bypasses, "bypass", "bypasses")];
  return counts.join(", ");
}

function summaryOfRelay({ name, addresses, lanes }: RelayConfig): string {
  return `relay ${name}, ${count(addresses, "address", "addresses")}, lanes 1 to ${lanes}`;
}

const count = (things: readonly unknown[], one: string, many = `${one}s`): string => `${things.length} ${things.length === 1 ? one : many}`;

function unreadable(file: string, error: HostError): ConfigError {
  const why = error.code === "ENOENT" ? "there is no such file" : error.code;
  return { file, line: 1, section: "", option: "", rule: `can't be read: ${why}`, value: "" };
}
