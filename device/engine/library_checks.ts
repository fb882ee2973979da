/**
 * What the native libraries compute right, found by the first engine of a
 * process: all of its threads have the same copy of a library, so that workers
 * are told and need not try again.
 *
 * @module
 */

/** What was found. What is missing was not looked for. */
export interface LibraryChecks {
  /** Key sizes in bytes whose results are right, by the algorithm's name. */
  ipsecMb?: ReadonlyMap<string, ReadonlySet<number>>;
  /** Names of the algorithms that passed their self-test. */
  libcrypto?: ReadonlySet<string>;
}

/** What is known on this thread, as plain data for another one. */
export const LIBRARY_CHECKS: LibraryChecks = {};

/**
 * Takes over what another thread of this process found.
 *
 * @param found its {@linkcode LIBRARY_CHECKS}
 */
export function adoptLibraryChecks(found: LibraryChecks): void {
  Object.assign(LIBRARY_CHECKS, found);
}
