/** Small plots over the last minutes, drawn by uPlot. */
import * as clock from "./clock.js";
import { h, mark, write } from "./dom.js";
import { WINDOW_S } from "./series.js";

const HEIGHT = 132;
/** Between the lines of a grid, where half of something makes no sense. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dark = matchMedia("(prefers-color-scheme: dark)");

/**
 * A plot with a title and a legend that has the latest values.
 * `lines`: `{ name, color, sign, bars, unit }`, where `color` names a custom property and a sign
 */
export class Plot {
  constructor(title, { lines, format, hint, whole }) {
    this.lines = lines;
    this.whole = whole ?? false;
    this.format = format;
    this.title = title;
    this.data = null;
    this.box = h("div", { class: "plot-canvas", role: "img" });
    this.values = lines.map(() => h("span", { class: "value" }, "–"));
    const legend = lines.map((line, index) =>
      h("li", null, line.sign ?? swatch(line), h("span", null, line.name), this.values[index]),
    );
    this.element = h(
      "figure",
      { class: "plot" },
      h("figcaption", null, h("h3", { title: hint }, title), h("ul", { class: "legend" }, ...legend)),
      this.box,
    );
    this.sized = new ResizeObserver(() => this.#resize());
    this.sized.observe(this.box);
    this.recolour = () => this.#build();
    dark.addEventListener("change", this.recolour);
  }

  /** Shows the columns: times in seconds, then the values of each line. */
  show(columns) {
    this.data = columns;
    const last = columns.slice(1).map((column) => column.findLast((value) => value !== null) ?? 0);
    last.forEach((value, index) => write(this.values[index], this.format(value)));
    const words = this.lines.map((line, index) => `${line.name} ${this.format(last[index])}`);
    mark(this.box, "aria-label", `${this.title} over the last five minutes. Now: ${words.join(", ")}`);
    if (!this.plot) this.#build();
    else this.plot.setData(columns);
  }

  close() {
    this.sized.disconnect();
    dark.removeEventListener("change", this.recolour);
    this.plot?.destroy();
  }

  #resize() {
    const width = Math.floor(this.box.clientWidth);
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
    else if (!this.plot) this.#build();
  }

  #build() {
    const width = Math.floor(this.box.clientWidth);
    if (!this.data || width === 0) return;
    this.plot?.destroy();
    const { uPlot } = globalThis;
    this.plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
        scales: {
          x: { range: () => [clock.now() / 1000 - WINDOW_S, clock.now() / 1000] },
          y: { range: (_, __, max) => [0, roomy(max, this.whole ? 4 : 0)] },
        },
        axes: [
          axis(this.box, {
            space: 50,
            size: 22,
            incrs: [15, 30, 60, 120, 300],
            values: (_, times) => times.map((time) => minutes.format(time * 1000)),
          }),
          axis(this.box, {
            space: 26,
            size: 52,
            incrs: this.whole ? WHOLE : undefined,
            values: (_, values) => values.map((value) => this.format(value)),
          }),
        ],
        series: [{}, ...this.lines.map((line) => series(this.box, line))],
      },
      this.data,
      this.box,
    );
  }
}

/** The end of the scale: a little above the highest value, so that nothing is drawn on the edge. */
const roomy = (max, least) => Math.max(max > 0 ? max * 1.15 : 1, least);

function axis(box, { space, size, incrs, values }) {
  return {
    stroke: colour(box, "--ink-3"),
    grid: { stroke: colour(box, "--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    gap: 4,
    space,
    size,
    values,
    ...(incrs && { incrs }),
  };
}

function series(box, { color, bars, dash }) {
  const stroke = colour(box, color);
  const drawn = bars
    ? { paths: globalThis.uPlot.paths.bars({ size: [0.8, 12] }), fill: stroke, width: 0 }
    : { width: 1.75, dash };
  return { stroke, spanGaps: true, points: { show: false }, ...drawn };
}

/** The colour that a custom property stands for in this scheme. */
function colour(box, property) {
  const probe = h("span");
  probe.style.color = `var(${property})`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function swatch({ color, dash }) {
  const element = h("span", { class: "swatch", "aria-hidden": "true", "data-dash": dash ? "yes" : null });
  element.style.setProperty("--swatch", `var(${color})`);
  return element;
}
