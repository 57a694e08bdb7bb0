import type { Conversation, Host } from "../../src/host/types.ts";
import type { RelayPlan } from "../../src/relay/plan.ts";
import { SubflowCutter } from "../../src/relay/subflow-cutter.ts";
import { type Test, test } from "../harness/index.ts";

const plan = { config: { prefix: { base: 0xc6130000, length: 16 } } } as unknown as RelayPlan;
const PROXY = "-K -tnH -F - sport = :2130 and";
const DIRECT = "-K -tnH sport = :2130 and ( dst 198.19.16.2 or dst 198.19.48.2 )";

/** A machine whose `ss` lists this when its filter has ended; undefined: it can't be started. */
function machine(t: Test, listed: string | undefined) {
  const done: string[] = [];
  const processes: Pick<Host["processes"], "converse" | "run"> = {
    converse: async (program, args) => {
      done.push(`waits: ${program} ${args.join(" ")}`);
      await Promise.resolve();
      if (listed === undefined) throw new Error("no process can be started");
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const conversation: Conversation = {
        pid: 7,
        output: (async function* () {
          await ended;
          if (listed !== "") yield new TextEncoder().encode(listed);
        })(),
        write: async (bytes) => {
          done.push(new TextDecoder().decode(bytes).trimEnd());
          await Promise.resolve();
        },
        end,
        close: async () => {
          done.push("closed");
          end();
          await Promise.resolve();
        },
      };
      return conversation;
    },
    run: async (program, args) => {
      done.push(`${program} ${args.join(" ")}`);
      return await Promise.resolve({ status: 0, stdout: new Uint8Array(), stderr: new Uint8Array() });
    },
  };
  const cutter = new SubflowCutter({ processes } as unknown as Host);
  t.teardown(async () => {
    await cutter.close();
  });
  return { cutter, done };
}

const { signal } = new AbortController();

test("the program that waits is told whose subflows end, and the next one waits", async (t) => {
  const { cutter, done } = machine(t, "ESTAB 0 0 198.19.0.1:2130 198.19.16.2:40000\n");
  cutter.prepare();
  cutter.prepare();
  await cutter.cut(plan, 2, [1, 3], signal);
  const waits = `waits: ss ${PROXY}`;
  t.same(done, [waits, "( dst 198.19.16.2 or dst 198.19.48.2 )", waits]);
  await cutter.close();
  t.same(done.slice(3), ["closed"]);
});

test("where none waits, or it was killed, another is started for it", async (t) => {
  for (const listed of ["", undefined]) {
    const { cutter, done } = machine(t, listed);
    cutter.prepare();
    await cutter.cut(plan, 2, [1, 3], signal);
    t.ok(done.includes(`ss ${DIRECT}`), done.join("\n"));
  }
  const { cutter, done } = machine(t, "one\n");
  await cutter.cut(plan, 2, [1, 3], signal);
  t.equal(done[0], `ss ${DIRECT}`);
});
