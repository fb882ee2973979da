/**
 * Reads a trace.
 *
 * @module
 */

import type { TraceHead, TraceLine } from "./format.ts";

/** A line with its number. */
export interface NumberedLine {
  /** Number of the line in its file, from 1. */
  readonly number: number;
  /** What it says. */
  readonly line: TraceLine;
}

/** It is no trace, or a line of it is none. */
export class TraceError extends Error {
  /** "TraceError". */
  override readonly name = "TraceError";
}

/** Lines of a file that may end in the middle of one. */
async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ text: string; whole: boolean }> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const text of lines) yield { text, whole: true };
  }
  if (rest !== "") yield { text: rest, whole: false };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHead(value: unknown): value is TraceHead {
  return isRecord(value) && value.trace === "virtio-crypto" &&
    value.version === 1 && Array.isArray(value.devices) &&
    Number.isInteger(value.queues) && Number.isInteger(value.maxSize) &&
    typeof value.started === "number";
}

const NUMBERS = ["device", "queue"] as const;
const REQUEST_NUMBERS = [
  ...NUMBERS,
  "sequence",
  "time",
  "ns",
  "round",
  "readable",
  "writable",
  "fault",
] as const;

function isLine(value: unknown): value is TraceLine {
  if (!isRecord(value)) return false;
  const isNumber = (name: string) => typeof value[name] === "number";
  if ("lost" in value) return isNumber("lost") && NUMBERS.every(isNumber);
  return REQUEST_NUMBERS.every(isNumber) && isRecord(value.header) &&
    isRecord(value.negotiated) &&
    ["legacy", "v15", "revision1"].includes(String(value.negotiated.kind));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A trace that is being read. */
export interface OpenTrace {
  /** Its first line. */
  readonly head: TraceHead;
  /** The lines behind it; one that was cut short at the end is left out. */
  readonly lines: AsyncGenerator<NumberedLine>;
}

/**
 * Starts to read a trace.
 *
 * @param chunks the file's bytes
 * @param name what to call the file, for errors
 * @returns its head and its lines
 * @throws {TraceError} It is no trace; also while its lines are read
 */
export async function readTrace(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): Promise<OpenTrace> {
  const lines = linesOf(chunks);
  const first = await lines.next();
  const head = first.done ? undefined : parsed(first.value.text);
  if (!isHead(head)) {
    throw new TraceError(
      `Cannot read ${name} as a trace: its first line is not that of one`,
    );
  }
  return { head, lines: numbered(lines, name) };
}

async function* numbered(
  lines: AsyncIterable<{ text: string; whole: boolean }>,
  name: string,
): AsyncGenerator<NumberedLine> {
  let number = 1;
  for await (const { text, whole } of lines) {
    number++;
    const line = parsed(text);
    if (isLine(line)) yield { number, line };
    else if (whole) {
      throw new TraceError(
        `Cannot read ${name} as a trace: its line ${number} is not that of a request`,
      );
    }
  }
}
