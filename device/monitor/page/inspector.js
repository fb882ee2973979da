/**
 * The inspector page: follows the server's events and shows what they say.
 *
 * @module
 */

import { Algorithms } from "./algorithms.js";
import { Charts } from "./charts.js";
import { byId, h, setText } from "./dom.js";
import { Facts } from "./facts.js";
import { clock, span } from "./format.js";
import { History } from "./history.js";
import { Queues } from "./queues.js";
import { offer, Requests } from "./requests.js";
import { Sessions } from "./sessions.js";
import { follow } from "./stream.js";

const TITLE = document.title;

const history = new History();
const charts = new Charts();
const facts = new Facts();
const queues = new Queues();
const requests = new Requests();
const algorithms = new Algorithms();
const sessions = new Sessions();

const deviceSelect = byId("device");
const scopeSelect = byId("scope");
const windowSelect = byId("window");

let snapshot = null;
let frame = 0;

/** Draws at the next frame: a page that is not seen draws nothing. */
function draw() {
  if (frame !== 0) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    if (snapshot !== null) show(snapshot);
  });
}

function offerDevices(devices) {
  byId("device-field").hidden = devices.length < 2;
  if (deviceSelect.options.length === devices.length) return;
  const { value } = deviceSelect;
  deviceSelect.replaceChildren(
    ...devices.map(({ socket }, i) =>
      h("option", { value: i }, socket ?? `device ${i}`)
    ),
  );
  deviceSelect.value = Number(value) < devices.length ? value : "0";
}

function show(snapshot) {
  setText(
    byId("program"),
    `${snapshot.version}, up ${span(snapshot.time - snapshot.started)}`,
  );
  offerDevices(snapshot.devices);
  const index = Number(deviceSelect.value);
  const device = snapshot.devices[index];
  if (device === undefined) return;
  const dataQueues = device.queues.filter(({ kind }) => kind === "data");
  offer(
    scopeSelect,
    dataQueues.map(({ index }) => String(index)),
    (name) => `queue ${name}`,
  );
  const scope = scopeSelect.value === "" ? null : Number(scopeSelect.value);
  charts.update(
    history.series(index, scope),
    scope === null
      ? dataQueues
      : dataQueues.filter(({ index }) => index === scope),
    Number(windowSelect.value),
  );
  facts.update(snapshot, device);
  queues.update(index, device, history);
  requests.update(snapshot, index);
  algorithms.update(snapshot, index);
  sessions.update(index, device);
}

/** Says whether events come, once for each change. */
function connection(live) {
  const place = byId("connection");
  const state = live ? "live" : "lost";
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  setText(
    byId("connection-text"),
    live
      ? "Live"
      : `No connection since ${clock(Date.now()).slice(0, 8)}, trying again`,
  );
  document.title = live ? TITLE : `No connection – ${TITLE}`;
}

for (const select of [deviceSelect, scopeSelect, windowSelect]) {
  select.addEventListener("change", draw);
}

follow("api/events", {
  connection,
  state: (next) => {
    snapshot = next;
    history.add(next);
    draw();
  },
  requests: (batch) => requests.add(batch),
});
