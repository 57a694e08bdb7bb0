import type { Host } from "../host/types.ts";
import { UBUS_SOCKET, UbusClient } from "../ubus-client/index.ts";

/** A client of this machine's ubusd, until the signal fires or it is closed. It waits for an ubusd that is not there. */
export function ubusOf(host: Host, signal?: AbortSignal): UbusClient {
  return new UbusClient({
    connect: async (ended) => await host.sockets.connectUnix(UBUS_SOCKET, ended),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Whether this machine has an ubusd, as OpenWrt does. */
export const hasUbus = async (host: Host): Promise<boolean> => (await host.files.status(UBUS_SOCKET)) !== undefined;
