/**
 * The table of sessions, without their keys.
 *
 * @module
 */

import { byId, h, Rows, setText } from "./dom.js";
import { count } from "./format.js";

const size = (bytes) => bytes === 0 ? "–" : String(bytes);

function createRow(session) {
  const { id, service, algorithm, hash, op } = session;
  return {
    element: h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, id)),
      h("td", {}, service),
      h("td", {}, hash === null ? algorithm : `${algorithm} + ${hash}`),
      h("td", {}, op ?? "–"),
      h("td", { class: "number" }, size(session.keyLength)),
      h("td", { class: "number" }, size(session.authKeyLength)),
      h("td", { class: "number" }, size(session.resultLength)),
    ),
  };
}

/** The table of sessions. */
export class Sessions {
  #rows = new Rows(byId("session-rows"), createRow);

  /**
   * Shows a device's sessions. What an id stands for never changes.
   *
   * @param {number} index the device's index
   * @param {any} device the device
   */
  update(index, device) {
    const { live, most, list } = device.sessions;
    this.#rows.show(list, ({ id }) => `${index}/${id}`);
    byId("no-sessions").hidden = list.length > 0;
    const part = list.length < live ? `, ${count(list.length)} shown` : "";
    setText(
      byId("session-note"),
      `${count(live)} of ${count(most)} live${part}; sizes in bytes`,
    );
  }
}
