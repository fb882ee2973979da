/**
 * The record and its verdicts as a table for people.
 *
 * @module
 */

import { type CarrierName, CARRIERS, type Case } from "./case.ts";
import type { Row } from "./record.ts";
import { RING_KINDS, type RingKind } from "./ring.ts";
import { ENGINES, isFor } from "./survive.ts";

/** Where the table is. */
export const TABLE_FILE = new URL("./RECORD.md", import.meta.url);

const HEAD = `<!-- deno-fmt-ignore-file -->

# The security record

What broke virtio-crypto and vhost-user backends before, and what this one makes
of it. Every row has a test of its name, "ENGINE survives ID: …", which runs the
row's cases with real workers: in a device of the same process, and in a server
process behind its socket; cases about what a device offers have a device of
their own, in process and behind a socket. PASS counts cases that are legal and were served
rightly; REJECT counts those that were refused by the status, the
acknowledgement or the hang-up that the clause and the documents ask for, or
whose ring was reported to be broken. A case that hangs (WEDGED) or does
anything else (FAIL) fails its test.

The verdicts are the same for every engine: ${
  ENGINES.join(", ")
}. An engine that a
machine lacks is named in one line of the run. A dash says that the row has no
meaning there: messages and memory tables are the socket's, and those that have
nothing to do with rings run once, beside split rings.

After every case another queue has to serve, nothing outside the request's own
writable buffers may have changed, and neither key nor data of another session
may be anywhere in guest memory. After all of them the server holds no more
descriptors and no more memory than before.

\`tests/hostile/write_table.ts\` writes this file from \`tests/hostile/record.ts\`
and the cases in \`tests/hostile/cases/\`. A test fails when a row has no case, or
when this file is not what they say.
`;

/** The columns of verdicts. */
const COLUMNS = CARRIERS.flatMap((carrier) =>
  RING_KINDS.map((kind) => [carrier, kind] as const)
);

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function verdicts(
  cases: readonly Case[],
  carrier: CarrierName,
  kind: RingKind,
): string {
  const here = cases.filter((each) => isFor(each, carrier, kind));
  const counts = (["PASS", "REJECT"] as const).flatMap((verdict) => {
    const count = here.filter((each) => each.verdict === verdict).length;
    return count > 0 ? [`${count} ${verdict}`] : [];
  });
  return counts.join(", ") || "–";
}

/**
 * The table.
 *
 * @param record the rows, in their order
 * @param cases all cases
 * @returns the content of the file
 */
export function tableOf(
  record: readonly Row[],
  cases: readonly Case[],
): string {
  const heads = COLUMNS.map(([carrier, kind]) => `${carrier}, ${kind}`);
  const lines = [
    HEAD,
    `| record | mechanism | what is sent | clause | ${heads.join(" | ")} |`,
    `| --- | --- | --- | --- |${" --- |".repeat(heads.length)}`,
    ...record.map(({ id, mechanism, sends, clause }) => {
      const own = cases.filter(({ row }) => row === id);
      const columns = COLUMNS.map(([carrier, kind]) =>
        verdicts(own, carrier, kind)
      );
      return `| ${
        [id, mechanism, sends, clause, ...columns].map(cell).join(" | ")
      } |`;
    }),
    "",
  ];
  return lines.join("\n");
}
