/**
 * A client of ubus, OpenWrt's message bus: calls, objects, notifications and events, over a connection that heals.
 *
 *     const ubus = new UbusClient({ connect: (signal) => connectUnix(UBUS_SOCKET, signal) });
 *     const { hostname } = await ubus.call("system", "board");
 *
 * Source of all of it: ubus.git of 2025-12-02 and libubox.git of 2026-02-13, and what their programs were seen to do.
 */
export type { ArgumentType, Signature, Signatures } from "./arguments.ts";
export type { UbusObject } from "./ask.ts";
export { type CallOptions, UBUS_SOCKET, UbusClient, type UbusOptions } from "./client.ts";
export { decodeExactTable, decodeTable } from "./decode.ts";
export { encodeTable } from "./encode.ts";
export { UbusError } from "./error.ts";
export { type Frame, FrameReader } from "./frames.ts";
export type { EventHandler, Listener } from "./listener.ts";
export { type Attributes, decodeMessage, encodeMessage, type Message, type MessageType } from "./message.ts";
export type { Answer, Publication } from "./publication.ts";
export type { Call, Method, Methods } from "./serve.ts";
export type { UbusState } from "./session.ts";
export { STATUSES, type UbusStatus } from "./status.ts";
export type { Subscription, SubscriptionHandlers } from "./subscription.ts";
export type { Transport } from "./transport.ts";
export {
  type ExactTable,
  type ExactValue,
  type NumberType,
  typed,
  type TypedNumber,
  type UbusInput,
  type UbusInputTable,
  type UbusTable,
  type UbusValue,
} from "./values.ts";
export type { RequestOptions } from "./wait.ts";
