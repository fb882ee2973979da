/**
 * The charts of the overview.
 *
 * @module
 */

import { Chart, Cursor } from "./chart.js";
import { area, bars, histogram } from "./chart_kinds.js";
import { byId, h } from "./dom.js";
import { bound, byteRate, count, rate } from "./format.js";
import { BUCKETS, quantile, STATUSES } from "./history.js";

/**
 * A time below which a share lies, for people.
 *
 * @param {ArrayLike<number>} latency requests by bucket
 * @param {number} share the share, 0 to 1
 * @returns {string} as in "< 64 µs"
 */
export function below(latency, share) {
  const ns = quantile(latency, share);
  if (ns === null) return "–";
  if (ns === Infinity) return `≥ ${bound(2 ** (BUCKETS - 2) * 1000)}`;
  return `< ${bound(ns)}`;
}

/** The highest value of what is visible, in a line. */
function peak(valueOf, format) {
  return (series, first) => {
    let most = 0;
    let sum = 0;
    for (let i = first; i < series.length; i++) {
      most = Math.max(most, valueOf(series, i));
      sum += valueOf(series, i);
    }
    const points = series.length - first;
    if (points === 0) return [h("p", {}, "Waiting for the first second")];
    return [h("p", {}, `peak ${format(most)}, mean ${format(sum / points)}`)];
  };
}

function simpleChart(id, title, name, format, cursor) {
  const valueOf = (series, i) => series.rate(i, name);
  return new Chart({
    id,
    title,
    cursor,
    draw: area(valueOf, format),
    headline: (series, i) => format(valueOf(series, i)),
    details: (series, i) => [[title, format(valueOf(series, i))]],
    foot: peak(valueOf, format),
  });
}

const perSecond = (value) => `${rate(value)}/s`;

/** The charts of the overview. */
export class Charts {
  #charts;
  #totals = STATUSES.map(() => 0);

  constructor() {
    const cursor = new Cursor();
    this.#charts = [
      simpleChart("chart-bytes", "Throughput", "bytes", byteRate, cursor),
      simpleChart("chart-requests", "Requests", "requests", perSecond, cursor),
      this.#statuses(cursor),
      this.#latency(cursor),
    ];
    byId("charts").append(...this.#charts.map(({ element }) => element));
  }

  #statuses(cursor) {
    const refused = STATUSES.map((name, status) => ({
      name,
      valueOf: (series, i) => series.statusRate(i, status),
    })).slice(1);
    const sum = (series, i) =>
      refused.reduce((total, { valueOf }) => total + valueOf(series, i), 0);
    return new Chart({
      id: "chart-statuses",
      title: "Statuses",
      about: "other than OK",
      cursor,
      draw: bars(refused, perSecond),
      headline: (series, i) => perSecond(sum(series, i)),
      details: (series, i) =>
        STATUSES.map((name, status) => [name, series.statusRate(i, status)])
          .filter(([name, value]) => name === "OK" || value > 0)
          .map(([name, value]) => [name, perSecond(value)]),
      foot: () => [this.#legend()],
    });
  }

  #legend() {
    const shown = STATUSES.map((name, i) => [name, this.#totals[i]])
      .filter(([name, total]) => name === "OK" || total > 0);
    return h(
      "ul",
      { class: "legend", "aria-label": "Answers since the start" },
      ...shown.map(([name, total]) =>
        h(
          "li",
          {},
          h("span", { class: `key ${name}` }),
          `${name} `,
          h("b", {}, count(total)),
        )
      ),
    );
  }

  #latency(cursor) {
    return new Chart({
      id: "chart-latency",
      title: "Latency",
      about: "of the round",
      cursor,
      draw: histogram(),
      headline: (series, i) => `p99 ${below(series.latency(i), 0.99)}`,
      details: (series, i) => [
        ["p50", below(series.latency(i), 0.5)],
        ["p99", below(series.latency(i), 0.99)],
        ["all", below(series.latency(i), 1)],
      ],
      foot: (series) => {
        const latency = series.length === 0
          ? []
          : series.latency(series.length - 1);
        return [h(
          "ul",
          { class: "legend" },
          h("li", {}, h("span", { class: "key heat" }), "requests"),
          h("li", {}, h("span", { class: "key p99" }), "p99"),
          h("li", {}, "p50 ", h("b", {}, below(latency, 0.5))),
        )];
      },
    });
  }

  /**
   * Shows the last seconds.
   *
   * @param {import("./history.js").Series} series the points
   * @param {readonly any[]} queues the queues they are of
   * @param {number} seconds how far back
   */
  update(series, queues, seconds) {
    this.#totals = STATUSES.map((name) =>
      queues.reduce((sum, queue) => sum + (queue.statuses[name] ?? 0), 0)
    );
    for (const chart of this.#charts) chart.update(series, seconds);
  }
}
