/**
 * The requests that wait to be shown, and how many there were besides.
 *
 * @module
 */

import type { Capabilities } from "../service/capabilities.ts";
import type { LoggedRequest } from "../service/request_log.ts";
import type { DeviceSnapshot } from "../vhost_user/snapshot.ts";
import type { RequestSink } from "./request_feed.ts";
import { type RequestRecord, requestRecord } from "./request_record.ts";

/** What requests are explained by. */
export interface Explanation {
  /** What the devices serve. */
  readonly capabilities: Capabilities;
  /** The devices. */
  readonly devices: readonly DeviceSnapshot[];
}

/** What a "requests" event brings. */
export interface RequestBatch {
  /** Requests that are not among them. */
  readonly dropped: number;
  /** Requests, the oldest first. */
  readonly requests: readonly RequestRecord[];
}

/** Collects requests between two events. */
export class RequestSample implements RequestSink {
  readonly full = false;
  readonly #explanation: () => Explanation;
  #requests: { logged: LoggedRequest; device: number; queue: number }[] = [];
  #dropped = 0;
  /** The last sequence of each queue, by device and queue. */
  readonly #last = new Map<string, number>();

  /** @param explanation what to explain requests by; asked when there are any */
  constructor(explanation: () => Explanation) {
    this.#explanation = explanation;
  }

  request(logged: LoggedRequest, device: number, queue: number): void {
    const key = `${device} ${queue}`;
    const last = this.#last.get(key) ?? logged.sequence - 1;
    this.#dropped += logged.sequence - last - 1;
    this.#last.set(key, logged.sequence);
    this.#requests.push({ logged, device, queue });
  }

  lost(): void {
    // The sequence of the next request tells.
  }

  /**
   * Takes what was collected.
   *
   * @returns the requests; undefined where there are none
   */
  take(): RequestBatch | undefined {
    const taken = this.#requests;
    if (taken.length === 0) return undefined;
    const dropped = this.#dropped;
    this.#requests = [];
    this.#dropped = 0;
    const { capabilities, devices } = this.#explanation();
    const requests = taken
      .sort((a, b) => a.logged.time - b.logged.time)
      .map(({ logged, device, queue }) => {
        const { maxSize, queues } = devices[device]!;
        return requestRecord(logged, device, queue, {
          capabilities,
          maxSize,
          queues: queues.length,
        });
      });
    return { dropped, requests };
  }
}
