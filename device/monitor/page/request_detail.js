/**
 * One request, field by field.
 *
 * @module
 */

import { h } from "./dom.js";
import { bytes, clock, duration, plural } from "./format.js";

/** Names in a text, as in "dst_data_len" or "sess_para.algo". */
const NAMES = /[a-z_]\w*(\.\w+)*/gi;

/**
 * The problems that are about a field: the server's word for it, or those whose
 * text names it, with or without the structure it is in.
 */
function problemsOf(field, problems) {
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
      ["Service", request.service ?? "unknown"],
      ["Algorithm", request.algorithm ?? "unknown"],
      ["Session", request.session ?? "none"],
      ["Engine", request.engine ?? "none: it was refused before"],
      ["Readable part", plural(readable, "byte")],
      ["Writable part", plural(writable, "byte")],
      ["Took", duration(request.ns)],
    ].map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value))
    ),
  );
}

function problemList(request) {
  const { fault, problems } = request;
  const all = fault === null ? problems : [fault, ...problems];
  if (all.length === 0) return null;
  return h(
    "div",
    { class: "problems" },
    h("h4", {}, "What was wrong"),
    h("ul", {}, ...all.map((text) => h("li", {}, text))),
  );
}

function fieldRow(field, problems) {
  const wrong = problemsOf(field, problems);
  const { offset, size, value, meaning } = field;
  return h(
    "tr",
    { class: wrong.length > 0 ? "wrong" : null },
    h("td", { class: "number" }, String(offset)),
    h("td", { class: "number" }, String(size)),
    h("th", { scope: "row" }, h("code", {}, field.name)),
    h("td", {}, h("code", {}, value ?? "–")),
    h(
      "td",
      {},
      h("span", {}, meaning ?? ""),
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

/** Fields in the order they are sent, by the part they are in. */
function fieldTable(request) {
  const { fields, problems } = request;
  if (fields.length === 0) {
    return h("p", { class: "empty" }, "No field of it could be read.");
  }
  const parts = [
    ["Device-readable part", fields.filter(({ part }) => part !== "writable")],
    ["Device-writable part", fields.filter(({ part }) => part === "writable")],
  ].filter(([, list]) => list.length > 0);
  return h(
    "div",
    {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "Fields of the request",
    },
    h(
      "table",
      { class: "fields" },
      h(
        "caption",
        { class: "hidden" },
        "Fields, with offset and size in bytes",
      ),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col", class: "number" }, "Offset"),
          h("th", { scope: "col", class: "number" }, "Size"),
          h("th", { scope: "col" }, "Field"),
          h("th", { scope: "col" }, "Value"),
          h("th", { scope: "col" }, "Meaning"),
        ),
      ),
      ...parts.map(([name, list]) =>
        h(
          "tbody",
          {},
          parts.length === 1
            ? null
            : h("tr", {}, h("th", { scope: "rowgroup", colspan: 5 }, name)),
          ...list.map((field) => fieldRow(field, problems)),
        )
      ),
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
  heading.textContent = `Request ${request.sequence}`;
  place.replaceChildren(
    h(
      "div",
      { class: "head" },
      heading,
      badge(request.status),
      h("code", { class: "operation" }, request.operation),
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
