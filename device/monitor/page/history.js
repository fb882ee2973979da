/**
 * What happened in each second, made from the counts of two snapshots.
 *
 * @module
 */

/** Points that are kept of each queue: five minutes. */
export const POINTS = 300;

/** The statuses, in the order of their numbers. */
export const STATUSES = ["OK", "ERR", "BADMSG", "NOTSUPP", "INVSESS", "NOSPC"];

/** Buckets of a latency histogram: bucket n is below 2^n µs. */
export const BUCKETS = 24;

/** What a point holds, in order: see columnsOf. */
const COUNTS = ["requests", "bytes", "rounds", "kicks", "signals"];
const SECONDS = COUNTS.length;
const STATUS = SECONDS + 1;
const LATENCY = STATUS + STATUSES.length;
const WIDTH = LATENCY + BUCKETS;

/** A queue's counts in a row of numbers. */
function columnsOf(queue) {
  const row = new Float64Array(WIDTH);
  COUNTS.forEach((name, i) => row[i] = queue[name]);
  STATUSES.forEach((name, i) => row[STATUS + i] = queue.statuses[name] ?? 0);
  queue.latency.forEach((value, i) => row[LATENCY + i] = value);
  return row;
}

/** The last POINTS points of a queue or a device. */
export class Series {
  #times = new Float64Array(POINTS);
  // A second's counts have fewer digits than a total: single precision is
  // exact to 16 million and right to seven digits above.
  #values = new Float32Array(POINTS * WIDTH);
  #next = 0;
  /** Points that there are. */
  length = 0;

  /**
   * Adds a point and forgets the one that is too old.
   *
   * @param {number} time milliseconds of the epoch, at its end
   * @param {Float64Array} row what happened in it
   */
  push(time, row) {
    this.#times[this.#next] = time;
    this.#values.set(row, this.#next * WIDTH);
    this.#next = (this.#next + 1) % POINTS;
    this.length = Math.min(this.length + 1, POINTS);
  }

  /** @param {number} i the point, 0 the oldest */
  #at(i) {
    return (this.#next - this.length + i + POINTS) % POINTS;
  }

  /**
   * @param {number} i the point, 0 the oldest
   * @returns {number} milliseconds of the epoch at its end
   */
  time(i) {
    return this.#times[this.#at(i)];
  }

  /**
   * @param {number} i the point, 0 the oldest
   * @returns {number} its length in seconds
   */
  seconds(i) {
    return this.#values[this.#at(i) * WIDTH + SECONDS];
  }

  /**
   * @param {number} i the point, 0 the oldest
   * @param {string} name one of requests, bytes, rounds, kicks, signals
   * @returns {number} how many of them a second
   */
  rate(i, name) {
    return this.#values[this.#at(i) * WIDTH + COUNTS.indexOf(name)] /
      this.seconds(i);
  }

  /**
   * @param {number} i the point, 0 the oldest
   * @param {number} status the status's number
   * @returns {number} requests a second that got it
   */
  statusRate(i, status) {
    return this.#values[this.#at(i) * WIDTH + STATUS + status] /
      this.seconds(i);
  }

  /**
   * @param {number} i the point, 0 the oldest
   * @returns {Float32Array} its requests by the latency's bucket
   */
  latency(i) {
    const from = this.#at(i) * WIDTH + LATENCY;
    return this.#values.subarray(from, from + BUCKETS);
  }
}

/**
 * The time that a share of requests stayed below. A histogram tells no more
 * than the upper end of a bucket.
 *
 * @param {ArrayLike<number>} latency requests by bucket
 * @param {number} share the share, 0 to 1
 * @returns {number | null} nanoseconds; null without any requests, Infinity
 * where it lies in the last bucket, which has no end
 */
export function quantile(latency, share) {
  let total = 0;
  for (let i = 0; i < latency.length; i++) total += latency[i];
  if (total === 0) return null;
  let sum = 0;
  for (let i = 0; i < latency.length - 1; i++) {
    sum += latency[i];
    if (sum >= total * share) return 2 ** i * 1000;
  }
  return Infinity;
}

/** The series of every queue and every device. */
export class History {
  #snapshot = null;
  /** @type {Map<string, {row: Float64Array, series: Series}>} */
  #queues = new Map();
  /** @type {Map<number, Series>} */
  #devices = new Map();

  /**
   * Takes a snapshot in.
   *
   * @param {any} snapshot the snapshot
   */
  add(snapshot) {
    const before = this.#snapshot;
    const restarted = before !== null && before.started !== snapshot.started;
    if (restarted) {
      this.#queues.clear();
      this.#devices.clear();
    }
    const seconds = before === null ? 0 : (snapshot.time - before.time) / 1000;
    // The same snapshot again, as after a quick reconnection.
    if (before !== null && !restarted && seconds <= 0) return;
    this.#snapshot = snapshot;
    snapshot.devices.forEach((device, index) => {
      this.#addDevice(device, index, snapshot.time, seconds);
    });
  }

  #addDevice(device, index, time, seconds) {
    const total = new Float64Array(WIDTH);
    total[SECONDS] = seconds;
    let any = false;
    for (const queue of device.queues) {
      const key = `${index}/${queue.index}`;
      const row = columnsOf(queue);
      const last = this.#queues.get(key);
      const series = last?.series ?? new Series();
      this.#queues.set(key, { row, series });
      // A queue whose counts went back began anew.
      if (last === undefined || row[0] < last.row[0]) continue;
      const point = row.map((value, i) => Math.max(0, value - last.row[i]));
      point[SECONDS] = seconds;
      series.push(time, point);
      if (queue.kind !== "data") continue;
      any = true;
      for (let i = 0; i < WIDTH; i++) if (i !== SECONDS) total[i] += point[i];
    }
    if (!any) return;
    let series = this.#devices.get(index);
    if (series === undefined) this.#devices.set(index, series = new Series());
    series.push(time, total);
  }

  /**
   * @param {number} device its index
   * @param {number | null} queue its index; null: all data queues together
   * @returns {Series} its points; none where it is not known
   */
  series(device, queue) {
    return (queue === null
      ? this.#devices.get(device)
      : this.#queues.get(`${device}/${queue}`)?.series) ?? new Series();
  }
}
