/** `#host` is the engine that this bundle is for: the build aliases it to node.ts or quickjs.ts. */
declare module "#host" {
  import type { Host } from "./types.ts";
  export function createHost(): Host;
}
