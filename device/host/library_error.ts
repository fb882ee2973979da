/**
 * What is thrown when a library of the system cannot be used.
 *
 * @module
 */

/**
 * A library of the system cannot be used: it is not installed, FFI is not
 * permitted, or what it computes is not what this project relies on. The
 * message is one line with a hint; a reason may be in `cause`.
 */
export class LibraryError extends Error {
  /** The name of the class. */
  override readonly name = "LibraryError";
}
