/** The host of QuickJS: for routers. What the engine lacks is in native/ (C) and polyfill/. */
import * as native from "binder:native";
import { installGlobals } from "./polyfill.ts";
import { quickjsClock } from "./quickjs/clock.ts";
import { quickjsFiles } from "./quickjs/files.ts";
import { quickjsProcesses } from "./quickjs/processes.ts";
import { quickjsProgram, writeTo } from "./quickjs/program.ts";
import { quickjsSockets } from "./quickjs/sockets.ts";
import type { Host } from "./types.ts";

// Now, not in createHost(): modules that are loaded after this one may use them at once.
installGlobals(globalThis, {
  utf8: { encode: native.encodeText, decode: native.decodeText },
  timers: { set: native.setTimer, clear: native.clearTimer },
  stdout: (text) => writeTo(1, text),
  stderr: (text) => writeTo(2, text),
});

export function createHost(): Host {
  return {
    files: quickjsFiles,
    clock: quickjsClock,
    processes: quickjsProcesses,
    sockets: quickjsSockets,
    program: quickjsProgram,
    random: native.random,
  };
}
