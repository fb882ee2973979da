/**
 * Finding the places that statements name, in the source.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

const texts = new Map<string, string | undefined>();

/** The text of a file of the project; undefined where there is none. */
function textOf(file: string): string | undefined {
  if (!texts.has(file)) {
    let text: string | undefined;
    try {
      text = Deno.readTextFileSync(new URL(file, ROOT));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    texts.set(file, text);
  }
  return texts.get(file);
}

/** A place: what stands behind the file's name. */
export interface Place {
  /** The file, from the project's root. */
  readonly file: string;
  /** The symbol, or the test's name without its quotes. */
  readonly name: string;
}

/**
 * Splits a place.
 *
 * @param place file, a space, symbol or test name
 * @returns both
 */
export function placeOf(place: string): Place {
  const space = place.indexOf(" ");
  const name = place.slice(space + 1);
  return {
    file: place.slice(0, space),
    name: name.startsWith("`") ? name.slice(1, -1) : name,
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Whether a file declares a symbol; a member of a class as Class.member.
 *
 * @param place where it is said to be
 * @returns true when it does
 */
export function declares({ file, name }: Place): boolean {
  const text = textOf(file);
  if (text === undefined) return false;
  const [symbol = "", member] = name.split(".");
  const declaration = new RegExp(
    `^(?:export )?(?:abstract )?(?:async )?(?:class|function\\*?|const|let|interface|type) ${
      escaped(symbol)
    }\\b`,
    "m",
  );
  const found = declaration.exec(text);
  if (found === null) return false;
  if (member === undefined) return true;
  const body = text.slice(found.index).split(/^}$/m)[0] ?? "";
  return new RegExp(
    `^  (?:static |async |override |readonly |get |set )*${
      escaped(member)
    }[(<:]`,
    "m",
  ).test(body);
}

/**
 * Whether a file has a test of a name, as its source spells it.
 *
 * @param place where it is said to be
 * @returns true when it has
 */
export function tests({ file, name }: Place): boolean {
  const text = textOf(file);
  if (text === undefined || !file.endsWith("_test.ts")) return false;
  return new RegExp(`Deno\\.test\\(\\s*(["\`])${escaped(name)}\\1`).test(text);
}
