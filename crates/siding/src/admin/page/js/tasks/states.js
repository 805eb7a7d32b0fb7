/** How many tasks there are in each state and how fast that grows; pressing one shows those. */
import * as clock from "../clock.js";
import { statesOf } from "../concerns.js";
import { h, mark, write } from "../dom.js";
import { compact, count, perSecond as rateText } from "../format.js";
import { Rate } from "../rate.js";
import { state } from "../store.js";
import { STATES } from "./parts.js";

export class Chips {
  constructor(chosen, changed) {
    this.chosen = chosen.toUpperCase();
    this.rates = new Map();
    this.buttons = STATES.map((name) => {
      const value = h("strong", null, "–");
      const rate = h("span", { class: "detail" });
      const press = () => {
        this.chosen = this.chosen === name ? "" : name;
        this.show();
        changed();
      };
      return {
        name,
        value,
        rate,
        button: h(
          "button",
          { type: "button", class: "state-button", "data-state": name, onclick: press },
          h("span", { class: "state-name" }, name.toLowerCase()),
          value,
          rate,
        ),
      };
    });
    this.element = h(
      "div",
      { class: "states", role: "group", "aria-label": "Tasks by state" },
      ...this.buttons.map(({ button }) => button),
    );
  }

  show() {
    const states = state.tasks ? statesOf(state.tasks) : null;
    for (const { name, value, rate, button } of this.buttons) {
      mark(button, "aria-pressed", String(this.chosen === name));
      if (!states) continue;
      const total = states.get(name) ?? 0;
      write(value, compact(total));
      mark(value, "title", count(total));
      if (!this.rates.has(name)) this.rates.set(name, new Rate());
      this.rates.get(name).count(clock.now(), total);
      const grows = this.rates.get(name).perSecond(clock.now());
      const shown = ["SUCCESS", "FAILURE", "REVOKED"].includes(name);
      write(rate, shown ? `${rateText(Math.max(0, grows))}/s` : "now");
    }
  }
}
