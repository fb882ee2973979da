/**
 * Prometheus' text format ("Exposition formats", version 0.0.4).
 *
 * @module
 */

/** The content type of the format. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  '"': '\\"',
};

/**
 * Labels as they stand between a sample's braces.
 *
 * @param labels values by name
 * @returns the text, of which several are joined by commas
 */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  let text = "";
  for (const name in labels) {
    const value = labels[name]!.replace(/[\\\n"]/g, (found) => ESCAPES[found]!);
    text += `${text === "" ? "" : ","}${name}="${value}"`;
  }
  return text;
}

/** Metrics as text, one after the other. */
export class Exposition {
  #text = "";
  #name = "";

  /**
   * Begins a metric; its samples follow.
   *
   * @param name its name
   * @param type what it is
   * @param help what it says, in one line without backslashes
   */
  metric(
    name: string,
    type: "counter" | "gauge" | "histogram",
    help: string,
  ): void {
    this.#name = name;
    if (this.#text !== "") this.#text += "\n";
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  /**
   * Adds a sample of the metric.
   *
   * @param labels what {@linkcode labelsText} made; "" for none
   * @param value its value, a finite number
   * @param suffix what follows the metric's name, as a histogram's samples have
   */
  sample(labels: string, value: number, suffix = ""): void {
    this.#text += labels === ""
      ? `${this.#name}${suffix} ${value}\n`
      : `${this.#name}${suffix}{${labels}} ${value}\n`;
  }

  /** All of it. */
  toString(): string {
    return this.#text;
  }
}
