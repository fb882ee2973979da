/**
 * Sockets that a service manager hands down, by the protocol of systemd's
 * socket activation: LISTEN_FDS descriptors from 3 on, meant for the process
 * LISTEN_PID.
 *
 * @module
 */

/** The first descriptor that is handed down. */
const FIRST_FD = 3;

/** Process numbers and descriptors are below. */
const LIMIT = 2 ** 22;

/** What {@linkcode activatedFds} reads. */
export interface ActivationSource {
  /** The number of this process. */
  readonly pid: number;
  /**
   * A variable of the environment.
   *
   * @param name its name
   * @returns undefined where it is not set, or may not be read
   */
  variable(name: string): string | undefined;
}

const PROCESS: ActivationSource = {
  get pid() {
    return Deno.pid;
  },
  variable: (name) => {
    const { state } = Deno.permissions.querySync({
      name: "env",
      variable: name,
    });
    return state === "granted" ? Deno.env.get(name) : undefined;
  },
};

/**
 * The descriptors that were handed down to this process. The environment is
 * read only where that is permitted; permission is not asked for.
 *
 * @param source what to read; this process when left out
 * @returns their numbers; none where there are none, or where they were meant
 * for another process
 * @throws {Error} A variable is not what the protocol says
 */
export function activatedFds(
  source: ActivationSource = PROCESS,
): readonly number[] {
  const pid = source.variable("LISTEN_PID");
  const count = source.variable("LISTEN_FDS");
  if (pid === undefined || count === undefined) return [];
  if (wholeNumber("LISTEN_PID", pid) !== source.pid) return [];
  return Array.from(
    { length: wholeNumber("LISTEN_FDS", count) },
    (_, i) => FIRST_FD + i,
  );
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > LIMIT) {
    throw new Error(`Cannot use ${name}=${text}: it is no such number`);
  }
  return value;
}
