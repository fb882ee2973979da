/**
 * A chart of lines over sizes as SVG, both axes logarithmic. Its colours follow
 * the reader's scheme, light or dark.
 *
 * @module
 */

/** One line of a chart. */
export interface Series {
  readonly name: string;
  /** A value for each size. */
  readonly values: readonly number[];
}

/** What a chart says. */
export interface ChartOptions {
  readonly title: string;
  readonly subtitle: string;
  /** Label of the horizontal axis. */
  readonly x: string;
  /** Label of the vertical axis. */
  readonly y: string;
  readonly sizes: readonly number[];
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 470;
const LEFT = 76;
const RIGHT = 100;
const TOP = 74;
const BOTTOM = 64;
/** Least distance between the labels of two lines. */
const LABEL_GAP = 17;

/** Pairs of colours, on white and on black. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ["#0b5fb0", "#6cb6ff"],
  ["#b3470b", "#f5a35c"],
  ["#1b7a3d", "#62cf86"],
  ["#8a2da5", "#d99bf0"],
];

/** Marks tell lines apart where colours do not. */
const MARKS: readonly ((x: string, y: string) => string)[] = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="4"/>`,
  (x, y) =>
    `<rect x="-4" y="-4" width="8" height="8" transform="translate(${x} ${y})"/>`,
  (x, y) => `<path d="M0-5 5 4H-5z" transform="translate(${x} ${y})"/>`,
  (x, y) =>
    `<path d="M0-5.5 5.5 0 0 5.5-5.5 0z" transform="translate(${x} ${y})"/>`,
];

function style(): string {
  const scheme = (which: 0 | 1) =>
    COLOURS.map((pair, i) =>
      `.s${i}{stroke:${pair[which]};fill:${pair[which]}}`
    ).join("");
  return [
    "text{font:13px system-ui,sans-serif;fill:#1f2328}",
    ".back{fill:#fff}.title{font-size:16px;font-weight:600}",
    ".small{font-size:12px;fill:#59636e}",
    ".grid{stroke:#d1d9e0;stroke-width:1}",
    ".one{stroke:#59636e;stroke-width:1.5;stroke-dasharray:5 4}",
    ".line{fill:none!important;stroke-width:2.25}",
    ".label{stroke:none!important;font-weight:600}",
    scheme(0),
    "@media(prefers-color-scheme:dark){",
    "text{fill:#f0f6fc}.back{fill:#0d1117}.small{fill:#9198a1}",
    ".grid{stroke:#3d444d}.one{stroke:#9198a1}",
    scheme(1),
    "}",
  ].join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function sizeLabel(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 102.4) / 10} KiB`;
}

/** Steps of 1, 2 and 5 that hold all values. */
function ticksOf(values: readonly number[]): number[] {
  const steps: number[] = [];
  for (let power = -4; power <= 4; power++) {
    for (const factor of [1, 2, 5]) {
      steps.push(Number((factor * 10 ** power).toPrecision(2)));
    }
  }
  const least = Math.min(...values, 1);
  const most = Math.max(...values, 1);
  const first = steps.findLastIndex((step) => step <= least);
  const last = steps.findIndex((step) => step >= most);
  return steps.slice(first, last + 1);
}

/**
 * Draws a chart.
 *
 * @param options what it says
 * @returns an SVG document
 */
export function chart(options: ChartOptions): string {
  const { series, sizes } = options;
  const ticks = ticksOf(series.flatMap(({ values }) => values));
  const bottom = HEIGHT - BOTTOM;
  const right = WIDTH - RIGHT;
  const along = (value: number, least: number, most: number) =>
    Math.log(value / least) / Math.log(most / least);
  const xOf = (size: number) =>
    (LEFT + along(size, sizes[0]!, sizes.at(-1)!) * (right - LEFT)).toFixed(1);
  const yOf = (value: number) =>
    (bottom - along(value, ticks[0]!, ticks.at(-1)!) * (bottom - TOP))
      .toFixed(1);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${
      escaped(options.title)
    }">`,
    `<style>${style()}</style>`,
    `<rect class="back" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${LEFT}" y="28">${escaped(options.title)}</text>`,
    `<text class="small" x="${LEFT}" y="48">${
      escaped(options.subtitle)
    }</text>`,
  ];
  for (const tick of ticks) {
    const y = yOf(tick);
    parts.push(
      `<path class="${
        tick === 1 ? "one" : "grid"
      }" d="M${LEFT} ${y}H${right}"/>`,
      `<text class="small" x="${LEFT - 8}" y="${
        (Number(y) + 4).toFixed(1)
      }" text-anchor="end">${tick}</text>`,
    );
  }
  for (const size of sizes) {
    parts.push(
      `<path class="grid" d="M${xOf(size)} ${bottom}v5"/>`,
      `<text class="small" x="${xOf(size)}" y="${
        bottom + 20
      }" text-anchor="middle">${sizeLabel(size)}</text>`,
    );
  }
  parts.push(
    `<text x="${(LEFT + right) / 2}" y="${HEIGHT - 16}" text-anchor="middle">${
      escaped(options.x)
    }</text>`,
    `<text transform="translate(20 ${
      (TOP + bottom) / 2
    }) rotate(-90)" text-anchor="middle">${escaped(options.y)}</text>`,
  );
  // Labels stand beside the ends of their lines, the highest first.
  let labelAt = -Infinity;
  const order = series.map((_, i) => i).sort((a, b) =>
    series[b]!.values.at(-1)! - series[a]!.values.at(-1)!
  );
  for (const i of order) {
    const { name, values } = series[i]!;
    const points = values.map((value, at) => [xOf(sizes[at]!), yOf(value)]);
    labelAt = Math.max(Number(points.at(-1)![1]) + 4, labelAt + LABEL_GAP);
    parts.push(
      `<g class="s${i}"><path class="line" d="M${
        points.map(([x, y]) => `${x} ${y}`).join("L")
      }"/>${points.map(([x, y]) => MARKS[i]!(x!, y!)).join("")}</g>`,
      `<text class="label s${i}" x="${right + 12}" y="${labelAt.toFixed(1)}">${
        escaped(name)
      }</text>`,
    );
  }
  parts.push("</svg>\n");
  return parts.join("\n");
}
