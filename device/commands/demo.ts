/**
 * The `demo` command.
 *
 * @module
 */

/**
 * Runs the demonstration.
 *
 * @param _args the arguments behind the command's name
 * @returns the process's exit status
 */
export function demo(_args: readonly string[]): Promise<number> {
  return Promise.resolve(0);
}
