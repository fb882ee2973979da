import { assert, assertEquals } from "@std/assert";
import { RoundResult } from "../../device/service/round.ts";
import { TestControl } from "../support/device.ts";
import {
  INDIRECT,
  NEXT,
  type RawDescriptor,
  WRITE,
} from "../support/guest_ring.ts";
import { bytesAt } from "../support/plain_memory.ts";

/** Requests and descriptors that the control queue takes in a turn. */
const REQUESTS = 64;
const DESCRIPTORS = 65536;

/**
 * A control queue whose ring is full of requests to destroy no session, each a
 * table that ends with the place of the answer.
 *
 * @param requests how many
 * @param length entries of each table, most of them empty
 */
function fullOf(requests: number, length: number): TestControl {
  const control = new TestControl({ engines: ["noble"] }, { size: 256 });
  const { memory, ring } = control.guest;
  const [request, answer, table] = [ring.end, ring.end + 32, ring.end + 48];
  bytesAt(memory, request, 24).fill(0)[0] = 3;
  ring.table(
    table,
    [request, 24, NEXT, 1],
    ...Array.from(
      { length: length - 2 },
      (_, i): RawDescriptor => [answer, 0, WRITE | NEXT, i + 2],
    ),
    [answer, 8, WRITE],
  );
  ring.describe(0, [table, 16 * length, INDIRECT]);
  ring.offer(...new Array(requests).fill(0));
  return control;
}

/** Takes turns until there is nothing more; returns the answers of each. */
function turns({ queue, guest }: TestControl): number[] {
  const answered: number[] = [];
  for (;;) {
    const result = queue.run();
    const used = guest.ring.takeUsed();
    if (result === RoundResult.IDLE) return answered;
    assert(used.every(({ length }) => length === 8));
    answered.push(used.length);
  }
}

Deno.test("The control queue takes 64 requests a turn, and the others in the next ones", () => {
  assertEquals(turns(fullOf(REQUESTS, 2)), [REQUESTS]);
  assertEquals(turns(fullOf(3 * REQUESTS + 5, 2)), [
    REQUESTS,
    REQUESTS,
    REQUESTS,
    5,
  ]);
});

Deno.test("The control queue walks 65536 descriptors a turn, and one chain's more at most", () => {
  for (const length of [2048, 8192]) {
    const control = fullOf(REQUESTS, length);
    const answered = turns(control);
    assertEquals(answered.reduce((a, b) => a + b), REQUESTS);
    const most = Math.max(...answered);
    assert(most > 1, `${most} of ${length} in a turn`);
    assert(
      (most - 1) * length <= DESCRIPTORS,
      `${most} of ${length} in a turn`,
    );
  }
});
