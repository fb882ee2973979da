/**
 * The log: one line an event on standard error. Keys and data never go there.
 *
 * @module
 */

/** Levels, the most urgent first. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** A level of the log. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Where events go. */
export interface Log {
  /** Something that should not happen, and that costs somebody something. */
  error(message: string): void;
  /** Something that a peer did wrong. */
  warn(message: string): void;
  /** Something that an operator wants to know. */
  info(message: string): void;
  /** Everything else. */
  debug(message: string): void;
}

/**
 * A log on standard error.
 *
 * @param level the least urgent level to write
 * @returns the log
 */
export function consoleLog(level: LogLevel): Log {
  const least = LOG_LEVELS.indexOf(level);
  const write = (at: LogLevel) => (message: string): void => {
    if (LOG_LEVELS.indexOf(at) <= least) console.error(`${at}: ${message}`);
  };
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
  };
}
