/** How fast a total grows, over the last few seconds. */

const OVER_MS = 5000;

export class Rate {
  #samples = [];

  /** Takes note of a total. */
  count(at, total) {
    const last = this.#samples.at(-1);
    if (last && total < last.total) this.#samples = [];
    this.#samples.push({ at, total });
    // One from before the window stays: growth is measured from it.
    while (this.#samples.length > 2 && this.#samples[1].at <= at - OVER_MS) this.#samples.shift();
  }

  /** The growth a second, up to a time. A total that nobody told of since has not grown. */
  perSecond(at) {
    const last = this.#samples.at(-1);
    if (this.#samples.length < 2 || last.at < at - OVER_MS) return 0;
    const first = this.#samples.find((sample) => sample.at >= at - OVER_MS - 500) ?? last;
    const grown = last.total - first.total;
    return grown === 0 ? 0 : (grown * 1000) / Math.max(at - first.at, 1000);
  }
}
