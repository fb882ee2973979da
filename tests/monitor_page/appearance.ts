import { assert, assertEquals } from "@std/assert";
import { fillPage } from "./full_page.ts";
import { pageTest } from "./page_test_case.ts";

/** The least contrast of text, and of what is drawn: WCAG 2.2, 1.4.3, 1.4.11. */
const TEXT = 4.5;
const DRAWN = 3;

/**
 * Contrasts in the page: of every text with what is behind it, and of drawn
 * shapes with the surface.
 */
const CONTRASTS = `(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) =>
      v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e !== null; e = e.parentElement) {
      const { rgb, a } = parse(getComputedStyle(e).backgroundColor);
      if (a === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const describe = (element, value) =>
    element.tagName + "." + (element.getAttribute("class") ?? "") + " " +
    value.toFixed(2) + " " + element.textContent.trim().slice(0, 30);
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const own = element instanceof SVGElement ? style.fill : style.color;
    const value = ratio(parse(own).rgb, behind(element));
    if (value < ${TEXT}) texts.push(describe(element, value));
  }
  const shapes = [];
  for (const element of document.querySelectorAll(
    "svg .line, svg .arc, svg .part, svg path.p99, .key")) {
    const style = getComputedStyle(element);
    const own = element instanceof SVGElement
      ? style.stroke === "none" ? style.fill : style.stroke
      : style.backgroundColor;
    const value = ratio(parse(own).rgb, behind(element.parentElement));
    if (value < ${DRAWN}) shapes.push(describe(element, value));
  }
  return { texts, shapes };
})()`;

pageTest(
  "text and shapes have contrast, light and dark",
  async (page, server) => {
    await fillPage(page, server);
    const surfaces: string[] = [];
    for (const scheme of ["light", "dark"]) {
      await page.prefer({ "prefers-color-scheme": scheme });
      assertEquals(
        await page.get(CONTRASTS),
        { texts: [], shapes: [] },
        scheme,
      );
      surfaces.push(
        await page.get(
          "getComputedStyle(document.querySelector('section')).backgroundColor",
        ),
      );
    }
    assertEquals(surfaces, ["rgb(255, 255, 255)", "rgb(21, 25, 29)"]);
  },
);

pageTest(
  "no width makes the page wider than its window",
  async (page, server) => {
    await fillPage(page, server);
    for (const width of [360, 480, 640, 768, 1024, 1200, 1440, 2560]) {
      await page.resize(width, 800);
      assertEquals(
        await page.get("document.documentElement.scrollWidth"),
        width,
      );
    }
  },
);

pageTest(
  "at 360 px a request's fields are read without scrolling aside",
  async (page, server) => {
    await fillPage(page, server);
    await page.resize(360, 780);
    const widths = await page.get(`(() => {
    const fields = document.querySelector(".fields").parentElement;
    return [fields.scrollWidth, fields.clientWidth];
  })()`);
    assertEquals(widths[0], widths[1]);
    const list = await page.get(
      "document.querySelector('#request-list').scrollWidth",
    );
    assert(list <= 344, `${list}`);
  },
);

pageTest(
  "nothing moves by itself, nor scrolls smoothly where motion is reduced",
  async (page, server) => {
    await page.prefer({ "prefers-reduced-motion": "reduce" });
    await fillPage(page, server);
    assertEquals(await page.get("document.getAnimations().length"), 0);
    assertEquals(
      await page.get(
        "getComputedStyle(document.documentElement).scrollBehavior",
      ),
      "auto",
    );
  },
);
