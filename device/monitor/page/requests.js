/**
 * The list of the last requests, and the one that is chosen in it.
 *
 * @module
 */

import { byId, h, Rows, setText } from "./dom.js";
import { clock, count, duration, plural } from "./format.js";
import { badge, showDetail } from "./request_detail.js";
import { filterOf, isBad, problemsOf, RequestLog } from "./request_log.js";

/** Rows in the list. */
const SHOWN = 200;
/** Rows that PageUp and PageDown move by. */
const PAGE = 10;
/** Milliseconds between two drawings of the list: it is to be read. */
const PERIOD_MS = 250;

/** What a request was, in a word or two. */
function titleOf({ service, algorithm, operation }) {
  if (algorithm === null) {
    return [operation?.replace("VIRTIO_CRYPTO_", "") ?? "no header", ""];
  }
  const direction = /_(EN|DE)CRYPT$/.exec(operation ?? "")?.[0].slice(1) ?? "";
  return [algorithm, `${service ?? ""} ${direction.toLowerCase()}`.trim()];
}

function createRow(request) {
  const { sequence, time, queue, readable, writable, ns, status } = request;
  const [title, kind] = titleOf(request);
  const [wrong, ...more] = problemsOf(request);
  return {
    element: h(
      "tr",
      { class: isBad(request) ? "bad" : null, "data-key": request.key },
      h(
        "th",
        { scope: "row", class: "number" },
        h("button", { type: "button", class: "link", tabindex: -1 }, sequence),
      ),
      h("td", { class: "wide" }, clock(time)),
      h("td", { class: "number wide" }, queue),
      h(
        "td",
        { class: "what" },
        h("span", { class: "name" }, title),
        " ",
        h("small", {}, kind),
        wrong === undefined ? null : h(
          "p",
          { class: "reason" },
          wrong,
          more.length > 0 ? ` (and ${more.length} more)` : "",
        ),
      ),
      h(
        "td",
        { class: "number wide" },
        `${count(readable)} → ${count(writable)}`,
      ),
      h("td", { class: "number wide" }, duration(ns)),
      h("td", {}, badge(status)),
    ),
  };
}

/** The list of the last requests. */
export class Requests {
  #log = new RequestLog();
  #filters = byId("filters");
  #body = byId("request-rows");
  #pause = byId("pause");
  #rows = new Rows(this.#body, createRow);
  #list = [];
  #device = 0;
  #chosen = null;
  #timer = 0;
  /** The row that Tab comes to. */
  #stop = null;

  constructor() {
    this.#filters.addEventListener("input", () => this.#draw());
    this.#filters.addEventListener("submit", (event) => event.preventDefault());
    this.#pause.addEventListener("click", () => {
      if (this.#log.paused) this.#log.resume();
      else this.#log.pause();
      this.#draw();
    });
    this.#body.addEventListener("focusin", () => this.#hold());
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    byId("detail").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#back();
    });
    this.#choose(null);
    this.#draw();
  }

  /**
   * Takes requests in.
   *
   * @param {any} batch what the server sent
   */
  add(batch) {
    this.#log.add(batch);
    this.#timer ||= setTimeout(() => this.#draw(), PERIOD_MS);
  }

  /**
   * Begins anew when the server did, and offers the queues there are.
   *
   * @param {any} snapshot the snapshot
   * @param {number} index the device whose requests are shown
   */
  update(snapshot, index) {
    this.#log.from(snapshot.started);
    const queue = this.#filters.elements.queue;
    const names = snapshot.devices[index].queues
      .filter(({ kind }) => kind === "data").map(({ index }) => String(index));
    offer(queue, names);
    if (this.#device !== index) {
      this.#device = index;
      this.#draw();
    }
  }

  /** A list that somebody is in stands still. */
  #hold() {
    if (this.#log.paused) return;
    this.#log.pause();
    this.#draw();
  }

  #wanted() {
    const { status, queue, service, text, problems } = this.#filters.elements;
    const wanted = filterOf({
      status: status.value,
      queue: queue.value,
      service: service.value,
      text: text.value,
      problems: problems.checked,
    });
    return (request) => request.device === this.#device && wanted(request);
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { paused } = this.#log;
    setText(this.#pause, paused ? "Resume" : "Pause");
    this.#pause.classList.toggle("on", paused);
    this.#list = this.#log.list(this.#wanted(), SHOWN);
    this.#rows.show(this.#list, ({ key }) => key);
    this.#mark();
    setText(byId("log-note"), this.#note());
    const empty = byId("no-requests");
    empty.hidden = this.#list.length > 0;
    setText(
      empty,
      this.#log.seen === 0
        ? "No request has come since this page was opened."
        : "No request passes the filter.",
    );
  }

  #note() {
    const { paused, seen, dropped, waiting } = this.#log;
    const parts = [
      dropped === 0
        ? `${plural(seen, "request")} recorded`
        : `a sample of ${count(seen)} of ${plural(seen + dropped, "request")}`,
    ];
    if (paused) parts.unshift(`paused, ${plural(waiting, "newer request")}`);
    if (this.#list.length === SHOWN) parts.push(`the last ${SHOWN} are listed`);
    const note = parts.join("; ");
    return note[0].toUpperCase() + note.slice(1);
  }

  /** Marks the chosen row, and makes one row reachable by Tab. */
  #mark() {
    const rows = [...this.#body.children];
    const key = this.#chosen?.key;
    const current = rows.find((row) => row.dataset.key === key);
    const stop = rows.includes(this.#stop) ? this.#stop : current ?? rows[0];
    this.#stop = stop;
    for (const row of rows) {
      const button = row.querySelector("button");
      button.tabIndex = row === stop ? 0 : -1;
      if (row === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      row.classList.toggle("chosen", row === current);
    }
  }

  #choose(request) {
    this.#chosen = request;
    return showDetail(byId("detail"), request, () => this.#close());
  }

  #chooseRow(row) {
    const request = this.#list.find(({ key }) => key === row.dataset.key);
    this.#stop = row;
    const heading = this.#choose(request);
    this.#mark();
    return heading;
  }

  #close() {
    this.#choose(null);
    this.#mark();
    this.#stop?.querySelector("button").focus();
  }

  /** From the detail to its row. */
  #back() {
    this.#stop?.querySelector("button").focus();
  }

  #click(event) {
    const row = event.target.closest("tr");
    if (row === null) return;
    this.#hold();
    const heading = this.#chooseRow(row);
    const button = row.querySelector("button");
    // A click that the keyboard made, or one on the number, is Enter.
    if (event.detail === 0) return heading.focus();
    button.focus({ preventScroll: true });
    const { top } = heading.getBoundingClientRect();
    if (top < 0 || top > innerHeight - 80) heading.scrollIntoView();
  }

  #key(event) {
    const rows = [...this.#body.children];
    const i = rows.indexOf(event.target.closest("tr"));
    const to = {
      ArrowUp: i - 1,
      ArrowDown: i + 1,
      PageUp: i - PAGE,
      PageDown: i + PAGE,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (to === undefined || i < 0) return;
    event.preventDefault();
    const row = rows[Math.min(Math.max(to, 0), rows.length - 1)];
    this.#chooseRow(row);
    row.querySelector("button").focus();
  }
}

/**
 * Offers choices behind the first one, which is for all of them.
 *
 * @param {HTMLSelectElement} select where
 * @param {readonly string[]} names the choices
 * @param {(name: string) => string} [label] what they are called
 */
export function offer(select, names, label = (name) => name) {
  const old = [...select.options].slice(1).map(({ value }) => value);
  if (old.join("\n") === names.join("\n")) return;
  const { value } = select;
  select.replaceChildren(
    select.options[0],
    ...names.map((name) => h("option", { value: name }, label(name))),
  );
  select.value = names.includes(value) ? value : "";
}
