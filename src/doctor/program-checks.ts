import { bad, lacking, well } from "./findings.ts";
import type { Need, System } from "./system.ts";
import type { Facts, Finding, ProgramFact } from "./types.ts";
import { atLeast, findVersion, formatVersion, type Version } from "./versions.ts";

/** `disable-dco` is known from here on. */
const LEAST_OPENVPN: Version = [2, 6];
const LEAST_HAPROXY: Version = [2, 4];
/** Its version follows this word: until 2.3 it called itself HA-Proxy. */
const HAPROXY_WORD = "proxy version";
/** Has MPTCP addresses of its own. */
const NATIVE_MPTCP: Version = [3, 1];

/** The programs that Binder runs. */
export function checkPrograms(facts: Facts): readonly Finding[] {
  const { system, programs, relay } = facts;
  const program = (name: Parameters<typeof programs.get>[0]): ProgramFact => programs.get(name) ?? { kind: "missing" };
  const haproxy = program("haproxy");
  const findings = [
    versioned(system, "openvpn", "OpenVPN", program("openvpn"), LEAST_OPENVPN, "no lane can be made"),
    versioned(system, "haproxy", "HAProxy", haproxy, LEAST_HAPROXY, "connections can't be carried"),
    ...mptcpize(system, haproxy, program("mptcpize")),
    plain(system, "nft", program("nft"), "no traffic can be captured"),
    plain(system, "ip", program("ip"), "nothing can be routed"),
  ];
  if (relay) {
    findings.push(plain(system, "openssl", program("openssl"), "no keys can be made"));
    if (facts.wantsDnsmasq) {
      const without = "homes would have no resolver (or name one: option resolver)";
      findings.push(plain(system, "dnsmasq", program("dnsmasq"), without));
    }
  }
  const held = "connections are held up for longer when a gateway fails";
  const kept = "a home that is removed keeps the connections that it has open for a while";
  const stuck = "calls and games that last do not come back by themselves when no relay answers";
  findings.push(
    optional(system, "ss", program("ss"), relay ? `${held}, and ${kept}` : held),
    optional(system, "conntrack", program("conntrack"), relay ? kept : stuck),
  );
  return findings;
}

function versioned(
  system: System,
  need: Need & ("openvpn" | "haproxy"),
  title: string,
  fact: ProgramFact,
  least: Version,
  without: string,
): Finding {
  if (fact.kind === "missing") return missing(system, need, without);
  const version = findVersion(fact.text, need === "haproxy" ? HAPROXY_WORD : need);
  if (version === undefined) return bad("warning", need, `${title} does not tell its version`, `run ${need} yourself: does it work?`);
  if (atLeast(version, least)) return well(need, `${title} ${formatVersion(version)}`);
  const found = `${title} ${formatVersion(version)} is too old: ${formatVersion(least)} or later is needed`;
  return bad("error", need, found, "use a newer release of this system, or its backports");
}

function mptcpize(system: System, haproxy: ProgramFact, fact: ProgramFact): readonly Finding[] {
  const version = haproxy.kind === "there" ? findVersion(haproxy.text, HAPROXY_WORD) : undefined;
  if (version !== undefined && atLeast(version, NATIVE_MPTCP))
    return [well("mptcpize", `not needed: HAProxy ${formatVersion(version)} speaks MPTCP itself`)];
  if (fact.kind === "there") return [well("mptcpize", "there")];
  return [missing(system, "mptcpize", `HAProxy before ${formatVersion(NATIVE_MPTCP)} needs it to speak MPTCP`)];
}

function plain(system: System, need: Need, fact: ProgramFact, without: string): Finding {
  return fact.kind === "there" ? well(need, firstLine(fact.text)) : missing(system, need, without);
}

function optional(system: System, need: Need, fact: ProgramFact, without: string): Finding {
  if (fact.kind === "there") return well(need, firstLine(fact.text));
  return lacking(system, need, { level: "warning", check: need, found: `not installed: ${without}`, otherwise: `install ${need}` });
}

function missing(system: System, need: Need, without: string): Finding {
  return lacking(system, need, { level: "error", check: need, found: `not installed: ${without}`, otherwise: `install ${need}` });
}

const firstLine = (text: string): string => text.split("\n")[0]?.trim().slice(0, 60) || "there";
