import { test } from "../harness/index.ts";
import { connects, datagrams, serve, type TestNode, upload } from "../testbed/index.ts";
import { lanesUsed, reconfigure } from "./capture.ts";
import { addressesSeen, addressOf, answersOf, ask, askOn, serveEcho, talk, webAddress } from "./echo.ts";
import { BINDER, Household, PORT, RELAY, SERVER, until } from "./household.ts";

const GATEWAYS = [
  { rate: 20e6, delay: 5 },
  { rate: 20e6, delay: 10 },
  { rate: 20e6, delay: 15 },
];
const ECHO = 7001;
const gatewayAddress = (number: number): string => `45.0.${String(number)}.2`;

async function sentByLane(house: Household): Promise<readonly number[]> {
  const counters = await Promise.all(GATEWAYS.map((_, index) => house.node("home").counters(`binder-${String(index + 1)}`)));
  return counters.map(({ txPackets }) => txPackets);
}

/** The handle that the kernel gave the table when it was made. */
async function tableHandle(home: TestNode): Promise<string> {
  const text = await home.must("nft", ["-j", "list", "tables"]);
  return /"name": "binder", "handle": (\d+)/.exec(text)?.[1] ?? "none";
}

/** The lane of every UDP flow of the LAN to this port, by the flow's source port. */
async function lanesOfFlows(home: TestNode, port: number): Promise<ReadonlyMap<string, number>> {
  const text = await home.must("conntrack", ["-L", "-p", "udp", "--dport", String(port)]);
  return new Map(
    text.split("\n").flatMap((row): [string, number][] => {
      const source = /src=192\.168\.1\.10 .*?sport=(\d+)/.exec(row)?.[1];
      const mark = Number(/mark=(\d+)/.exec(row)?.[1] ?? 0);
      return source === undefined ? [] : [[source, ((mark & 0x30000000) === 0x20000000 ? mark >>> 24 : 0) & 15]];
    }),
  );
}

test("what is not TCP, and what is captured", { timeout: 180_000 }, async (t) => {
  const house = await Household.create({ gateways: GATEWAYS, lanHosts: 3, homeDefault: 1 });
  t.teardown(async () => {
    await house.close();
  });
  const [home, lan1, server, mesh] = [house.node("home"), house.node("lan1"), house.node("server"), house.node("mesh")];
  await serveEcho(server, "udp:53", "udp:123", "udp:443", `udp:${String(ECHO)}`, `tcp:${String(ECHO)}`, "http:80", "http:443", "http:22");
  await lanesUsed(house, GATEWAYS.length);
  const config = await home.read("/etc/config/binder");

  await t.test("UDP and ping leave with the relay's address, flow by flow over every lane", async (t) => {
    const before = await sentByLane(house);
    const answers = await ask(lan1, SERVER, ECHO, 60);
    t.equal(answers.length, 60, "every datagram is answered");
    t.same([...new Set(answers.map(({ peer }) => addressOf(peer)))], [RELAY]);
    (await sentByLane(house)).forEach((count, index) => {
      t.ok(count - (before[index] ?? 0) >= 6, `lane ${String(index + 1)} carried ${String(count - (before[index] ?? 0))} of 60`);
    });
    t.equal(await addressesSeen(lan1, SERVER, 443), RELAY, "QUIC's port too");
    t.equal((await lan1.run("ping", ["-c", "3", "-i", "0.2", "-W", "2", SERVER])).status, 0, "a ping");
    t.equal(await webAddress(lan1, `http://${SERVER}/`), RELAY, "TCP by the proxy");
  });

  await t.test("a UDP flow of 2 Mbit/s loses nothing that the lines did not lose", async (t) => {
    const sent = await datagrams(lan1, { port: PORT, rate: 2e6, size: 1200, seconds: 4 });
    t.equal(sent.lost, 0, `${String(sent.sent)} sent, ${String(sent.lost)} lost`);
    t.ok(sent.sent > 700);
  });

  await t.test("a flow keeps its lane when another gateway goes and comes, and survives the death of its own", async (t) => {
    const flows = askOn(lan1, SERVER, ECHO, 12, 20);
    await until("every flow is answered", 5_000, async () =>
      Promise.resolve(new Set(answersOf(flows).map(({ flow }) => flow)).size === 12 ? true : undefined),
    );
    const before = await lanesOfFlows(home, ECHO);
    t.ok(new Set(before.values()).size > 1, "they are on several lanes");
    await house.testbed.link(3).cut();
    await lanesUsed(house, 2, 10_000);
    const cutAt = answersOf(flows).length;
    await until("every flow goes on", 5_000, async () =>
      Promise.resolve(
        new Set(
          answersOf(flows)
            .slice(cutAt)
            .map(({ flow }) => flow),
        ).size === 12
          ? true
          : undefined,
      ),
    );
    await house.testbed.link(3).mend();
    await lanesUsed(house, 3, 15_000);
    t.strictSame([...(await lanesOfFlows(home, ECHO))].sort(), [...before].sort(), "no flow was given another lane");
    await flows.end();
    const seen = new Map<number, Set<string>>();
    for (const { flow, peer } of answersOf(flows)) seen.set(flow, (seen.get(flow) ?? new Set()).add(peer));
    t.ok(
      [...seen.values()].every((peers) => peers.size === 1),
      "the server saw each from one address and port all the time",
    );
    t.match([...seen.values()].flatMap((peers) => [...peers]).join(" "), /^(45\.0\.100\.2:\d+ ?)+$/);
    for (let flow = 0; flow < 12; flow++) {
      const times = answersOf(flows).flatMap((answer) => (answer.flow === flow ? [answer.at] : []));
      const silence = Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
      t.ok(silence < 4_000, `flow ${String(flow)} was silent for ${silence.toFixed(0)} ms at most`);
    }
  });

  await t.test("a LAN device that speaks MPTCP is served, and no MPTCP leaves the relay", async (t) => {
    const dump = server.start("tcpdump", ["-i", "eth0", "-nn", "-v", "-l", `tcp[tcpflags] & tcp-syn != 0 and src host ${RELAY}`]);
    await until("tcpdump listens", 5_000, async () => Promise.resolve(dump.stderr.includes("listening") ? true : undefined));
    const got = await house.get(["--bytes", "100000", "--mptcp"], 20_000);
    t.equal(`${got.end} ${got.content}`, "complete good");
    t.match(got.peer, /^45\.0\.100\.2:/);
    t.equal(got.mptcp, false, "between the LAN and the proxy it is TCP");
    t.equal((await house.get(["--bytes", "1000"])).end, "complete");
    await webAddress(home, `http://${SERVER}/`);
    const owned = await home.run("mptcpize", ["run", "curl", "-s", "-m", "5", `http://${SERVER}/`]);
    t.equal(addressOf(owned.stdout), RELAY, "the router's own MPTCP too");
    const syns = (): number => dump.lines.filter((line) => line.includes("Flags [S")).length;
    await until("tcpdump shows the SYN of each of the four", 5_000, async () => Promise.resolve(syns() >= 4 ? true : undefined));
    dump.kill("SIGTERM");
    await dump.exit;
    t.notMatch(dump.lines.join("\n"), /mptcp/);
  });

  await t.test("the proxy's port answers captured connections alone", async (t) => {
    const refused = async (node: TestNode, to: string): Promise<void> => {
      const { status, stderr } = await node.run("curl", ["-sS", "-m", "3", `http://${to}:2130/`]);
      t.equal(status, 7, `${node.name} to ${to}: ${stderr.trim()}`);
    };
    await refused(lan1, "192.168.1.1");
    await refused(lan1, "10.77.0.2");
    await refused(house.node("gw1"), "10.77.0.2");
    await refused(home, "127.0.0.1");
    await refused(home, "192.168.1.1");
    await serveEcho(server, "http:2130");
    t.equal(await webAddress(lan1, `http://${SERVER}:2130/`), RELAY, "somebody else's port of that number is reached");
  });

  await t.test("of the router's own traffic names, time and the web leave with the stable address, and nothing else", async (t) => {
    const stable = /198\.19\.0\.\d+/;
    for (const port of [53, 123]) t.equal(await addressesSeen(home, SERVER, port), RELAY, `UDP ${String(port)}`);
    for (const port of [80, 443]) {
      t.equal(await webAddress(home, `http://${SERVER}:${String(port)}/`), RELAY, `TCP ${String(port)}`);
      const flows = await house.node("relay").must("conntrack", ["-L", "-p", "tcp", "--orig-port-dst", String(port)]);
      t.match(flows, stable, "forwarded with the stable address, not by the proxy");
    }
    const put = await upload(home, { port: 5001, bytes: 300_000 });
    t.equal(`${put.end} ${addressOf(put.peer)}`, `complete ${gatewayAddress(1)}`, "another port goes as before");
    t.equal(await addressesSeen(home, SERVER, ECHO), gatewayAddress(1));
    t.equal(await webAddress(home, `http://${SERVER}:22/`), gatewayAddress(1));
    t.equal(await webAddress(home, `http://${SERVER}/`, "--interface", "mesh0"), gatewayAddress(1), "bound to a device");
    t.equal(await webAddress(home, `http://${SERVER}/`, "--interface", "host!198.18.213.2"), gatewayAddress(2), "bound to an alias");
    t.equal(await addressesSeen(home, SERVER, 53, 1, "198.18.213.3"), gatewayAddress(3), "UDP bound to an alias");
    const vpn = await home.must("conntrack", ["-L", "-p", "udp", "--orig-dst", RELAY]);
    t.match(vpn, /src=198\.18\.213\.1 /, "OpenVPN's packets are there");
    t.notMatch(vpn, /mark=[1-9]/, "and none of them is captured");
  });

  await t.test("the router's large transfers cross too, and without a default route of its own", async (t) => {
    await serve(server, 81);
    await home.must("nft", ["-f", "-"], {
      input: "table ip test { chain o { type nat hook output priority -100; tcp dport 80 ip daddr 45.0.200.3 dnat to 45.0.200.2:81; }; }",
    });
    await server.ip(["address add 45.0.200.3/24 dev eth0"]);
    const put = await upload(home, { to: "45.0.200.3", port: 80, bytes: 500_000, limit: 10 });
    t.equal(`${put.end} ${put.content}`, "complete good");
    await home.must("nft", ["delete", "table", "ip", "test"]);
    await house.testbed.homeDefault(undefined);
    for (const port of [53, 123]) t.equal(await addressesSeen(home, SERVER, port), RELAY, `UDP ${String(port)}`);
    t.equal(await webAddress(home, `http://${SERVER}/`), RELAY);
    t.equal(await webAddress(home, `http://${SERVER}:22/`), "failed", "what does not cross has no way");
    t.equal(await addressesSeen(lan1, SERVER, ECHO, 6), RELAY, "the LAN's goes on");
    t.equal((await lan1.run("ping", ["-c", "2", "-i", "0.2", "-W", "2", SERVER])).status, 0);
    await house.testbed.homeDefault(1);
  });

  await t.test("what others route is left alone: mesh, VPNs, other LANs, the router, broadcasts", async (t) => {
    const pids = [home.pid, mesh.pid, house.node("lan3").pid].map(String);
    await mesh.ip(["address add 10.77.0.50/24 dev mesh", "address add 10.99.0.1/32 dev lo"]);
    await mesh.ipOutside([
      `link add name vpn0 netns ${pids[0] ?? ""} type veth peer name vpn0 netns ${pids[1] ?? ""}`,
      `link add name guest0 netns ${pids[0] ?? ""} type veth peer name guest0 netns ${pids[2] ?? ""}`,
    ]);
    await mesh.ip(["address add 172.30.0.1/16 dev vpn0", "link set dev vpn0 up", "route add 192.168.1.0/24 via 10.77.0.2"]);
    await mesh.ip(["address add 45.0.200.77/32 dev lo"]);
    await home.ip([
      "address add 172.30.0.2/16 dev vpn0",
      "link set dev vpn0 up",
      "address add 192.168.50.1/24 dev guest0",
      "link set dev guest0 up",
      "route add 10.99.0.0/16 via 10.77.0.50",
    ]);
    await house
      .node("lan3")
      .ip([
        "link set dev eth0 down",
        "address add 192.168.50.10/24 dev guest0",
        "link set dev guest0 up",
        "route replace default via 192.168.50.1",
      ]);
    await home.must("nft", ["-f", "-"], {
      input:
        'table ip others { chain out { type nat hook postrouting priority srcnat; oifname "vpn0" masquerade; ip saddr 192.168.50.0/24 oifname "mesh0" masquerade; }; }',
    });
    const echo = `udp:${String(ECHO)}`;
    for (const node of [home, house.node("lan3")]) await serveEcho(node, echo, "http:80");
    for (const at of ["10.77.0.50", "10.99.0.1", "172.30.0.1", "45.0.200.77"]) await serveEcho(mesh, `${echo}:${at}`, `udp:53:${at}`);
    await serveEcho(mesh, "http:80");
    const both = async (node: TestNode, to: string): Promise<string> =>
      [await addressesSeen(node, to, ECHO), await webAddress(node, `http://${to}/`)].join(" ");
    const twice = (address: string): string => `${address} ${address}`;

    t.equal(await both(lan1, "10.77.0.50"), twice("10.77.0.2"), "a host of the mesh, as the plain router does it");
    t.equal(await both(lan1, "10.99.0.1"), twice("10.77.0.2"), "a prefix routed by the mesh");
    t.equal(await both(home, "10.99.0.1"), twice("10.77.0.2"), "and from the router");
    t.equal(await addressesSeen(home, "10.99.0.1", 53), "10.77.0.2", "its names too");
    t.equal(await both(lan1, "172.30.0.1"), twice("172.30.0.2"), "a VPN");
    t.equal(await both(lan1, "192.168.1.1"), twice("192.168.1.10"), "the router itself");
    t.equal(await both(lan1, "192.168.50.10"), twice("192.168.1.10"), "another LAN");
    t.equal(await both(house.node("lan3"), SERVER), twice(gatewayAddress(1)), "a guest LAN that is not captured goes as before");
    const broadcast = await ask(lan1, "192.168.1.255", ECHO, 1, "", true);
    t.same(
      broadcast.map(({ peer }) => addressOf(peer)),
      ["192.168.1.10"],
      "a broadcast is heard by the router",
    );

    await home.ip(["route add 0.0.0.0/1 via 172.30.0.1", "route add 128.0.0.0/1 via 172.30.0.1"]);
    t.equal(await both(lan1, "45.0.200.77"), twice("172.30.0.2"), "a VPN that takes everything takes it");
    t.equal(await addressesSeen(home, "45.0.200.77", 53), "172.30.0.2", "the router's names too");
    await lanesUsed(house, GATEWAYS.length, 1_000);
    await home.ip(["route del 0.0.0.0/1 via 172.30.0.1", "route del 128.0.0.0/1 via 172.30.0.1"]);
    t.equal(await both(lan1, SERVER), twice(RELAY), "and when it is gone, Binder does");
    const marked = await home.must("conntrack", ["-L", "--orig-dst", "192.168.1.255"]);
    t.notMatch(marked, /mark=[1-9]/);
  });

  await t.test("several LANs, and bypasses, come by a reload; flows that are there stay", async (t) => {
    const flows = askOn(lan1, SERVER, ECHO, 6, 60);
    const guest = house.node("lan3");
    await reconfigure(house, config, "config lan 'guest'\n\toption device 'guest0'\n");
    t.equal(await addressesSeen(guest, SERVER, ECHO, 6), RELAY, "the guests' UDP crosses now");
    t.equal(await webAddress(guest, `http://${SERVER}/`), RELAY);

    const bypasses = [
      ["bank", "dest '45.0.201.0/24'", "gateway 'gw2'"],
      ["game", "proto 'udp'", "port '7100-7110'", "gateway 'gw3'"],
      ["web", "proto 'tcp'", "port '8443'"],
      ["laptop", "src '192.168.1.11'", "gateway 'gw2'"],
      ["idle", "port '7200'", "gateway 'closed'"],
    ].map(([name, ...options]) => `config bypass '${name ?? ""}'\n${options.map((option) => `\toption ${option}\n`).join("")}`);
    const closed = "config gateway 'closed'\n\toption enabled '0'\n\toption device 'mesh0'\n\toption via '10.77.0.199'\n";
    await reconfigure(house, config, [closed, ...bypasses].join("\n"));
    await server.ip(["address add 45.0.201.2/32 dev lo"]);
    await house.node("inet").ip(["route replace 45.0.201.0/24 via 45.0.200.2"]);
    await serveEcho(server, "udp:7105", "udp:7200", "http:7105", "http:7200", "http:8443");
    await serveEcho(server, "udp:7300:45.0.201.2");
    t.equal(await addressesSeen(lan1, "45.0.201.2", 7300, 3), gatewayAddress(2), "by destination: UDP");
    t.equal(await webAddress(lan1, "http://45.0.201.2/"), gatewayAddress(2), "by destination: TCP");
    t.equal(await addressesSeen(lan1, SERVER, 7105, 3), gatewayAddress(3), "by protocol and port");
    t.equal(await webAddress(lan1, `http://${SERVER}:7105/`), RELAY, "the other protocol crosses");
    t.equal(await webAddress(lan1, `http://${SERVER}:8443/`), gatewayAddress(1), "without a gateway: as if Binder were not there");
    t.equal(await addressesSeen(house.node("lan2"), SERVER, ECHO, 3), gatewayAddress(2), "by source");
    t.equal(await webAddress(house.node("lan2"), `http://${SERVER}/`), gatewayAddress(2));
    t.equal(await addressesSeen(lan1, SERVER, 7200, 3), RELAY, "by a gateway that is not enabled: crosses");
    t.match((await house.status()).warnings.join("\n"), /bypass 'idle': gateway 'closed' is not in use/);
    t.equal(await addressesSeen(guest, SERVER, ECHO, 3), gatewayAddress(1), "the guests are left alone again");

    const mac = (await house.node("lan2").read("/sys/class/net/eth0/address")).trim();
    await reconfigure(house, config, `config bypass 'phone'\n\toption mac '${mac}'\n\toption gateway 'gw3'\n`);
    t.equal(await addressesSeen(house.node("lan2"), SERVER, ECHO, 3), gatewayAddress(3), "by hardware address");
    t.equal(await webAddress(house.node("lan2"), `http://${SERVER}/`), gatewayAddress(3));
    t.equal(await addressesSeen(lan1, SERVER, ECHO, 3), RELAY);
    await reconfigure(house, config, "");
    await flows.end();
    const peers = new Set(answersOf(flows).map(({ flow, peer }) => `${String(flow)} ${peer}`));
    t.equal(peers.size, 6, "the flows of before kept their addresses through it all");
  });

  await t.test("a flow of a gateway that is taken out of the configuration goes on by another", async (t) => {
    const flows = askOn(lan1, SERVER, ECHO, 9, 30);
    await until("every flow is answered", 5_000, async () =>
      Promise.resolve(new Set(answersOf(flows).map(({ flow }) => flow)).size === 9 ? true : undefined),
    );
    t.ok([...(await lanesOfFlows(home, ECHO)).values()].includes(3), "some are on lane 3");
    await reconfigure(house, config.replace(/config gateway 'gw3'[^]*?\n\n/, ""), "");
    await until("the third lane is gone", 10_000, async () => ((await house.status()).gateways.length === 2 ? true : undefined));
    const from = answersOf(flows).length;
    await until("every flow goes on", 5_000, async () =>
      Promise.resolve(
        new Set(
          answersOf(flows)
            .slice(from)
            .map(({ flow }) => flow),
        ).size === 9
          ? true
          : undefined,
      ),
    );
    await flows.end();
    t.equal(new Set(answersOf(flows).map(({ flow, peer }) => `${String(flow)} ${peer}`)).size, 9, "with the address it had");
    await reconfigure(house, config, "");
    await lanesUsed(house, 3);
  });

  await t.test("a port forward from a gateway works, and its replies go back the way they came", async (t) => {
    const echo = ["udp", "tcp"].map((proto) => `${proto} dport 8080`);
    const forward = (device: string, to: string): string =>
      `table ip forward-port { chain in { type nat hook prerouting priority dstnat; ${echo.map((match) => `iifname "${device}" ${match} dnat to ${to};`).join(" ")} }; }`;
    await house.node("gw1").must("nft", ["-f", "-"], { input: forward("up0", "10.77.0.2:8080") });
    await home.must("nft", ["-f", "-"], { input: forward("mesh0", "192.168.1.10:8080") });
    await serveEcho(lan1, "udp:8080", "http:8080");
    t.equal(await webAddress(server, `http://${gatewayAddress(1)}:8080/`), SERVER, "TCP");
    t.equal(await addressesSeen(server, gatewayAddress(1), 8080, 3), SERVER, "UDP: the LAN host sees who asks, and is heard");
    const flows = await home.must("conntrack", ["-L", "--orig-src", SERVER]);
    t.match(flows, /dport=8080/);
    t.notMatch(flows, /mark=[1-9]/, "Binder decides nothing about it");
  });

  await t.test("a reconcile that changes nothing leaves the table alone, and delays of lanes that are near do not change it", async (t) => {
    const before = await tableHandle(home);
    t.not(before, "none");
    await reconfigure(house, config, "");
    const load = askOn(lan1, SERVER, ECHO, 24, 30);
    // By little enough that no answer is overdue meanwhile, and the lane is not far: one in doubt would change the table, and so would a far one.
    await house.testbed.link(1).set({ delay: 21 });
    await until("the first lane is the slowest", 15_000, async () => {
      const [first = 0, ...others] = (await house.status()).gateways.map(({ delay_ms }) => delay_ms ?? 0);
      return first > 1.2 * Math.max(...others) ? true : undefined;
    });
    await reconfigure(house, config, "");
    await reconfigure(house, config, "");
    t.equal(await tableHandle(home), before);
    await house.testbed.link(1).set({ delay: 5 });
    await load.end();
  });

  await t.test("while lanes come and go and the table is replaced, nothing leaves undecided", async (t) => {
    const plain = "src net 45.0.1.0/24 or src net 45.0.2.0/24 or src net 45.0.3.0/24";
    const dump = server.start("tcpdump", ["-i", "eth0", "-nn", "-l", `(udp or tcp) and (${plain})`]);
    await until("tcpdump listens", 5_000, async () => Promise.resolve(dump.stderr.includes("listening") ? true : undefined));
    const handles = new Set<string>();
    const done = new AbortController();
    const load = (async () => {
      let answered = 0;
      while (!done.signal.aborted) {
        const [answers, web] = await Promise.all([ask(lan1, SERVER, ECHO, 40), connects(lan1, 4, { port: PORT, seconds: 1 })]);
        answered += answers.length + web.connections;
      }
      return answered;
    })();
    for (let i = 0; i < 8; i++) {
      const added = ["config bypass 'x'", `\toption dest '45.0.250.${String(i)}'`].join("\n");
      await reconfigure(house, config, added);
      const before = [...handles].at(-1);
      const handle = await until("the table is replaced", 5_000, async () => {
        const now = await tableHandle(home);
        return now === before ? undefined : now;
      });
      handles.add(handle);
    }
    await reconfigure(house, config, "");
    await house.testbed.link(2).cut();
    await lanesUsed(house, 2, 15_000);
    handles.add(await tableHandle(home));
    await house.testbed.link(2).mend();
    await lanesUsed(house, 3, 15_000);
    done.abort();
    const begun = await load;
    t.ok(begun >= 40, `${String(begun)} flows were begun meanwhile`);
    t.ok(handles.size >= 8, `${String(handles.size)} tables were in force`);
    await webAddress(home, `http://${SERVER}:22/`);
    await dump.line(/\.22: Flags/, 5_000);
    dump.kill("SIGTERM");
    await dump.exit;
    t.same(
      dump.lines.filter((line) => line !== "" && !/45\.0\.200\.2\.22: /.test(line)),
      [],
      "the server saw only the relay",
    );
  });

  await t.test("flows that are older than Binder keep their path and go on", async (t) => {
    await home.must(BINDER, ["stop"]);
    await house.homeDaemon.exit;
    // A new socket may get the port of one whose flow, by a lane, the kernel remembers still.
    await home.must("conntrack", ["-F"]);
    const old = [talk(lan1, SERVER, ECHO), askOn(lan1, SERVER, ECHO, 2, 60)];
    // Nobody listens: its first packet is never answered, and yet it is no new flow.
    const silent = askOn(lan1, SERVER, 7999, 1, 60);
    const dump = server.start("tcpdump", ["-i", "eth0", "-nn", "-l", "udp dst port 7999"]);
    await dump.line(/7999/, 10_000);
    for (const flow of old) await flow.line(/"peer"/, 5_000);
    house.homeDaemon = home.start(BINDER, ["run"]);
    await lanesUsed(house, 3);
    t.equal(await addressesSeen(lan1, SERVER, ECHO, 3), RELAY, "new flows cross");
    t.equal(await webAddress(lan1, `http://${SERVER}/`), RELAY);
    const from = old.map((flow) => answersOf(flow).length);
    await until("the old flows go on", 5_000, async () =>
      Promise.resolve(old.every((flow, index) => answersOf(flow).length > (from[index] ?? 0) + 3) ? true : undefined),
    );
    for (const flow of old) {
      t.same([...new Set(answersOf(flow).map(({ peer }) => addressOf(peer)))], [gatewayAddress(1)]);
      await flow.end();
    }
    const heard = dump.lines.length;
    await until("the unanswered flow goes on", 5_000, async () => Promise.resolve(dump.lines.length > heard + 3 ? true : undefined));
    await silent.end();
    dump.kill("SIGTERM");
    await dump.exit;
    const sources = dump.lines.flatMap((line) => / IP (\S+) > /.exec(line)?.[1] ?? []);
    t.match([...new Set(sources)].join(" "), /^45\.0\.1\.2\.\d+$/);
  });

  await t.test("with every lane down the tunnels' handshakes still leave, and all comes back by itself", async (t) => {
    for (const number of [1, 2, 3]) await house.testbed.link(number).cut();
    await until("every lane is down", 20_000, async () => ((await house.status()).transport === "off" ? true : undefined));
    await home.must("sh", ["-c", 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = openvpn ] && kill -9 ${p#/proc/}; done; true']);
    await house.testbed.link(2).mend();
    await lanesUsed(house, 1, 30_000);
    t.equal(await addressesSeen(lan1, SERVER, ECHO, 3), RELAY, "by the one that is back");
    t.equal(await webAddress(lan1, `http://${SERVER}/`), RELAY);
    for (const number of [1, 3]) await house.testbed.link(number).mend();
    await lanesUsed(house, 3, 30_000);
  });
});
