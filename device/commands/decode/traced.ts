/**
 * A request of a trace, decoded: what the device made of it is known.
 *
 * @module
 */

import { ENGINE_NAMES, openEngines } from "../../engine/engines.ts";
import { decodeData } from "../../explain/data_view.ts";
import { problemsOf } from "../../explain/logged.ts";
import { readingOf } from "../../explain/reading.ts";
import { Capabilities } from "../../service/capabilities.ts";
import { loggedFrom, type TraceRequest } from "../../trace/format.ts";
import { readTrace } from "../../trace/reader.ts";
import { openTrace } from "../trace_file.ts";
import { isGood, reportLines, type Verdict } from "./report.ts";

/** A request of a trace as lines. */
export interface TracedReport {
  /** The lines without their ends. */
  readonly lines: readonly string[];
  /** Whether the device served it. */
  readonly served: boolean;
}

async function findLine(
  file: string,
  number: number,
): Promise<{ request: TraceRequest; maxSize: number; queues: number }> {
  const { head, lines } = await readTrace(openTrace(file), file);
  let last = 1;
  for await (const { number: at, line } of lines) {
    last = at;
    if (at < number) continue;
    if (at > number || "lost" in line) break;
    const { maxSize, queues } = head;
    return { request: line, maxSize, queues };
  }
  throw new Error(
    `Cannot decode line ${number} of ${file}: ${
      last < number ? `there are ${last}` : "it is not that of a request"
    }`,
  );
}

/**
 * Decodes a request of a trace.
 *
 * @param file the trace
 * @param number the line, from 1
 * @returns the request for people, and what the device answered
 * @throws {Error} The file cannot be read, is no trace, or has no such line
 */
export async function tracedReport(
  file: string,
  number: number,
): Promise<TracedReport> {
  const { request, maxSize, queues } = await findLine(file, number);
  const logged = loggedFrom(request);
  const capabilities = new Capabilities(
    openEngines(ENGINE_NAMES),
    logged.layout.services,
  );
  const { readable, writable, session, status } = logged;
  const problems = problemsOf(logged, { capabilities, maxSize, queues });
  const decoded = decodeData(logged.head, readingOf(logged.layout), {
    capabilities,
    maxSize,
    queues,
    readable,
    writable,
    session,
  });
  const verdict: Verdict = {
    status,
    reason: problems[0],
    condition: undefined,
    answered: true,
  };
  const lines = reportLines({
    ...decoded,
    // Padding is not in a trace.
    structures: logged.head.length === 0 ? [] : decoded.structures.map(
      ({ fields, ...structure }) => ({
        ...structure,
        fields: fields.filter(({ padding }) => !padding),
      }),
    ),
    problems: problems.map((text) => ({ status, field: "", text })),
  }, verdict);
  return { lines: [...lines], served: isGood(verdict) };
}
