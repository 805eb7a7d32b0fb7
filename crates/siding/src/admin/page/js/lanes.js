/** The lanes, by the names that the API has for them. */
import { h } from "./dom.js";

export const LANES = [
  { name: "event-loop", title: "Event loop", what: "async fn handlers, connections, timers" },
  { name: "threads", title: "Threads", what: "plain fn handlers and whatever blocks" },
  { name: "compute", title: "Compute", what: "low priority, one thread a core" },
  { name: "processes", title: "Processes", what: "children that may be killed" },
];

const MARKS = new Map([
  ["event-loop", "ring"],
  ["threads", "square"],
  ["compute", "diamond"],
  ["processes", "triangle"],
]);

/** The sign of a lane: a shape and a colour of its own. */
export const sign = (lane) =>
  h("span", { class: "sign", "data-lane": lane, "data-shape": MARKS.get(lane) ?? "ring", "aria-hidden": "true" });

/** Sign and name. */
export const named = (lane) => h("span", { class: "lane" }, sign(lane), lane);

/** Where a route runs: the declared lane, and the one it was moved to. */
export function placement(route) {
  const { declared_lane: declared, current_lane: current } = route;
  const moved = declared !== current;
  return h(
    "span",
    { class: "placement" },
    moved
      ? [h("span", { class: "lane was" }, sign(declared), declared), arrow(), h("strong", null, named(current))]
      : named(current),
    route.diverted_to &&
      h("span", { class: "chip", title: `While a poll stalls, requests go to the ${route.diverted_to} lane` }, "diverted"),
    route.pinned && h("span", { class: "chip", title: "Stays on its declared lane whatever it does" }, "pinned"),
  );
}

/** `from → to`. */
export const move = (from, to) => h("span", { class: "placement" }, named(from), arrow(), named(to));

const arrow = () =>
  h("span", { class: "arrow" }, h("span", { class: "hidden" }, " to "), h("span", { "aria-hidden": "true" }, "→"));
