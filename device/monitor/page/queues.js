/**
 * The table of queues: each with its ring's state and its rates.
 *
 * @module
 */

import { byId, h, Rows, setAttribute, setText, svg } from "./dom.js";
import { byteRate, count, rate } from "./format.js";

const RADIUS = 9;
const TURN = 2 * Math.PI * RADIUS;
/** Seconds, width and height of the small line of throughput. */
const SPARK = { seconds: 60, width: 96, height: 22 };

/** A ring as a ring: what waits in it, from the used index on. */
class RingGlyph {
  #arc = svg("circle", { r: RADIUS, class: "arc" });
  element = svg(
    "svg",
    { class: "ring", viewBox: "-12 -12 24 24", "aria-hidden": "true" },
    svg("circle", { r: RADIUS, class: "track" }),
    this.#arc,
  );

  /** @param {any} ring the ring */
  update(ring) {
    const { size, used, depth } = ring;
    const length = Math.min(1, depth / size) * TURN;
    setAttribute(
      this.#arc,
      "stroke-dasharray",
      `${length.toFixed(2)} ${TURN.toFixed(2)}`,
    );
    const degrees = (used % size) / size * 360 - 90;
    setAttribute(this.#arc, "transform", `rotate(${degrees.toFixed(1)})`);
  }
}

/** The throughput of the last minute as a line. */
class Spark {
  #path = svg("path", { class: "line" });
  element = svg(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${SPARK.width} ${SPARK.height}`,
      "aria-hidden": "true",
    },
    this.#path,
  );

  /** @param {import("./history.js").Series} series the queue's points */
  update(series) {
    const last = series.length - 1;
    if (last < 0) return this.#path.setAttribute("d", "");
    const from = series.time(last) - SPARK.seconds * 1000;
    let first = last;
    let most = 1;
    for (let i = last; i >= 0 && series.time(i) >= from; i--) {
      first = i;
      most = Math.max(most, series.rate(i, "bytes"));
    }
    let d = "";
    for (let i = first; i <= last; i++) {
      const x = (series.time(i) - from) / (SPARK.seconds * 1000) * SPARK.width;
      const y = SPARK.height - 2 -
        series.rate(i, "bytes") / most * (SPARK.height - 4);
      d += `${i === first ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`;
    }
    setAttribute(this.#path, "d", d);
  }
}

function stateOf({ broken, running, enabled }) {
  if (broken !== null) return ["broken", "Broken"];
  if (!running) return ["stopped", "Stopped"];
  return enabled ? ["running", "Running"] : ["stopped", "Disabled"];
}

function ringName({ type, size, inOrder, eventIdx }) {
  const flags = [inOrder ? "IN_ORDER" : "", eventIdx ? "EVENT_IDX" : ""]
    .filter((flag) => flag !== "").join(", ");
  return [`${type}, ${size}`, flags];
}

/** A queue's row. */
class QueueRow {
  element;
  #cells = {};
  #state = h("span", { class: "state" });
  #reason = h("p", { class: "reason" });
  #ring = h("span");
  #flags = h("small");
  #glyph = new RingGlyph();
  #depth = h("span");
  #spark = new Spark();

  constructor({ index, kind }) {
    const number = (name) => this.#cells[name] = h("td", { class: "number" });
    this.element = h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        String(index),
        " ",
        h("small", {}, kind),
      ),
      h("td", { class: "why" }, this.#state, this.#reason),
      h("td", {}, this.#ring, " ", this.#flags),
      number("available"),
      number("used"),
      h(
        "td",
        {},
        h("span", { class: "depth" }, this.#glyph.element, this.#depth),
      ),
      number("requests"),
      number("rate"),
      number("bytes"),
      h("td", {}, this.#spark.element),
      number("batch"),
      number("kicks"),
      number("signals"),
    );
  }

  #set(name, text) {
    setText(this.#cells[name], text);
  }

  update({ queue, series }) {
    const [state, name] = stateOf(queue);
    setAttribute(this.element, "data-state", state);
    setText(this.#state, name);
    setText(this.#reason, queue.broken ?? "");
    this.#showRing(queue.ring);
    this.#set("requests", count(queue.requests));
    this.#set(
      "batch",
      queue.rounds === 0 ? "–" : rate(queue.requests / queue.rounds),
    );
    const last = series.length - 1;
    const of = (name) => last < 0 ? 0 : series.rate(last, name);
    this.#set("rate", rate(of("requests")));
    this.#set("bytes", byteRate(of("bytes")));
    this.#set("kicks", rate(of("kicks")));
    this.#set("signals", rate(of("signals")));
    this.#spark.update(series);
  }

  #showRing(ring) {
    const [name, flags] = ring === null ? ["not set up", ""] : ringName(ring);
    setText(this.#ring, name);
    setText(this.#flags, flags);
    this.#set("available", ring === null ? "–" : String(ring.available));
    this.#set("used", ring === null ? "–" : String(ring.used));
    this.#glyph.element.toggleAttribute("hidden", ring === null);
    setText(this.#depth, ring === null ? "–" : String(ring.depth));
    if (ring !== null) this.#glyph.update(ring);
  }
}

/** The table of queues. */
export class Queues {
  #rows = new Rows(byId("queue-rows"), ({ queue }) => new QueueRow(queue));

  /**
   * Shows a device's queues.
   *
   * @param {number} index the device's index
   * @param {any} device the device
   * @param {import("./history.js").History} history their rates
   */
  update(index, device, history) {
    const rows = device.queues.map((queue) => ({
      queue,
      series: history.series(index, queue.index),
    }));
    this.#rows.show(
      rows,
      ({ queue }) => `${index}/${queue.index}/${queue.kind}`,
    );
    const broken = device.queues.filter(({ broken }) => broken !== null)
      .map(({ index }) => index);
    setText(
      byId("queue-note"),
      broken.length === 0
        ? ""
        : `Broken: queue${broken.length === 1 ? "" : "s"} ${broken.join(", ")}`,
    );
  }
}
