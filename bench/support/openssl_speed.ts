/**
 * `openssl speed`, the program: what libcrypto does with nothing around it.
 *
 * @module
 */

const decoder = new TextDecoder();

/**
 * Runs `openssl speed -evp` for one size.
 *
 * @param algorithm openssl's name of it
 * @param bytes size of a block
 * @param processes how many run it at a time; left out: this one alone
 * @returns bytes a second; undefined where the program is not there
 */
export async function opensslSpeed(
  algorithm: string,
  bytes: number,
  processes?: number,
): Promise<number | undefined> {
  const multi = processes === undefined ? [] : ["-multi", String(processes)];
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("openssl", {
      args: [
        "speed",
        "-mr",
        ...multi,
        "-seconds",
        "1",
        "-bytes",
        String(bytes),
        "-evp",
        algorithm,
      ],
    }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const text = decoder.decode(output.stdout);
  // +F:number:name:bytes a second
  const speed = Number(/^\+F:[^:]*:[^:]*:([\d.]+)/m.exec(text)?.[1]);
  if (!(speed > 0)) {
    throw new Error(`Cannot read what openssl speed says: ${text.trim()}`);
  }
  return speed;
}
