/** Small pieces that several views show. */
import { h, mark, prose, write } from "./dom.js";

const VERDICTS = {
  blocked: "It waited in the kernel and held its thread meanwhile",
  computing: "It was on the CPU",
  preempted: "It waited for a CPU: the machine is busy, the code is not to blame",
  unknown: "The platform would not say",
};

/** What a stalled poll was doing. */
export const verdict = (name) => h("span", { class: "verdict", "data-verdict": name, title: VERDICTS[name] ?? name }, name);

/** Says what to do where there is nothing to see. */
export const empty = (title, ...text) =>
  h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, title),
    ...text.map((line) => (typeof line === "string" ? h("p", null, ...prose(line)) : line)),
  );

/** Code that may be wider than the page, and then scrolls; `label` says what it is. */
export const code = (text, label) =>
  h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": label }, h("code", null, text));

/** Names and values; what is not known is left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    ...known.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

/** A part of a page with its heading. */
export function section(title, attributes, ...children) {
  const id = `h-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return h("section", { "aria-labelledby": id, ...attributes }, h("h2", { id }, title), ...children);
}

/** A bar: what is used, what there is of it, and what there may be. */
export class Meter {
  constructor(label, lane) {
    this.used = h("span", { class: "used" });
    this.there = h("span", { class: "there" });
    this.element = h(
      "div",
      { class: "meter", role: "meter", "aria-label": label, "aria-valuemin": "0", "data-lane": lane },
      this.there,
      this.used,
    );
  }

  show(used, there, max, text) {
    const share = (n) => `${max > 0 ? Math.min(100, (100 * n) / max) : 0}%`;
    this.used.style.inlineSize = share(used);
    this.there.style.inlineSize = share(there);
    mark(this.element, "aria-valuenow", String(Math.min(used, max)));
    mark(this.element, "aria-valuemax", String(max));
    mark(this.element, "aria-valuetext", text);
  }
}

/** A figure with its name; `update` changes it. */
export class Figure {
  constructor(name, title) {
    this.value = h("dd", null, "–");
    this.element = h("div", { class: "figure", title }, h("dt", null, name), this.value);
  }

  update(text, tone) {
    write(this.value, text);
    mark(this.value, "data-tone", tone);
  }
}

/** Says something in passing. */
export function toast(text, tone = "good") {
  const element = h("p", { class: "toast", "data-tone": tone }, text);
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), 6000);
}
