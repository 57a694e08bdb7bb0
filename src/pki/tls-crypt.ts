import type { Host } from "../host/types.ts";
import { runTool } from "./tool.ts";
import { inWorkshop } from "./workshop.ts";

/** A relay's key that wraps those of its homes, as a PEM text (openvpn(8), `--genkey tls-crypt-v2-server`). Throws a PkiError. */
export async function makeTlsCryptServerKey(host: Host, signal: AbortSignal): Promise<Uint8Array> {
  return await inWorkshop(host, async (directory) => {
    const key = `${directory}/key`;
    await runTool(host, "openvpn", ["--genkey", "tls-crypt-v2-server", key], signal);
    return await host.files.read(key);
  });
}

/** A home's key of its own, wrapped by the relay's in file `serverKey`, as a PEM text (`--genkey tls-crypt-v2-client`). Throws a PkiError. */
export async function makeTlsCryptClientKey(host: Host, serverKey: string, signal: AbortSignal): Promise<Uint8Array> {
  return await inWorkshop(host, async (directory) => {
    const key = `${directory}/key`;
    await runTool(host, "openvpn", ["--tls-crypt-v2", serverKey, "--genkey", "tls-crypt-v2-client", key], signal);
    return await host.files.read(key);
  });
}
