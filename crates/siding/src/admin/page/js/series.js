/** The latest values of some quantities over time, for a plot. */

/** How far back plots go, in seconds. */
export const WINDOW_S = 300;

export class Series {
  /** `width` quantities. */
  constructor(width) {
    this.columns = Array.from({ length: width + 1 }, () => []);
  }

  /** Adds their values at a time; what is older than the window goes. */
  push(unixMs, values) {
    const [times] = this.columns;
    const at = unixMs / 1000;
    if (times.length > 0 && at <= times[times.length - 1]) return;
    times.push(at);
    values.forEach((value, index) => this.columns[index + 1].push(value));
    const old = times.findIndex((time) => time >= at - WINDOW_S - 5);
    if (old > 60) this.columns.forEach((column) => column.splice(0, old));
  }

  /** The latest value of a quantity, 0 where there is none. */
  last(quantity) {
    return this.columns[quantity + 1].at(-1) ?? 0;
  }
}

/** How many of these times lie in each of the intervals that make up the window, as the columns of a plot. */
export function counted(timesUnixMs, nowMs, interval = 5) {
  const last = Math.ceil(nowMs / 1000 / interval) * interval;
  const slots = WINDOW_S / interval;
  const times = Array.from({ length: slots }, (_, index) => last - (slots - 1 - index) * interval - interval / 2);
  const counts = new Array(slots).fill(0);
  for (const time of timesUnixMs) {
    const slot = slots - 1 - Math.floor((last - time / 1000) / interval);
    if (slot >= 0 && slot < slots) counts[slot] += 1;
  }
  return [times, counts];
}
