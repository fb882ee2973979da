/**
 * The inspector page's files. They are imported as text, so that they come with
 * the program from wherever it is loaded, and serving them needs no permission.
 *
 * @module
 */

import algorithms from "./algorithms.js" with { type: "text" };
import chart from "./chart.js" with { type: "text" };
import chartKinds from "./chart_kinds.js" with { type: "text" };
import charts from "./charts.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import facts from "./facts.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import history from "./history.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import index from "./index.html" with { type: "text" };
import style from "./inspector.css" with { type: "text" };
import inspector from "./inspector.js" with { type: "text" };
import queues from "./queues.js" with { type: "text" };
import requestDetail from "./request_detail.js" with { type: "text" };
import requestLog from "./request_log.js" with { type: "text" };
import requests from "./requests.js" with { type: "text" };
import sessions from "./sessions.js" with { type: "text" };
import stream from "./stream.js" with { type: "text" };

/** A file of the page. */
export interface PageFile {
  /** Its Content-Type. */
  readonly type: string;
  /** What is in it. */
  readonly body: string;
}

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const SVG = "image/svg+xml";

/** The page's files by the path of their URL. */
export const PAGE_FILES: ReadonlyMap<string, PageFile> = new Map([
  ["/", { type: HTML, body: index }],
  ["/inspector.css", { type: CSS, body: style }],
  ["/icon.svg", { type: SVG, body: icon }],
  ...Object.entries({
    algorithms,
    chart,
    chart_kinds: chartKinds,
    charts,
    dom,
    facts,
    format,
    history,
    inspector,
    queues,
    request_detail: requestDetail,
    request_log: requestLog,
    requests,
    sessions,
    stream,
  }).map(([name, body]): [string, PageFile] => [
    `/${name}.js`,
    { type: SCRIPT, body },
  ]),
]);
