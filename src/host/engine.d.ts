/** `#host` is the engine that this bundle is for: the build aliases it to node.ts or quickjs.ts. */
declare module "#host" {
  export function createHost(): import("./types.ts").Host;
}
