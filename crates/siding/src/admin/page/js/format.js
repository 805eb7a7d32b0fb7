/** Numbers and durations as people read them, in the reader's own notation. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const digits = [0, 1, 2].map((n) => new Intl.NumberFormat(undefined, { minimumFractionDigits: n, maximumFractionDigits: n }));
const NARROW_SPACE = "\u202f";

export const count = (n) => whole.format(n);

/** A count in little room: 1.2M. */
export const compact = (n) => (n < 100_000 ? whole.format(n) : short.format(n));

/** Three significant digits. */
const three = (n) => digits[n < 10 ? 2 : n < 100 ? 1 : 0].format(n);

export function perSecond(n) {
  if (n === 0) return "0";
  if (n < 0.1) return "<" + digits[1].format(0.1);
  return n < 10 ? digits[1].format(n) : n < 10_000 ? whole.format(n) : short.format(n);
}

/** A duration given in milliseconds, in the unit that suits it. */
export function duration(ms) {
  const [n, unit] = scaled(ms);
  return n + NARROW_SPACE + unit;
}

function scaled(ms) {
  if (ms === 0) return ["0", "ms"];
  if (ms < 1) return [whole.format(ms * 1000), "µs"];
  if (ms < 1000) return [three(ms), "ms"];
  if (ms < 60_000) return [three(ms / 1000), "s"];
  if (ms < 3_600_000) return [digits[1].format(ms / 60_000), "min"];
  if (ms < 86_400_000) return [digits[1].format(ms / 3_600_000), "h"];
  return [digits[1].format(ms / 86_400_000), "d"];
}

/** One noun or several: `plural(2, "route")`. */
export const plural = (n, noun, nouns = `${noun}s`) => `${count(n)} ${n === 1 ? noun : nouns}`;

/** A value of JSON on one line, cut off where it is long. */
export function brief(value, length = 120) {
  const text = JSON.stringify(value) ?? "";
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
