import type { RelayStatus } from "../control/types.ts";
import { version } from "../plan/version.ts";
import type { LinkServer } from "./link-server.ts";
import type { RelayPlan } from "./plan.ts";

/** A lane not heard for this long is not shown as one that the home uses (ms): four idle probes. */
const HEARD_LATELY = 60_000;

/** What `binder status` shows at the relay. `now` is monotonic ms. */
export function relayStatus(plan: RelayPlan, link: LinkServer, now: number, warnings: readonly string[]): RelayStatus {
  const homes = plan.book.homes.map(({ name, number }) => {
    const heard = link.heard(number);
    const latest = Math.max(...heard.values());
    return {
      name,
      number,
      lanes: [...heard].flatMap(([lane, at]) => (now - at < HEARD_LATELY ? [lane] : [])).sort((a, b) => a - b),
      last_seen: heard.size === 0 ? null : Math.round((now - latest) / 1000),
    };
  });
  const twice = plan.book.homes
    .filter(({ number }) => link.claim(number)?.twice === true)
    .map(({ name }) => `home '${name}': its invite is used on two routers; make one for each (binder relay add-home)`);
  return { role: "relay", version, homes, warnings: [...warnings, ...twice] };
}
