/**
 * The frame of a chart over time: axes, a cursor for mouse and keyboard, and
 * what the cursor is on, in words.
 *
 * @module
 */

import { h, setText, svg } from "./dom.js";
import { clock, span } from "./format.js";
import { Series } from "./history.js";

const HEIGHT = 112;
const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;

/** Points that PageUp and PageDown move by. */
const PAGE = 10;

/** A time that all charts mark together. */
export class Cursor {
  /** Milliseconds of the epoch; null: no mark; Infinity: the newest point. */
  time = null;
  /** @type {Chart | null} the chart that says what is there */
  owner = null;
  /** @type {Set<Chart>} */
  charts = new Set();

  /**
   * Moves the mark.
   *
   * @param {number | null} time where to
   * @param {Chart | null} owner who says what is there
   */
  move(time, owner) {
    this.time = time;
    this.owner = owner;
    for (const chart of this.charts) chart.drawCursor();
  }
}

/** A chart over time. */
export class Chart {
  /** The element to put into the page. */
  element;
  #options;
  #series = new Series();
  #seconds = 60;
  #width = 300;
  #first = 0;
  #now = h("p", { class: "now" });
  #foot = h("div", { class: "foot" });
  #tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
  #svg = svg("svg", { "aria-hidden": "true", height: TOP + HEIGHT + BOTTOM });
  #grid = svg("g", { class: "grid" });
  #paint = svg("g", { transform: `translate(0 ${TOP})` });
  #cross = svg("line", { class: "cross", y1: TOP, y2: TOP + HEIGHT });
  #plot;

  /**
   * @param {object} options what it shows
   * @param {string} options.id its id in the page
   * @param {string} options.title what it is called
   * @param {string} [options.about] what exactly that is
   * @param {(space: any) => {y: number, label: string}[]} options.draw draws
   * the points
   * @param {(series: Series, i: number) => string} options.headline the newest
   * point in a word
   * @param {(series: Series, i: number) => [string, string][]} options.details
   * a point, as names and values
   * @param {(series: Series, first: number) => (Node | string)[]} options.foot
   * what stands below
   * @param {Cursor} options.cursor the mark
   */
  constructor(options) {
    this.#options = options;
    const { id, title, about, cursor } = options;
    this.#svg.append(this.#grid, this.#paint, this.#cross);
    this.#plot = h(
      "div",
      {
        class: "plot",
        tabindex: 0,
        role: "slider",
        "aria-label": `${title} over time`,
        "aria-valuemin": 0,
        "aria-valuemax": 0,
        "aria-valuenow": 0,
        "aria-valuetext": "No figures yet",
        focus: () => this.#moveTo(Infinity),
        blur: () => cursor.move(null, null),
        keydown: (event) => this.#key(event),
        pointermove: (event) => this.#point(event),
        pointerleave: () => cursor.move(null, null),
      },
      this.#svg,
      this.#tip,
    );
    this.element = h(
      "figure",
      { class: "chart", id },
      h(
        "figcaption",
        {},
        h("h3", {}, title, about === undefined ? null : h("small", {}, about)),
        this.#now,
      ),
      this.#plot,
      this.#foot,
    );
    cursor.charts.add(this);
    new ResizeObserver(([entry]) => {
      this.#width = Math.max(160, Math.floor(entry.contentRect.width));
      this.#svg.setAttribute("width", this.#width);
      this.#draw();
    }).observe(this.#plot);
  }

  /**
   * Shows points.
   *
   * @param {Series} series the points
   * @param {number} seconds how far back
   */
  update(series, seconds) {
    this.#series = series;
    this.#seconds = seconds;
    this.#draw();
  }

  #newest() {
    return this.#series.length === 0
      ? Date.now()
      : this.#series.time(this.#series.length - 1);
  }

  #x(time) {
    const from = this.#newest() - this.#seconds * 1000;
    const share = (time - from) / (this.#seconds * 1000);
    return LEFT + Math.max(0, share) * (this.#width - LEFT - RIGHT);
  }

  #draw() {
    const series = this.#series;
    const from = this.#newest() - this.#seconds * 1000;
    let first = series.length;
    while (first > 0 && series.time(first - 1) >= from) first--;
    this.#first = first;
    this.#paint.replaceChildren();
    const ticks = this.#options.draw({
      series,
      first,
      x: (time) => this.#x(time),
      height: HEIGHT,
      group: this.#paint,
    });
    this.#drawGrid(ticks);
    const last = series.length - 1;
    setText(
      this.#now,
      last < 0 ? "–" : this.#options.headline(series, last),
    );
    this.#foot.replaceChildren(...this.#options.foot(series, first));
    this.drawCursor();
  }

  #drawGrid(ticks) {
    const right = this.#width - RIGHT;
    const lines = ticks.map(({ y, label }) => [
      svg("line", { x1: LEFT, x2: right, y1: TOP + y, y2: TOP + y }),
      svg("text", { x: LEFT - 8, y: TOP + y + 4, class: "y" }, label),
    ]);
    const quarter = this.#width < 320 ? 2 : 4;
    const times = Array.from({ length: quarter + 1 }, (_, i) => {
      const ago = this.#seconds * (1 - i / quarter);
      const label = ago === 0
        ? "now"
        : this.#seconds <= 60
        ? `−${ago} s`
        : `−${(ago / 60).toFixed(ago % 60 === 0 ? 0 : 2)} min`;
      return svg("text", {
        x: LEFT + (right - LEFT) * i / quarter,
        y: TOP + HEIGHT + 16,
        class: i === 0 ? "start" : i === quarter ? "end" : "middle",
      }, label);
    });
    this.#grid.replaceChildren(...lines.flat(), ...times);
  }

  /** The visible point next to the mark; -1 without one. */
  #marked() {
    const { time } = this.#options.cursor;
    const series = this.#series;
    if (time === null || series.length === this.#first) return -1;
    let best = series.length - 1;
    for (let i = this.#first; i < series.length; i++) {
      if (
        Math.abs(series.time(i) - time) < Math.abs(series.time(best) - time)
      ) {
        best = i;
      }
    }
    return best;
  }

  /** Draws the mark where it is now. */
  drawCursor() {
    const i = this.#marked();
    const mine = this.#options.cursor.owner === this;
    this.#cross.toggleAttribute("hidden", i < 0);
    this.#tip.hidden = i < 0 || !mine;
    if (i < 0) return;
    const x = this.#x(this.#series.time(i));
    this.#cross.setAttribute("x1", x);
    this.#cross.setAttribute("x2", x);
    if (!mine) return;
    const ago = Math.round((this.#newest() - this.#series.time(i)) / 1000);
    this.#tip.replaceChildren(
      h(
        "p",
        {},
        clock(this.#series.time(i)).slice(0, 8),
        ago === 0 ? "" : `, ${ago} s ago`,
      ),
      ...this.#options.details(this.#series, i).map(([name, value]) =>
        h("p", {}, h("span", {}, name), " ", h("b", {}, value))
      ),
    );
    const room = this.#width - this.#tip.offsetWidth;
    const left = x + 10 > room ? x - 10 - this.#tip.offsetWidth : x + 10;
    this.#tip.style.left = `${Math.max(0, left)}px`;
  }

  /** Moves the mark to a time and tells it to a screen reader. */
  #moveTo(time) {
    this.#options.cursor.move(time, this);
    const i = this.#marked();
    if (i < 0) return;
    const ago = (this.#newest() - this.#series.time(i)) / 1000;
    const when = ago < 0.5 ? "now" : `${span(ago * 1000)} ago`;
    const what = this.#options.details(this.#series, i)
      .map((pair) => pair.join(" ")).join(", ");
    this.#plot.setAttribute(
      "aria-valuemax",
      this.#series.length - 1 - this.#first,
    );
    this.#plot.setAttribute("aria-valuenow", i - this.#first);
    this.#plot.setAttribute("aria-valuetext", `${when}: ${what}`);
  }

  #key(event) {
    const last = this.#series.length - 1;
    const i = this.#marked() < 0 ? last : this.#marked();
    const to = {
      ArrowLeft: i - 1,
      ArrowDown: i - 1,
      ArrowRight: i + 1,
      ArrowUp: i + 1,
      PageDown: i - PAGE,
      PageUp: i + PAGE,
      Home: this.#first,
      End: last,
    }[event.key];
    if (event.key === "Escape") this.#options.cursor.move(null, null);
    if (to === undefined || last < 0) return;
    event.preventDefault();
    const at = Math.min(Math.max(to, this.#first), last);
    this.#moveTo(at === last ? Infinity : this.#series.time(at));
  }

  #point(event) {
    const x = event.clientX - this.#svg.getBoundingClientRect().left;
    const share = (x - LEFT) / (this.#width - LEFT - RIGHT);
    const time = this.#newest() - this.#seconds * 1000 * (1 - share);
    this.#options.cursor.move(time, this);
  }
}
