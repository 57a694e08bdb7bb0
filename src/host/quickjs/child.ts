import * as native from "binder:native";
import { hostError } from "../errors.ts";
import { Descriptor } from "./descriptor.ts";

/** A program that runs, with this process's ends of its pipes. */
export interface Child {
  readonly pid: number;
  readonly stdin: Descriptor;
  readonly stdout: Descriptor;
  /** Undefined if nobody reads it: it is /dev/null then. */
  readonly stderr: Descriptor | undefined;
  /** Its status. */
  readonly ended: Promise<number>;
  /** Does nothing once it has ended: its number may be another's by then. */
  kill(): void;
}

/** Starts a program with pipes. Throws what the system answered, ENOENT for instance, with nothing left open. */
export function startChild(program: string, args: readonly string[], directory: string, readErrors: boolean): Child {
  const [ours, theirs]: [number[], number[]] = [[], []];
  let settle: (status: number) => void = () => undefined;
  let alive = true;
  const ended = new Promise<number>((resolve) => {
    settle = resolve;
  });
  try {
    const [stdinTheirs, stdin] = native.pipe();
    theirs.push(stdinTheirs);
    ours.push(stdin);
    for (let count = readErrors ? 2 : 1; count > 0; count -= 1) {
      const [own, other] = native.pipe();
      ours.push(own);
      theirs.push(other);
    }
    if (!readErrors) theirs.push(native.openNothing());
    const [zero = -1, one = -1, two = -1] = theirs;
    const pid = native.spawn([program, ...args], [], directory, [zero, one, two], false, (status) => {
      alive = false;
      settle(status);
    });
    const [, stdout = -1, stderr] = ours;
    return {
      pid,
      stdin: new Descriptor(stdin),
      stdout: new Descriptor(stdout),
      stderr: stderr === undefined ? undefined : new Descriptor(stderr),
      ended,
      kill: () => {
        if (alive) native.kill(pid, "SIGKILL");
      },
    };
  } catch (error) {
    ours.forEach(native.close);
    throw hostError(error);
  } finally {
    theirs.forEach(native.close);
  }
}
