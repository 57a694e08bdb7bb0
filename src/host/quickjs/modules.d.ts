/**
 * `binder:native`, the C of the QuickJS host (native/). Paths are absolute; descriptors are all closed by exec(). What fails throws an
 * Error whose `code` is the errno's name.
 */
declare module "binder:native" {
  /** Without the executable's own name. */
  export const args: readonly string[];

  export function readFile(path: string): Uint8Array;
  /** A temporary file beside it, flushed to the disk, renamed over it; the directory is flushed, too. */
  export function replaceFile(path: string, bytes: Uint8Array, mode: number): void;
  export function pokeFile(path: string, bytes: Uint8Array): void;
  /** Undefined if there is none. Links are followed. */
  export function statusOf(path: string): NativeStatus | undefined;
  export function setOwner(path: string, uid: number, gid: number): void;
  export function isExecutable(path: string): boolean;
  export function listFolder(path: string): string[];
  /** With its parents; `mode` is that of the last one, if it had to be made. */
  export function makeFolder(path: string, mode: number): void;
  /** A file, or a directory with all in it; nothing there is no error. */
  export function removeAll(path: string): void;

  export interface NativeStatus {
    readonly kind: "file" | "directory" | "socket" | "other";
    /** Permission bits. */
    readonly mode: number;
    readonly size: number;
    readonly uid: number;
    readonly gid: number;
  }

  /** The end to read from, and the one to write to. */
  export function pipe(): [number, number];
  /** Reads and writes of this descriptor do not wait any more. */
  export function unblock(descriptor: number): void;
  /** Made with this mode (narrowed by the umask) if it is not there. */
  export function openToAppend(path: string, mode: number): number;
  /** /dev/null. */
  export function openNothing(): number;
  export function close(descriptor: number): void;
  /** Some of what is there; undefined if nothing is, and no bytes at the end of file. */
  export function read(descriptor: number): Uint8Array | undefined;
  /** How many of the bytes from `offset` on were taken; 0 if there is no room now. */
  export function write(descriptor: number, bytes: Uint8Array, offset: number): number;
  /** Waits where it must. A reader who left is no error. */
  export function writeWhole(descriptor: number, bytes: Uint8Array): void;
  export function isTerminal(descriptor: number): boolean;

  /** Calls back whenever the descriptor can be read (or written) or its peer is gone. Answers the watch's number. */
  export function watch(descriptor: number, toWrite: boolean, callback: () => void): number;
  export function unwatch(watch: number): void;
  /** Calls back once, after so many milliseconds. Answers the timer's number. */
  export function setTimer(callback: () => void, ms: number): number;
  export function clearTimer(timer: number): void;
  /** Milliseconds of the monotonic clock. */
  export function monotonic(): number;

  /**
   * Starts a program, looked up by PATH, and answers its pid. `environment` (NAME=value) comes before this process's. Without `session`
   * the event loop goes on until it ends; with it, the program leads a session and may outlive this process.
   */
  export function spawn(
    programAndArgs: readonly string[],
    environment: readonly string[],
    directory: string,
    streams: readonly [number, number, number],
    session: boolean,
    onExit: (status: number) => void,
  ): number;
  /** False if there is no such process. */
  export function kill(pid: number, signal: string): boolean;
  /** Calls `handler` for this signal from now on, in place of what it does by default. */
  export function onSignal(signal: string, handler: () => void): void;

  export function connectUnix(path: string): number;
  /** Removes what is at `path` first. */
  export function listenUnix(path: string, mode: number): number;
  /** Undefined if nobody waits. */
  export function accept(listener: number): number | undefined;
  export function bindUdp(address: string, port: number): number;
  export function localPort(descriptor: number): number;
  /** False if there is no room now. */
  export function sendTo(descriptor: number, bytes: Uint8Array, address: string, port: number): boolean;
  /** Undefined if there is none now. */
  export function receive(descriptor: number): { readonly bytes: Uint8Array; readonly address: string; readonly port: number } | undefined;

  /** Well-formed UTF-8 without a byte order mark as text; undefined otherwise. */
  export function decodeText(bytes: Uint8Array): string | undefined;
  /** Undefined if the text has a surrogate without its partner. */
  export function encodeText(text: string): Uint8Array | undefined;

  export function pid(): number;
  /** A variable of the environment. PATH has the sbin directories at its end. */
  export function variable(name: string): string | undefined;
  /** At most 65 536. */
  export function random(count: number): Uint8Array;
  export function exit(status: number): never;
}
