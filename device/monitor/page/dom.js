/**
 * Elements without innerHTML: what the server sends becomes text and attributes
 * only.
 *
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/**
 * Makes an HTML element.
 *
 * @param {string} tag its name
 * @param {Record<string, unknown>} attributes its attributes; a function
 * listens to the event of that name
 * @param {...(Node | string | null)} children what is in it
 * @returns {HTMLElement} the element
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Makes an SVG element.
 *
 * @param {string} tag its name
 * @param {Record<string, unknown>} attributes its attributes
 * @param {...(Node | string | null)} children what is in it
 * @returns {SVGElement} the element
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * The element that the page has under an id.
 *
 * @param {string} id its id
 * @returns {HTMLElement} the element
 * @throws {Error} The page has none
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`Cannot find the element #${id}`);
  return element;
}

/**
 * Sets a text where it is another: what does not change is not laid out anew,
 * and a selection in it stays.
 *
 * @param {Node} node where
 * @param {string} text the text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Sets an attribute where it is another.
 *
 * @param {Element} element where
 * @param {string} name its name
 * @param {string | number} value its value
 */
export function setAttribute(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Children that are kept, by a key, while the list they show changes. */
export class Rows {
  #parent;
  #create;
  /** @type {Map<string, {element: Element, update?: (item: any) => void}>} */
  #rows = new Map();

  /**
   * @param {Element} parent what they are in
   * @param {(item: any) => {element: Element, update?: (item: any) => void}}
   * create makes the row of an item
   */
  constructor(parent, create) {
    this.#parent = parent;
    this.#create = create;
  }

  /**
   * Shows a list.
   *
   * @param {readonly any[]} items the list
   * @param {(item: any) => string} keyOf the key of an item, unique in it
   */
  show(items, keyOf) {
    const wanted = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, { element }] of this.#rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    let next = this.#parent.firstElementChild;
    for (const [key, item] of wanted) {
      let row = this.#rows.get(key);
      if (row === undefined) {
        row = this.#create(item);
        this.#rows.set(key, row);
      }
      row.update?.(item);
      if (row.element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(row.element, next);
    }
  }
}
