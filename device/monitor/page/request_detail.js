/**
 * One request, field by field.
 *
 * @module
 */

import { h } from "./dom.js";
import { bytes, clock, duration, plural } from "./format.js";
import { problemsOf } from "./request_log.js";

/** Names in a text, as in "dst_data_len" or "sess_para.algo". */
const NAMES = /[a-z_]\w*(\.\w+)*/gi;

/** What a field's value means; of a number without a name, its decimal form. */
function meaningOf({ meaning, value, size }) {
  if (meaning !== null) return meaning;
  return size === 4 && /^0x[0-9a-f]+$/.test(value ?? "")
    ? String(Number(value))
    : "";
}

/**
 * The problems that are about a field: the server's word for it, or those whose
 * text names it, with or without the structure it is in.
 */
function problemsWith(field, problems) {
  const told = field.problem ?? null;
  if (told !== null) return [told];
  return problems.filter((text) =>
    (text.match(NAMES) ?? []).some((name) =>
      field.name === name || field.name.endsWith(`.${name}`)
    )
  );
}

/**
 * A status as a label.
 *
 * @param {string | null} status the status
 * @returns {HTMLElement} the label
 */
export function badge(status) {
  return h(
    "span",
    { class: `badge ${status ?? "none"}` },
    status ?? "no status",
  );
}

function facts(request) {
  const { readable, writable } = request;
  return h(
    "dl",
    { class: "facts" },
    ...[
      ["Time", clock(request.time)],
      ["Queue", String(request.queue)],
      ["Layout", request.layout],
      ["Mode", request.mode ?? "unknown"],
      ["Service", request.service ?? "unknown"],
      ["Algorithm", request.algorithm ?? "unknown"],
      ["Session", h("code", {}, request.session ?? "none")],
      ["Engine", request.engine ?? "none"],
      ["Readable part", plural(readable, "byte")],
      ["Writable part", plural(writable, "byte")],
      ["Round", `${duration(request.ns)}, ${plural(request.round, "request")}`],
    ].map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value))
    ),
  );
}

function problemList(request) {
  const all = problemsOf(request);
  if (all.length === 0) return null;
  return h(
    "div",
    { class: "problems" },
    h("h4", {}, "What was wrong"),
    h("ul", {}, ...all.map((text) => h("li", {}, text))),
  );
}

// The roles are told, because a narrow page lays the rows out as grids, and some
// browsers take no such thing for a table.
const row = (attributes, ...cells) =>
  h("tr", { role: "row", ...attributes }, ...cells);
const cell = (attributes, ...children) =>
  h("td", { role: "cell", ...attributes }, ...children);
const columnHeader = (name, attributes = {}) =>
  h("th", { scope: "col", role: "columnheader", ...attributes }, name);

function fieldRow(field, problems) {
  const wrong = problemsWith(field, problems);
  const { offset, size, value } = field;
  return row(
    { class: wrong.length > 0 ? "wrong" : null },
    cell({ class: "number" }, String(offset)),
    cell({ class: "number" }, String(size)),
    h("th", { scope: "row", role: "rowheader" }, h("code", {}, field.name)),
    cell({}, h("code", {}, value ?? "–")),
    cell(
      {},
      h("span", {}, meaningOf(field)),
      ...wrong.map((text) =>
        h(
          "p",
          { class: "reason" },
          h("span", { class: "hidden" }, "Problem: "),
          text,
        )
      ),
    ),
  );
}

function partRows(name, fields, problems) {
  return h(
    "tbody",
    { role: "rowgroup" },
    row(
      {},
      h("th", { scope: "rowgroup", role: "rowheader", colspan: 5 }, name),
    ),
    ...fields.map((field) => fieldRow(field, problems)),
  );
}

/** Fields in the order they are sent, by the part they are in. */
function fieldTable(request) {
  const { fields, problems } = request;
  if (fields.length === 0) {
    return h("p", { class: "empty" }, "No field of it could be read.");
  }
  const writable = fields.filter(({ part }) => part === "writable");
  const readable = fields.filter(({ part }) => part !== "writable");
  return h(
    "div",
    {
      class: "scroll",
      tabindex: 0,
      role: "group",
      "aria-label": "Fields of the request",
    },
    h(
      "table",
      { class: "fields", role: "table" },
      h(
        "caption",
        { class: "hidden" },
        "Fields, with offset and size in bytes",
      ),
      h(
        "thead",
        { role: "rowgroup" },
        row(
          {},
          columnHeader("Offset", { class: "number" }),
          columnHeader("Size", { class: "number" }),
          columnHeader("Field"),
          columnHeader("Value"),
          columnHeader("Meaning"),
        ),
      ),
      partRows("Device-readable part", readable, problems),
      writable.length === 0
        ? null
        : partRows("Device-writable part", writable, problems),
    ),
  );
}

/** The record as the server sent it. */
function textOf(request) {
  const { key: _, ...record } = request;
  return JSON.stringify(record, null, 2);
}

function copyButton(request) {
  const button = h("button", {
    type: "button",
    click: async () => {
      try {
        await navigator.clipboard.writeText(textOf(request));
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not permitted";
      }
    },
  }, "Copy as JSON");
  return button;
}

/**
 * Shows a request.
 *
 * @param {HTMLElement} place where
 * @param {any | null} request the request; null: none is chosen
 * @param {() => void} close what the button for closing does
 * @returns {HTMLElement} the heading
 */
export function showDetail(place, request, close) {
  const heading = h("h3", { id: "detail-heading", tabindex: -1 });
  if (request === null) {
    heading.textContent = "No request chosen";
    place.replaceChildren(
      heading,
      h(
        "p",
        { class: "empty" },
        "Choose one in the list to see its fields. The list pauses meanwhile. ",
        "With the keyboard: the arrow keys move, Enter goes to the fields, ",
        "Escape comes back.",
      ),
    );
    return heading;
  }
  heading.textContent = `Request ${request.sequence} of queue ${request.queue}`;
  place.replaceChildren(
    h(
      "div",
      { class: "head" },
      heading,
      badge(request.status),
      h(
        "div",
        { class: "tools" },
        copyButton(request),
        h("button", { type: "button", click: close }, "Close"),
      ),
    ),
    problemList(request) ?? "",
    facts(request),
    fieldTable(request),
    h(
      "p",
      { class: "note" },
      `Offsets and sizes in bytes. ${
        bytes(request.readable + request.writable)
      } in all; keys and data are not recorded.`,
    ),
  );
  return heading;
}
