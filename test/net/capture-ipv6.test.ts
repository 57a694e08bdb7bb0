import { test } from "../harness/index.ts";
import { lanesUsed, reconfigure } from "./capture.ts";
import { serveEcho } from "./echo.ts";
import { BINDER, Household, until } from "./household.ts";

test("IPv6 of the LAN: told of while it goes around, and kept away when that is wanted", { timeout: 90_000 }, async (t) => {
  const house = await Household.create({ gateways: [{ rate: 20e6, delay: 5 }], ipv6: true });
  t.teardown(async () => {
    await house.close();
  });
  const [home, lan1, mesh] = [house.node("home"), house.node("lan1"), house.node("mesh")];
  await lanesUsed(house, 1);
  const config = await home.read("/etc/config/binder");
  // A provider's IPv6: the mesh has some, the router announces it to the LAN.
  await home.ip(["address add 2001:db8:1::1/64 dev lan0 nodad", "address add 2001:db8:77::2/64 dev mesh0 nodad"]);
  await mesh.ip(["address add 2001:db8:77::50/64 dev mesh nodad", "route add 2001:db8:1::/64 via 2001:db8:77::2"]);
  await serveEcho(mesh, "http:80");
  const announcer = home.start("dnsmasq", [
    ...["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=lan0", "--user=root", "--pid-file", "--log-facility=-"],
    ...["--enable-ra", "--dhcp-range=::,constructor:lan0,ra-stateless", "--ra-param=lan0,2,60", "--leasefile-ro"],
  ]);
  t.teardown(async () => {
    await announcer.end();
  });
  const hasAddress = async (): Promise<true | undefined> =>
    (await lan1.must("ip", ["-6", "address", "show", "dev", "eth0", "scope", "global"])).includes("2001:db8:1:") ? true : undefined;
  /** Makes the LAN host forget its IPv6 and ask routers for it. */
  const solicit = async (): Promise<void> => {
    await lan1.sysctl({ "net.ipv6.conf.eth0.disable_ipv6": 1 });
    await lan1.sysctl({ "net.ipv6.conf.eth0.disable_ipv6": 0 });
  };
  const warned = async (): Promise<boolean> => (await house.status()).warnings.some((text) => /lan0 has IPv6/.test(text));
  const get = async () => await lan1.run("curl", ["-sS", "-m", "1", "http://[2001:db8:77::50]/"]);

  await t.test("leave: the LAN has its IPv6, and the status says that it goes around", async (t) => {
    await solicit();
    await until("the LAN has IPv6", 15_000, hasAddress);
    await until("IPv6 works", 15_000, async () => ((await get()).status === 0 ? true : undefined));
    t.equal(await until("the warning", 15_000, async () => ((await warned()) ? true : undefined)), true);
  });

  await t.test("off: it is refused at once, and none is announced", async (t) => {
    await reconfigure(house, config.replace("config binder 'main'\n", "config binder 'main'\n\toption ipv6 'off'\n"), "");
    await until("the table has it", 5_000, async () =>
      (await home.must("nft", ["list", "table", "inet", "binder"])).includes("nd-router-advert") ? true : undefined,
    );
    const { status, stderr } = await get();
    t.equal(status, 7, `refused, so that a program falls back to IPv4: ${stderr.trim()}`);
    const ping = await lan1.run("ping", ["-c", "1", "-W", "1", "2001:db8:77::50"]);
    t.match(ping.stdout, /prohibited/, "what is not TCP is refused by ICMP");
    t.notOk(await warned());
    const announced = (): number => announcer.stderr.split("RTR-ADVERT").length;
    const heard = lan1.start("tcpdump", ["-i", "eth0", "-nn", "-l", "icmp6"]);
    await until("tcpdump listens", 5_000, async () => Promise.resolve(heard.stderr.includes("listening") ? true : undefined));
    const before = announced();
    await solicit();
    await until("the router's daemon announces", 20_000, async () => Promise.resolve(announced() > before ? true : undefined));
    t.equal((await house.get(["--bytes", "10000"])).end, "complete", "IPv4 goes on");
    t.equal(await hasAddress(), undefined, "no address is announced");
    heard.kill("SIGTERM");
    await heard.exit;
    t.notMatch(heard.lines.join("\n"), /router advertisement/);
    await reconfigure(house, config, "");
    await solicit();
    await until("the LAN has IPv6 again when it is left", 20_000, hasAddress);
  });

  await t.test("carry is refused until it is built", async (t) => {
    await home.write("/etc/config/try", config.replace("config binder 'main'\n", "config binder 'main'\n\toption ipv6 'carry'\n"));
    const { status, stderr, stdout } = await home.run(BINDER, ["check", "/etc/config/try"]);
    t.equal(status, 3);
    t.match(`${stdout}${stderr}`, /ipv6.*is not built yet/);
  });
});
