/**
 * The table of algorithms: what each served, over all queues of a device.
 *
 * @module
 */

import { below } from "./charts.js";
import { byId, h, Rows, setText } from "./dom.js";
import { byteRate, bytes, count, rate } from "./format.js";
import { BUCKETS } from "./history.js";

/** Adds up a device's algorithms over its queues. */
function sumOf(device) {
  const sums = new Map();
  for (const { kind, algorithms } of device.queues) {
    if (kind !== "data") continue;
    for (const { service, algorithm, requests, bytes, latency } of algorithms) {
      const key = `${service}/${algorithm}`;
      const sum = sums.get(key) ?? {
        key,
        service,
        algorithm,
        requests: 0,
        bytes: 0,
        latency: new Array(BUCKETS).fill(0),
      };
      sum.requests += requests;
      sum.bytes += bytes;
      latency.forEach((value, i) => sum.latency[i] += value);
      sums.set(key, sum);
    }
  }
  return sums;
}

function createRow({ service, algorithm }) {
  const cells = Array.from({ length: 6 }, () => h("td", { class: "number" }));
  return {
    element: h(
      "tr",
      {},
      h("th", { scope: "row" }, algorithm ?? "none"),
      h("td", {}, service ?? "–"),
      ...cells,
    ),
    update: ({ requests, bytes: size, latency, rates }) => {
      [
        count(requests),
        bytes(size),
        rate(rates.requests),
        byteRate(rates.bytes),
        below(latency, 0.5),
        below(latency, 0.99),
      ].forEach((text, i) => setText(cells[i], text));
    },
  };
}

/** The table of algorithms. */
export class Algorithms {
  #rows = new Rows(byId("algorithm-rows"), createRow);
  #before = { index: -1, started: 0, time: 0, sums: new Map() };

  /**
   * Shows a device's algorithms.
   *
   * @param {any} snapshot the snapshot
   * @param {number} index the device's index in it
   */
  update(snapshot, index) {
    const { started, time } = snapshot;
    const before = this.#before;
    const known = before.index === index && before.started === started;
    // Drawn again without a new snapshot.
    if (known && before.time === time) return;
    const sums = sumOf(snapshot.devices[index]);
    const seconds = (time - before.time) / 1000;
    const rateOf = (key, name) => {
      const last = known ? before.sums.get(key) : undefined;
      const now = sums.get(key)[name];
      return last === undefined || now < last[name] || seconds <= 0
        ? 0
        : (now - last[name]) / seconds;
    };
    const list = [...sums.values()].sort((a, b) => b.requests - a.requests);
    this.#rows.show(
      list.map((sum) => ({
        ...sum,
        rates: {
          requests: rateOf(sum.key, "requests"),
          bytes: rateOf(sum.key, "bytes"),
        },
      })),
      ({ key }) => key,
    );
    byId("no-algorithms").hidden = list.length > 0;
    this.#before = { index, started, time, sums };
  }
}
