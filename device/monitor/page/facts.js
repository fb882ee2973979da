/**
 * The facts of a device: where it is served, to whom, with what.
 *
 * @module
 */

import { byId, h, Rows, setText } from "./dom.js";
import { binaryBytes, bytes, count, plural } from "./format.js";

const MODES = {
  device: "the whole device (CONFIG)",
  cryptodev: "QEMU's cryptodev (CRYPTO_SESSION)",
};

function frontendOf({ connected, mode }) {
  if (!connected) return "none attached";
  return MODES[mode] ?? "attached, nothing negotiated yet";
}

function memoryOf({ memory }) {
  if (memory.length === 0) return "none shared";
  const total = memory.reduce((sum, { size }) => sum + size, 0);
  return `${binaryBytes(total)} in ${plural(memory.length, "region")}`;
}

function engineOf({ engine, engines }) {
  return engines.length < 2 && engines[0] === engine
    ? engine
    : `${engine}: ${engines.join(", ")}`;
}

/** Facts as names and texts, in the order they are shown. */
function factsOf(snapshot, device) {
  const { live, most } = device.sessions;
  return [
    ["Socket", device.socket ?? "none"],
    ["Frontend", frontendOf(device)],
    ["Specification", snapshot.spec],
    ["Engine", engineOf(snapshot)],
    ["Sessions", `${count(live)} of ${count(most)}`],
    ["Guest memory", memoryOf(device)],
    ["Largest request", bytes(device.maxSize)],
  ];
}

/** The names of the negotiated features, folded where there are many. */
class Features {
  element;
  #summary = h("summary");
  #list = h("ul", { class: "names" });
  #rows = new Rows(this.#list, (name) => ({
    element: h("li", {}, h("code", {}, name)),
  }));

  constructor() {
    this.element = h(
      "div",
      { class: "features" },
      h("dt", {}, "Features"),
      h("dd", {}, h("details", {}, this.#summary, this.#list)),
    );
  }

  /** @param {readonly string[]} names their names */
  update(names) {
    setText(this.#summary, `${names.length} negotiated`);
    this.#rows.show(names, (name) => name);
  }
}

/** The facts of a device. */
export class Facts {
  #features = new Features();
  #rows;

  constructor() {
    const list = byId("facts");
    this.#rows = new Rows(list, ([name]) => {
      const value = h("dd");
      return {
        element: h("div", {}, h("dt", {}, name), value),
        update: ([, text]) => setText(value, text),
      };
    });
    list.append(this.#features.element);
  }

  /**
   * Shows a device's facts.
   *
   * @param {any} snapshot the snapshot
   * @param {any} device the device in it
   */
  update(snapshot, device) {
    this.#rows.show(factsOf(snapshot, device), ([name]) => name);
    this.#features.update(device.features);
  }
}
