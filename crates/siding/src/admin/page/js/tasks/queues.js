/** Each queue with its tasks by state. */
import { h } from "../dom.js";
import { count } from "../format.js";
import { empty } from "../parts.js";
import { to } from "../router.js";
import { state } from "../store.js";
import { STATES } from "./parts.js";

export class Queues {
  constructor() {
    this.element = h("div");
    this.print = "";
  }

  show() {
    const queues = state.tasks?.queues ?? [];
    const print = JSON.stringify(queues);
    if (print === this.print) return;
    this.print = print;
    const names = [...new Set(queues.map(({ queue }) => queue))].sort();
    const find = (queue, name) => queues.find((entry) => entry.queue === queue && entry.state === name)?.tasks ?? 0;
    const rows = names.map((name) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, h("a", { href: to(["tasks"], { queue: name }) }, name)),
        ...STATES.map((wanted) => h("td", { class: "end" }, find(name, wanted) > 0 ? count(find(name, wanted)) : "–")),
      ),
    );
    const table = h(
      "table",
      null,
      h("caption", { class: "hidden" }, "Tasks of each queue by state"),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, "Queue"),
          ...STATES.map((name) => h("th", { scope: "col", class: "end" }, name.toLowerCase())),
        ),
      ),
      h("tbody", null, ...rows),
    );
    this.element.replaceChildren(
      names.length > 0
        ? h(
            "div",
            { class: "table scrolls", tabindex: "0", role: "region", "aria-label": "Tasks of each queue by state" },
            table,
          )
        : empty("No queue has tasks", "A queue is there once a task has been sent to it."),
    );
  }
}
