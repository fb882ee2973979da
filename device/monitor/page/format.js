/**
 * Numbers, sizes and times for people.
 *
 * @module
 */

const GROUPED = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/**
 * A number in three digits or a few more.
 *
 * @param {number} value the number, 0 or more
 * @returns {string} as in "0.25", "7.1", "38.2" or "412"
 */
function short(value) {
  if (value >= 99.5) return value.toFixed(0);
  return value.toFixed(value >= 0.995 ? 1 : 2);
}

function scaled(value, units, base = 1000) {
  let step = 0;
  // 999.5 and more would be shown as 1000.
  while (value >= base * 0.9995 && step < units.length - 1) {
    value /= base;
    step++;
  }
  const whole = step === 0 && Number.isInteger(value);
  return [whole ? String(value) : short(value), units[step]];
}

/**
 * A count, every digit of it.
 *
 * @param {number} value the count
 * @returns {string} as in "1,234,567"
 */
export function count(value) {
  return GROUPED.format(value);
}

/**
 * Bytes with a decimal unit.
 *
 * @param {number} bytes the bytes
 * @returns {string} as in "16.8 MB"
 */
export function bytes(bytes) {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB"]).join(" ");
}

/**
 * Bytes with a binary unit, for what is a power of two in origin.
 *
 * @param {number} bytes the bytes
 * @returns {string} as in "512 MiB"
 */
export function binaryBytes(bytes) {
  return scaled(bytes, ["B", "KiB", "MiB", "GiB", "TiB"], 1024).join(" ");
}

/**
 * Bytes a second.
 *
 * @param {number} rate bytes a second
 * @returns {string} as in "812 MB/s"
 */
export function byteRate(rate) {
  return `${bytes(rate)}/s`;
}

/**
 * Events a second.
 *
 * @param {number} value events a second
 * @returns {string} as in "12.5 k"
 */
export function rate(value) {
  const [number, unit] = scaled(value, ["", "k", "M", "G"]);
  return unit === "" ? number : `${number} ${unit}`;
}

/**
 * A short time.
 *
 * @param {number} ns nanoseconds
 * @returns {string} as in "1.2 µs"
 */
export function duration(ns) {
  return scaled(ns, ["ns", "µs", "ms", "s"]).join(" ");
}

/**
 * A text without decimals that say nothing.
 *
 * @param {string} text as in "16.0 µs"
 * @returns {string} as in "16 µs"
 */
export function rounded(text) {
  return text.replace(/\.0+(?=\D|$)/, "");
}

/**
 * The end of a histogram's bucket.
 *
 * @param {number} ns nanoseconds
 * @returns {string} as in "64 µs"
 */
export function bound(ns) {
  return rounded(duration(ns));
}

/**
 * A long time.
 *
 * @param {number} ms milliseconds
 * @returns {string} as in "2 h 5 min"
 */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

const pad = (number, digits = 2) => String(number).padStart(digits, "0");

/**
 * A time of the day.
 *
 * @param {number} ms milliseconds of the epoch
 * @returns {string} as in "15:04:09.017", local
 */
export function clock(ms) {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${
    pad(date.getSeconds())
  }.${pad(date.getMilliseconds(), 3)}`;
}

/**
 * A noun with its number.
 *
 * @param {number} number the number
 * @param {string} noun the noun, whose plural takes an s
 * @returns {string} as in "1 byte" or "2 bytes"
 */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
