import fc from "fast-check";
import { type DirectView, directGateways } from "../../src/home/direct.ts";
import { test } from "../harness/index.ts";

const view = (number: number, works: boolean, answers?: boolean): DirectView => ({ number, works, answers });

test("without a relay, flows leave by the gateways that something is reached through, or by all if nothing is", (t) => {
  t.same(directGateways([view(2, true), view(1, true)]), [1, 2], "nothing is known yet");
  t.same(directGateways([view(1, true, true), view(2, true, false), view(3, true)]), [1, 3]);
  t.same(directGateways([view(1, true, false), view(2, true, false)]), [1, 2], "the relay's machine is away: that says nothing");
  t.same(directGateways([view(1, false, true), view(2, true, false)]), [2], "an answer from before its interface went down");
  t.same(directGateways([]), []);
});

test("some gateway is used while any works", (t) => {
  const any = fc.array(
    fc.record<DirectView>({
      number: fc.integer({ min: 1, max: 15 }),
      works: fc.boolean(),
      answers: fc.option(fc.boolean(), { nil: undefined }),
    }),
  );
  fc.assert(fc.property(any, (views) => directGateways(views).length > 0 === views.some(({ works }) => works)));
  t.pass();
});
