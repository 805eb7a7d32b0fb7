/** What ran, how long requests took, and what stalled, over the last minutes. */
import * as clock from "../clock.js";
import { h } from "../dom.js";
import { count, duration } from "../format.js";
import { LANES, sign } from "../lanes.js";
import { Plot } from "../plot.js";
import { counted } from "../series.js";
import { state } from "../store.js";

export class Plots {
  constructor() {
    this.running = new Plot("Running", {
      lines: LANES.map(({ name, title }) => ({
        name: name === "event-loop" ? "Relief" : title,
        color: `--lane-${name}`,
        sign: sign(name),
      })),
      format: count,
      whole: true,
      hint: "Jobs that run on each lane, and relief workers that stand in on the event loop",
    });
    this.latency = new Plot("Latency", {
      lines: [
        { name: "p50", color: "--accent" },
        { name: "p99", color: "--accent-2", dash: [5, 3] },
      ],
      format: duration,
      hint: "Of the requests that ended within each second",
    });
    this.stalls = new Plot("Stalls", {
      lines: [{ name: "in 5 s", color: "--bad", bars: true }],
      format: count,
      whole: true,
      hint: "Stalls of the event loop that began in each five seconds",
    });
    this.element = h("div", { class: "plots" }, this.running.element, this.latency.element, this.stalls.element);
  }

  show() {
    const [times, , p50, p99] = state.history.requests.columns;
    this.running.show(state.history.running.columns);
    this.latency.show([times, p50, p99]);
    this.stalls.show(
      counted(
        state.stalls.map((stall) => stall.began_unix_ms),
        clock.now(),
      ),
    );
  }

  close() {
    for (const plot of [this.running, this.latency, this.stalls]) plot.close();
  }
}
