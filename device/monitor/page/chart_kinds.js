/**
 * What charts draw: an area, stacked bars, and a histogram over time.
 *
 * @module
 */

import { svg } from "./dom.js";
import { bound, rounded } from "./format.js";
import { BUCKETS, quantile } from "./history.js";

/**
 * Where a kind draws.
 *
 * @typedef {object} Space
 * @property {import("./history.js").Series} series the points
 * @property {number} first the first visible one
 * @property {(time: number) => number} x the place of a time
 * @property {number} height the plot's height
 * @property {SVGElement} group what to draw into
 */

/** A line is broken where nothing was heard for so long. */
const GAP_SECONDS = 5;

/** The smallest of 1, 2, 5, 10, 20 … that is not below a value. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

function linearTicks(top, height, format) {
  return [0, 0.5, 1].map((share) => ({
    y: height * (1 - share),
    label: rounded(format(top * share)),
  }));
}

/** The highest value of the visible points; at least a floor. */
function highest({ series, first }, valueOf, floor) {
  let most = floor;
  for (let i = first; i < series.length; i++) {
    most = Math.max(most, valueOf(series, i));
  }
  return most;
}

/**
 * One value over time, as an area.
 *
 * @param {(series: any, i: number) => number} valueOf a point's value
 * @param {(value: number) => string} format the value for people
 * @returns {(space: Space) => {y: number, label: string}[]} draws, and tells
 * the ticks
 */
export function area(valueOf, format) {
  return (space) => {
    const { series, first, x, height, group } = space;
    const top = roundUp(highest(space, valueOf, 1));
    let line = "";
    let fill = "";
    let start = "";
    let last = "";
    const close = () => {
      if (start !== "") fill += `V${height}H${start}Z`;
    };
    for (let i = first; i < series.length; i++) {
      const at = x(series.time(i)).toFixed(1);
      const y = (height * (1 - valueOf(series, i) / top)).toFixed(1);
      const broken = start === "" || series.seconds(i) > GAP_SECONDS;
      if (broken) {
        close();
        start = at;
        fill += `M${at},${y}`;
      } else fill += `L${at},${y}`;
      line += `${broken ? "M" : "L"}${at},${y}`;
      last = y;
    }
    close();
    group.append(
      svg("path", { d: fill, class: "fill" }),
      svg("path", { d: line, class: "line" }),
    );
    if (last !== "") {
      group.append(svg("circle", {
        cx: x(series.time(series.length - 1)),
        cy: last,
        r: 2.5,
        class: "dot",
      }));
    }
    return linearTicks(top, height, format);
  };
}

/**
 * Several values over time, as bars on top of each other.
 *
 * @param {readonly {name: string, valueOf: (series: any, i: number) => number}[]}
 * parts the values, the lowest first
 * @param {(value: number) => string} format a value for people
 * @returns {(space: Space) => {y: number, label: string}[]} draws, and tells
 * the ticks
 */
export function bars(parts, format) {
  const sum = (series, i) =>
    parts.reduce((total, { valueOf }) => total + valueOf(series, i), 0);
  return (space) => {
    const { series, first, x, height, group } = space;
    const top = roundUp(highest(space, sum, 1));
    const paths = parts.map(() => "");
    for (let i = first; i < series.length; i++) {
      const [left, slotWidth] = slot(space, i, x);
      const width = Math.max(slotWidth - (slotWidth > 4 ? 1 : 0), 1);
      let y = height;
      parts.forEach(({ valueOf }, part) => {
        const value = valueOf(series, i);
        if (value <= 0) return;
        // What is there is seen, however little it is.
        const tall = Math.max(height * value / top, 1.5);
        y -= tall;
        paths[part] += rectangle(left, y, width, tall);
      });
    }
    parts.forEach(({ name }, part) => {
      if (paths[part] === "") return;
      group.append(svg("path", { d: paths[part], class: `part ${name}` }));
    });
    return linearTicks(top, height, format);
  };
}

/** Left end and width of the time that a point is of. */
function slot({ series }, i, x) {
  const end = series.time(i);
  const seconds = Math.min(series.seconds(i), GAP_SECONDS);
  const left = x(end - seconds * 1000);
  return [left, x(end) - left];
}

function rectangle(x, y, width, height) {
  return `M${x.toFixed(1)},${y.toFixed(1)}h${width.toFixed(1)}v${
    height.toFixed(1)
  }h${(-width).toFixed(1)}Z`;
}

/** Shares of a second's requests at which a cell gets darker. */
const SHADES = [0, 0.01, 0.05, 0.2, 0.5];
/** Rows that a histogram has at least. */
const ROWS = 8;

/** The buckets that are used by the visible points, with some around them. */
function usedBuckets({ series, first }) {
  let low = BUCKETS;
  let high = -1;
  for (let i = first; i < series.length; i++) {
    series.latency(i).forEach((requests, bucket) => {
      if (requests === 0) return;
      low = Math.min(low, bucket);
      high = Math.max(high, bucket);
    });
  }
  if (high < 0) [low, high] = [4, 10];
  low = Math.max(0, low - 1);
  high = Math.min(BUCKETS - 1, high + 1);
  while (high - low + 1 < ROWS) {
    if (high < BUCKETS - 1) high++;
    if (high - low + 1 < ROWS && low > 0) low--;
  }
  return [low, high];
}

/**
 * The histogram of latency over time, and the line below which 99 % lie.
 *
 * @returns {(space: Space) => {y: number, label: string}[]} draws, and tells
 * the ticks
 */
export function histogram() {
  return (space) => {
    const { series, first, x, height, group } = space;
    const [low, high] = usedBuckets(space);
    const tall = height / (high - low + 1);
    const topOf = (bucket) => (high - bucket) * tall;
    const paths = SHADES.map(() => "");
    let line = "";
    for (let i = first; i < series.length; i++) {
      const latency = series.latency(i);
      const total = latency.reduce((sum, requests) => sum + requests, 0);
      if (total === 0) continue;
      const [left, width] = slot(space, i, x);
      latency.forEach((requests, bucket) => {
        if (requests === 0) return;
        const shade = SHADES.findLastIndex((share) => requests / total > share);
        paths[shade] += rectangle(left, topOf(bucket), width, tall - 1);
      });
      const p99 = quantile(latency, 0.99);
      const bucket = p99 === Infinity
        ? BUCKETS - 1
        : Math.round(Math.log2(p99 / 1000));
      line += `M${left.toFixed(1)},${topOf(bucket).toFixed(1)}h${
        width.toFixed(1)
      }`;
    }
    paths.forEach((d, shade) => {
      if (d !== "") group.append(svg("path", { d, class: `heat-${shade}` }));
    });
    group.append(svg("path", { d: line, class: "p99" }));
    const step = Math.ceil((high - low + 1) / 4);
    const ticks = [];
    for (let bucket = low; bucket <= high; bucket += step) {
      ticks.push({
        y: topOf(bucket),
        label: bound(2 ** bucket * 1000),
      });
    }
    return ticks;
  };
}
