/**
 * The host of QuickJS's own `qjs`: files, arguments, standard streams and the clock, which is what `check`, `config` and `version`
 * need. Programs and sockets reject with ENOSYS: they need C beside the engine.
 */
import * as os from "os";
import * as std from "std";
import { installGlobals } from "./polyfill.ts";
import { unsupported } from "./quickjs/errors.ts";
import { quickjsFiles, readAll } from "./quickjs/files.ts";
import type { Clock, Host, Processes, Program, Sockets } from "./types.ts";

function write(stream: std.StdFile, text: string | Uint8Array): void {
  if (typeof text === "string") {
    stream.puts(text);
  } else {
    const { buffer } = text.slice();
    if (buffer instanceof ArrayBuffer) stream.write(buffer, 0, text.length);
  }
  stream.flush();
}

// Now, not in createHost(): modules that are loaded after this one may use them at once.
installGlobals(globalThis, {
  timers: { set: os.setTimeout, clear: os.clearTimeout },
  stdout: (text) => write(std.out, text),
  stderr: (text) => write(std.err, text),
});

const clock: Clock = {
  monotonic: () => os.now(),
  wall: () => Date.now(),
  sleep: async (ms, signal) => {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  },
};

const processes: Processes = {
  pid: os.getpid(),
  run: async (program) => Promise.reject(unsupported(`running ${program}`)),
  detach: async (program) => Promise.reject(unsupported(`running ${program}`)),
  converse: async (program) => Promise.reject(unsupported(`running ${program}`)),
  kill: () => {
    throw unsupported("sending signals");
  },
  find: async (program) => Promise.reject(unsupported(`looking for ${program}`)),
};

const sockets: Sockets = {
  connectUnix: async () => Promise.reject(unsupported("a Unix socket")),
  listenUnix: async () => Promise.reject(unsupported("a Unix socket")),
  bindUdp: async () => Promise.reject(unsupported("a UDP socket")),
};

const program: Program = {
  args: scriptArgs.slice(1),
  stdinIsTerminal: os.isatty(0),
  stdoutIsTerminal: os.isatty(1),
  readStdin: async (limit) => readAll(0, "standard input", limit),
  stdout: (text) => write(std.out, text),
  stderr: (text) => write(std.err, text),
  onSignal(signal, handler) {
    switch (signal) {
      case "SIGTERM":
        os.signal(os.SIGTERM, handler);
        return;
      case "SIGINT":
        os.signal(os.SIGINT, handler);
        return;
      case "SIGHUP":
        throw unsupported("handling SIGHUP");
    }
  },
  exit: (status) => std.exit(status),
};

function random(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  const descriptor = os.open("/dev/urandom", os.O_RDONLY);
  try {
    for (let filled = 0; filled < count; ) {
      const got = os.read(descriptor, bytes.buffer, filled, count - filled);
      // Guessable bytes would be worse than none.
      if (got <= 0) throw unsupported("/dev/urandom");
      filled += got;
    }
  } finally {
    os.close(descriptor);
  }
  return bytes;
}

export function createHost(): Host {
  return { files: quickjsFiles, clock, processes, sockets, program, random };
}
