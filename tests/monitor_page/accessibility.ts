import { assert, assertEquals, assertMatch } from "@std/assert";
import axe from "npm:axe-core@4.14.1";
import { fillPage } from "./full_page.ts";
import { pageTest, twoSeconds } from "./page_test_case.ts";
import { dataQueue, request, snapshot } from "./snapshots.ts";

/** Roles of what is used or jumped to, which is nothing without a name. */
const NAMED = new Set([
  "button",
  "checkbox",
  "combobox",
  "link",
  "navigation",
  "region",
  "search",
  "searchbox",
  "slider",
  "heading",
]);

pageTest(
  "every control and every landmark has a name",
  async (page, server) => {
    await fillPage(page, server);
    const nodes = await page.accessibility();
    const named = nodes.filter(({ role }) => NAMED.has(role));
    assertEquals(named.filter(({ name }) => name === ""), []);
    for (const role of NAMED) {
      assert(named.some((node) => node.role === role), `There is no ${role}`);
    }
    for (const role of ["banner", "main", "contentinfo"]) {
      assertEquals(nodes.filter((node) => node.role === role).length, 1, role);
    }
    const regions = named.filter(({ role }) => role === "region");
    assertEquals(regions.map(({ name }) => name), [
      "Overview",
      "Queues",
      "Requests",
      "Algorithms",
      "Sessions",
    ]);
  },
);

pageTest(
  "headings have one beginning and leave no level out",
  async (page, server) => {
    await fillPage(page, server);
    const levels = (await page.accessibility())
      .filter(({ role }) => role === "heading").map(({ level }) => level);
    assertEquals(levels.filter((level) => level === 1).length, 1);
    assertEquals(levels[0], 1);
    levels.reduce((before, level) => {
      assert(level <= before + 1, `${levels}`);
      return level;
    });
  },
);

pageTest(
  "tables have headers for their columns and their rows",
  async (page, server) => {
    await fillPage(page, server);
    const tables = await page.get(`
    [...document.querySelectorAll("table")].map((table) => ({
      columns: table.querySelectorAll("thead th[scope=col]").length,
      cells: Math.max(...[...table.tBodies].flatMap((body) =>
        [...body.rows].map((row) => row.cells.length))),
      rows: [...table.tBodies].flatMap((body) => [...body.rows]).length,
      headers: table.querySelectorAll("tbody tr th[scope^=row]").length,
    }))`);
    assertEquals(tables.length, 5);
    for (const { columns, cells, rows, headers } of tables) {
      assertEquals(columns, cells);
      assertEquals(headers, rows);
    }
  },
);

pageTest(
  "little is said aloud by itself, and a snapshot changes none of it",
  async (page, server) => {
    await fillPage(page, server);
    const spoken =
      "[...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map((e) => `${e.id}: ${e.innerText}`)";
    const before = await page.get(spoken);
    assertEquals(before, ["connection: Live", "queue-note: Broken: queue 1"]);
    server.state(snapshot(3, [
      dataQueue(0, { requests: 50_000, bytes: 400_000_000 }),
      {
        ...dataQueue(1, { requests: 90, bytes: 9000 }),
        broken: "The available index 4711 is 300 ahead of 4411",
      },
    ]));
    await page.until(
      "document.querySelector('#chart-requests .now').innerText.startsWith('10')",
    );
    assertEquals(await page.get(spoken), before);
  },
);

pageTest(
  "Tab comes to every control once, and shows where it is",
  async (page, server) => {
    await fillPage(page, server);
    // From the very beginning.
    await page.get("document.body.tabIndex = -1; document.body.focus()");
    const stops: string[] = [];
    for (;;) {
      await page.press("Tab");
      const stop = await page.get(`(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const { width, height } = element.getBoundingClientRect();
      return {
        shown: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 &&
          width > 0 && height > 0,
        name: element.id || element.name || element.getAttribute("aria-label") ||
          element.getAttribute("aria-labelledby") ||
          element.innerText.trim() || element.className,
      };
    })()`);
      if (stop === null || stops.includes(stop.name)) break;
      assert(stop.shown, `${stop.name} does not show the focus`);
      stops.push(stop.name);
    }
    for (
      const name of [
        "Skip to the requests",
        "Overview",
        "scope",
        "window",
        "Throughput over time",
        "Latency over time",
        "pause",
        "status",
        "text",
        "problems",
        // Of all the list's rows only the chosen one.
        "7",
        "Copy as JSON",
        "Fields of the request",
      ]
    ) assert(stops.includes(name), `${name} is not among ${stops.join(", ")}`);
    assert(!stops.includes("6"));
  },
);

pageTest("a chart's points are told to the keyboard", async (page, server) => {
  const at = (seconds: number, requests: number): unknown =>
    snapshot(seconds, [dataQueue(0, { requests, bytes: requests * 1000 })]);
  await twoSeconds(page, server, at(2, 3000));
  server.state(at(3, 7000));
  server.state(at(4, 15_000));
  await page.until(
    "document.querySelector('#chart-requests .now').innerText.startsWith('8')",
  );
  await page.get("document.querySelector('#chart-requests .plot').focus()");
  const told = (): Promise<string> =>
    page.get(
      "document.querySelector('#chart-requests .plot').getAttribute('aria-valuetext')",
    );
  assertEquals(await told(), "now: Requests 8.0 k/s");
  await page.press("ArrowLeft");
  assertEquals(await told(), "1 s ago: Requests 4.0 k/s");
  await page.press("Home");
  assertEquals(await told(), "2 s ago: Requests 2.0 k/s");
  assertMatch(
    await page.text("#chart-requests .tip"),
    /^\d\d:04:07, 2 s ago Requests 2\.0 k\/s$/,
  );
  // All charts mark the same time.
  assertEquals(
    await page.get("document.querySelectorAll('.cross:not([hidden])').length"),
    4,
  );
  await page.press("End");
  assertEquals(await told(), "now: Requests 8.0 k/s");
  await page.press("Escape");
  assert(
    await page.get("document.querySelector('#chart-requests .tip').hidden"),
  );
}, { state: snapshot(1, [dataQueue(0, { requests: 1000, bytes: 1000 })]) });

/** Violations of the rules of axe-core. */
const AXE = `axe.run(document, { resultTypes: ["violations"] }).then((result) =>
  result.violations.map(({ id, nodes }) => id + ": " +
    nodes.map(({ html }) => html).join(" ")))`;

pageTest(
  "axe-core finds nothing, light and wide, dark and narrow",
  async (page, server) => {
    await fillPage(page, server);
    server.requests([request(8)]);
    await page.get(`${axe.source}; undefined`);
    for (const [scheme, width] of [["light", 1280], ["dark", 360]] as const) {
      await page.prefer({ "prefers-color-scheme": scheme });
      await page.resize(width, 900);
      assertEquals(await page.get(AXE), [], `${scheme}, ${width}`);
    }
  },
);
