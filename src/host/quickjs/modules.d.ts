/** What the QuickJS host uses of `qjs`'s own modules (quickjs-libc of 2025-04-26). Numbers below 0 are negative errnos. */

declare module "std" {
  /** A stdio stream. */
  export interface StdFile {
    puts(text: string): void;
    write(buffer: ArrayBuffer, position: number, length: number): number;
    flush(): void;
  }
  export const out: StdFile;
  export const err: StdFile;
  export function exit(status: number): never;
  export function getenv(name: string): string | undefined;
  export function strerror(errno: number): string;
}

declare module "os" {
  export interface OsTimer {
    readonly __osTimer: unique symbol;
  }
  export interface OsStat {
    readonly mode: number;
    readonly size: number;
    readonly uid: number;
    readonly gid: number;
  }
  export const O_RDONLY: number;
  export const O_WRONLY: number;
  export const O_RDWR: number;
  export const O_CREAT: number;
  export const O_EXCL: number;
  export const SIGINT: number;
  export const SIGTERM: number;
  export const S_IFMT: number;
  export const S_IFREG: number;
  export const S_IFDIR: number;
  export const S_IFSOCK: number;
  export function open(path: string, flags: number, mode?: number): number;
  export function close(descriptor: number): number;
  export function read(descriptor: number, buffer: ArrayBuffer, offset: number, length: number): number;
  export function write(descriptor: number, buffer: ArrayBuffer, offset: number, length: number): number;
  export function rename(from: string, to: string): number;
  export function remove(path: string): number;
  export function readdir(path: string): [string[], number];
  export function stat(path: string): [OsStat | null, number];
  export function getpid(): number;
  export function isatty(descriptor: number): boolean;
  /** Milliseconds of the monotonic clock. */
  export function now(): number;
  export function setTimeout(callback: () => void, ms: number): OsTimer;
  export function clearTimeout(timer: OsTimer): void;
  export function signal(number: number, handler: (() => void) | null | undefined): void;
}

/** The script's name, then its arguments. */
declare const scriptArgs: readonly string[];
