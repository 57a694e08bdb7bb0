/**
 * The seam between Binder and the operating system: all that Binder asks of the engine that runs it.
 *
 * Each engine (node.ts, quickjs.ts) makes one {@link Host}; everything else gets it as an argument and knows no engine. Times are
 * milliseconds, sizes bytes, paths absolute. Every call that waits takes an AbortSignal and rejects with its reason when it fires.
 */

/** What the operating system answered. `code` is the errno's name (ENOENT, EACCES, …), the same on every architecture. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export interface FileStatus {
  readonly kind: "file" | "directory" | "socket" | "other";
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Files {
  /** The whole file. Files of /proc and /sys too. Rejects with ENOENT, EACCES, … */
  read(path: string): Promise<Uint8Array>;
  /** Replaces the file whole or not at all: a temporary file beside it, flushed to the disk, renamed over it. */
  replace(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Writes into an existing file of /proc/sys or /sys, which can't be replaced. */
  poke(path: string, bytes: Uint8Array): Promise<void>;
  /** Names in a directory, sorted; without `.` and `..`. */
  list(path: string): Promise<readonly string[]>;
  /** The file's status, links followed; undefined if there is none. */
  status(path: string): Promise<FileStatus | undefined>;
  /** Makes the directory and its parents; sets `mode` on the last if it had to be made. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Removes a file, or a directory with all in it. Nothing there is no error. */
  remove(path: string): Promise<void>;
  setOwner(path: string, uid: number, gid: number): Promise<void>;
}

export interface Clock {
  /** Milliseconds since some fixed moment; never steps back, unlike the wall clock. */
  monotonic(): number;
  /** Milliseconds since 1970-01-01 UTC, as the machine believes. */
  wall(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it fires first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface RunOptions {
  /** Fed to the program's standard input; nothing (an immediate end of file) by default. */
  readonly input?: Uint8Array;
  /** The program is killed after this many milliseconds, and the call rejects with ETIMEDOUT. Default 10 000. */
  readonly limit?: number;
  /** The directory to run it in. Default `/`. */
  readonly directory?: string;
}

export interface RunResult {
  /** The exit status, or 128 + the number of the signal that ended it. */
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export interface DetachedOptions {
  /** Where its standard output and error go (appended; made with mode 0600). Its input is /dev/null. */
  readonly log: string;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called once if it ends while this Binder still runs. */
  readonly onExit?: (status: number) => void;
}

/** A child that is talked to line by line for as long as the daemon lives, `ip monitor` for instance. */
export interface Conversation {
  readonly pid: number;
  /** Its standard output; ends when the child ends. */
  readonly output: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  /** Closes its standard input: it has been told all. */
  end(): void;
  /** Kills it and waits for its end. */
  close(): Promise<void>;
}

export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL" | "SIGUSR1" | "SIGUSR2";

export interface Processes {
  readonly pid: number;
  /** Runs a program (found by PATH and the sbin directories) to its end. Rejects with ENOENT if there is no such program. */
  run(program: string, args: readonly string[], signal: AbortSignal, options?: RunOptions): Promise<RunResult>;
  /** Starts a program in a session of its own, with no pipe to this process, so that it outlives it. Answers its pid. */
  detach(program: string, args: readonly string[], options: DetachedOptions): Promise<number>;
  converse(program: string, args: readonly string[]): Promise<Conversation>;
  /** Sends a signal; false if there is no such process. A negative pid is a process group. */
  kill(pid: number, signal: SignalName): boolean;
  /** Where PATH or an sbin directory has this program; undefined if nowhere. */
  find(program: string): Promise<string | undefined>;
}

export interface Stream {
  /** What the peer sends; ends at its end of file. May be iterated once. */
  readonly input: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export interface Listener {
  close(): Promise<void>;
}

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

export interface UdpSocket {
  readonly port: number;
  /** Hands the datagram to the kernel; rejects with ENETUNREACH, ENOBUFS, … */
  send(bytes: Uint8Array, address: string, port: number): Promise<void>;
  close(): void;
}

export interface Sockets {
  connectUnix(path: string, signal: AbortSignal): Promise<Stream>;
  /** Serves a Unix stream socket at `path` (removed first if stale) with the given mode. */
  listenUnix(path: string, mode: number, onConnection: (stream: Stream) => void): Promise<Listener>;
  /** An IPv4 UDP socket bound to `address` and `port` (0: the kernel chooses). */
  bindUdp(address: string, port: number, onDatagram: (datagram: Datagram) => void): Promise<UdpSocket>;
}

/** The program's own standard streams and arguments. */
export interface Program {
  /** Without the engine's and the script's own names. */
  readonly args: readonly string[];
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** The whole of standard input, at most `limit` bytes; rejects with EFBIG beyond. */
  readStdin(limit: number): Promise<Uint8Array>;
  stdout(text: string | Uint8Array): void;
  stderr(text: string): void;
  /** Calls `handler` for each such signal instead of dying of it. */
  onSignal(signal: "SIGTERM" | "SIGINT" | "SIGHUP", handler: () => void): void;
  /** Ends this process with this status once what was written is out. */
  exit(status: number): never;
}

export interface Host {
  readonly files: Files;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly sockets: Sockets;
  readonly program: Program;
  /** Cryptographically strong random bytes. */
  random(count: number): Uint8Array;
}
