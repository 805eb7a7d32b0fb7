/** The first screen: is anything wrong, where, and what to change. */
import { h } from "../dom.js";
import { LANES } from "../lanes.js";
import { Head } from "../overview/head.js";
import { LaneCard } from "../overview/lane.js";
import { Latest } from "../overview/latest.js";
import { Plots } from "../overview/plots.js";
import { Upstreams } from "../overview/upstreams.js";
import { section } from "../parts.js";
import { on } from "../store.js";

export function overview() {
  const head = new Head();
  const lanes = LANES.map((lane) => new LaneCard(lane));
  const upstreams = new Upstreams();
  const plots = new Plots();
  const latest = new Latest();
  const element = h(
    "div",
    { class: "view" },
    h("h1", { class: "hidden" }, "Overview"),
    head.element,
    section("Lanes", { class: "lanes" }, h("div", { class: "cards" }, ...lanes.map((lane) => lane.element))),
    upstreams.element,
    section("The last five minutes", null, plots.element),
    latest.element,
  );
  const draw = () => {
    head.show();
    lanes.forEach((lane) => lane.show());
    upstreams.show();
    plots.show();
  };
  const offs = [
    on(["lanes", "routes", "overview", "tasks", "upstreams", "link"], draw),
    on(["stalls", "moves"], () => latest.show()),
  ];
  const tick = setInterval(() => plots.show(), 1000);
  draw();
  latest.show();
  queueMicrotask(draw);
  const close = () => {
    offs.forEach((off) => off());
    clearInterval(tick);
    plots.close();
  };
  return { title: "Overview", element, close };
}
