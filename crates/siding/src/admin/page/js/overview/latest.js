/** The latest stalls and moves. */
import * as clock from "../clock.js";
import { h } from "../dom.js";
import { duration } from "../format.js";
import { move } from "../lanes.js";
import { empty, section, verdict } from "../parts.js";
import { state } from "../store.js";

const LATEST = 6;

export class Latest {
  constructor() {
    this.stalls = h("div");
    this.moves = h("div");
    this.element = h(
      "div",
      { class: "columns" },
      section("Latest stalls", { class: "panel" }, this.stalls),
      section("Latest moves", { class: "panel" }, this.moves),
    );
  }

  show() {
    // What was merely preempted is no code's fault.
    const blamed = state.stalls.filter((stall) => stall.verdict !== "preempted");
    const stalls = blamed
      .slice(0, LATEST)
      .map((stall) =>
        h(
          "li",
          null,
          h("a", { href: `#/routes/${stall.route_id}`, class: "route" }, stall.route ?? `route ${stall.route_id}`),
          verdict(stall.verdict),
          h("span", { class: "end" }, stall.over ? duration(stall.lasted_ms) : clock.lasting(stall.began_unix_ms)),
          clock.time(stall.began_unix_ms),
        ),
      );
    const moves = state.moves
      .slice(0, LATEST)
      .map((moved) =>
        h(
          "li",
          null,
          h("a", { href: `#/routes/${moved.route_id}`, class: "route" }, moved.route),
          move(moved.from, moved.to),
          clock.time(moved.at_unix_ms),
        ),
      );
    this.stalls.replaceChildren(
      stalls.length > 0
        ? h("ul", { class: "latest", role: "list" }, ...stalls)
        : empty("No stalls", "No code has held a worker of the event loop for longer than 10 ms."),
    );
    this.moves.replaceChildren(
      moves.length > 0
        ? h("ul", { class: "latest", role: "list" }, ...moves)
        : empty(
            "No moves since this page was opened",
            "A route that blocks or computes where it should not is moved to the lane that is right for it.",
          ),
    );
  }
}
