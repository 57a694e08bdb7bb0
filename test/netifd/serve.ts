/**
 * ubusd, netifd's object for networks and procd's for services, for network tests:
 *
 *     node scripts/build.mjs node test/netifd/serve.ts build/test/netifd-serve && build/test/netifd-serve DUMP
 *
 * DUMP is a file with the answer of `network.interface dump`, in JSON; on SIGHUP it is read again, and told of. Each call of `service signal`
 * is a line of output.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createHost } from "../../src/host/node.ts";
import { UBUS_SOCKET, UbusClient, type UbusInputTable } from "../../src/ubus-client/index.ts";
import { serve } from "../ubus-client/serve.ts";
import { Ubusd } from "../ubus-client/ubusd.ts";

const [dump = ""] = process.argv.slice(2);
const { sockets } = createHost();
const networks = (): readonly UbusInputTable[] => JSON.parse(readFileSync(dump, "utf8")) as readonly UbusInputTable[];

async function main(): Promise<void> {
  mkdirSync(dirname(UBUS_SOCKET), { recursive: true });
  const bus = new Ubusd();
  const listener = await sockets.listenUnix(UBUS_SOCKET, 0o600, (stream) => void serve(bus, stream));
  const ubus = new UbusClient({ connect: async (signal) => await sockets.connectUnix(UBUS_SOCKET, signal) });

  const netifd = ubus.publish("network.interface", { dump: { arguments: {}, call: () => ({ interface: networks() }) } });
  const procd = ubus.publish("service", {
    signal: {
      arguments: { name: "string", signal: "int32" },
      call: ({ name, signal }) => {
        console.log(`signal ${JSON.stringify(signal)} to ${JSON.stringify(name)}`);
        return {};
      },
    },
  });
  const stay = new AbortController().signal;
  await Promise.all([netifd.ready(stay), procd.ready(stay)]);
  console.log("listening");

  process.on("SIGHUP", () => {
    for (const network of networks()) netifd.notify(network["up"] === true ? "interface.update" : "interface.down", network);
  });
  process.on("SIGTERM", () => {
    ubus.close();
    void listener.close().then(() => process.exit(0));
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
