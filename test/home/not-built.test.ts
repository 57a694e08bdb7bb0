import type { Config, GatewaySection, RelaySection } from "../../src/config/types.ts";
import { notBuilt } from "../../src/home/not-built.ts";
import { test } from "../harness/index.ts";

const gateway = (name: string, more: Partial<GatewaySection> = {}): GatewaySection => ({
  name,
  enabled: true,
  reach: { kind: "via", device: "wan0", via: "192.168.8.1" },
  priority: 1,
  weight: 1,
  ...more,
});
const relay = (name: string, enabled = true): RelaySection => ({ name, enabled, addresses: ["192.0.2.1"], port: 21300, priority: 1 });

function config(more: { transport?: Config["main"]["transport"]; relays?: RelaySection[]; gateways?: GatewaySection[] }): Config {
  const { transport = "auto", relays = [relay("coop")], gateways = [gateway("school")] } = more;
  return {
    main: {
      enabled: true,
      transport,
      ipv6: "leave",
      congestion: "cubic",
      aliasPrefix: { base: 0xc612d500, length: 28 },
      logLevel: "info",
    },
    lans: [{ name: "home", device: "br-lan" }],
    relays,
    gateways,
    bypasses: [],
  };
}

test("a configuration that asks for nothing unbuilt is given no warning", (t) => {
  t.same(notBuilt(config({})), []);
  t.same(notBuilt(config({ transport: "proxy", relays: [], gateways: [] })), []);
  t.same(notBuilt(config({ relays: [relay("spare", false), relay("coop")] })), [], "a relay that is switched off is not missed");
});

test("each option without effect is told of once, with the names of all it was written for", (t) => {
  const gateways = [gateway("school"), gateway("farm", { priority: 2, quota: 50e9 })];
  t.same(notBuilt(config({ transport: "tunnel", gateways, relays: [relay("off", false), relay("coop"), relay("b"), relay("c")] })), [
    "option transport 'tunnel' has no effect yet: the proxy is used",
  ]);
});
