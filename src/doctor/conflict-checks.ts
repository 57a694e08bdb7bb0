import { bad, well } from "./findings.ts";
import type { Facts, Finding } from "./types.ts";

/** What else on the machine may be in the way, and the configuration. */
export function checkConflicts({ conflicts }: Facts): readonly Finding[] {
  const findings: Finding[] = [];
  for (const rule of conflicts.earlierRules) {
    findings.push(
      bad(
        "warning",
        "rules",
        `a rule of another program comes before Binder's: ${rule}`,
        "what it matches goes around Binder; give it a preference above 800 if it should not",
      ),
    );
  }
  for (const { prefix, route } of conflicts.overlaps) {
    const advice = "take the route away, or change alias_prefix here or the relay's prefix (new invites then)";
    findings.push(bad("error", "addresses", `Binder's addresses ${prefix} overlap a route of this machine: ${route}`, advice));
  }
  if (conflicts.flowtables) {
    const advice = "switch it off (OpenWrt: Network, Firewall, Flow offloading: none), then restart the firewall";
    findings.push(bad("warning", "offloading", "flow offloading is on: flows stay on a gateway that has failed", advice));
  }
  if (conflicts.mwan3) findings.push(well("mwan3", "installed; it goes on for what Binder does not capture"));
  return findings.some(({ level }) => level !== "ok") ? findings : [well("conflicts", "none found"), ...findings];
}

export function checkConfiguration({ configs, missingDevices, home, relay }: Facts): readonly Finding[] {
  const findings = configs.flatMap(({ file, errors }) =>
    errors.length === 0
      ? [well("configuration", `${file} is well`)]
      : errors.map((error) => bad("error", "configuration", error, `mend it; binder check ${file} tells whether it is well then`)),
  );
  for (const device of missingDevices) {
    findings.push(
      bad(
        "warning",
        "devices",
        `there is no device ${device}, which the configuration names`,
        "is it spelt as ip link shows it, and plugged in?",
      ),
    );
  }
  if (configs.length === 0) {
    const next =
      relay && !home ? "run binder relay init" : "at home run binder join with the invite of your relay; at a relay, binder relay init";
    findings.push(bad("warning", "configuration", "there is none yet", next));
  }
  return findings;
}
