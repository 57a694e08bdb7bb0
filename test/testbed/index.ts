/** The emulated community network; see README.md. */
export { compiled, projectRoot } from "./compile.ts";
export * from "./flow.ts";
export { Link } from "./link.ts";
export { type DeviceCounters, type NodeFile, type RunOptions, type RunResult, TestNode } from "./node.ts";
export { Running, type Signal } from "./running.ts";
export { Testbed } from "./testbed.ts";
export type { Description, Gateway, Line, LineCounters, TcpSettings, TwoWayLine } from "./types.ts";
