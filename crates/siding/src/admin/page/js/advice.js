/** What to change in the code: the advice in words, and what the change looks like. */
import { h, prose } from "./dom.js";

/** Changes by kind and verdict; each has a name, the lines that go, and the lines that come. */
const CHANGES = {
  "async fn blocked": [
    [
      "Leave the event loop for the call that blocks",
      ["let answer = blocking_call();"],
      ["let answer = offload(move || blocking_call()).await?;"],
    ],
    ["Or make the handler a plain fn: it runs on a thread", ["async fn handler(…) -> …"], ["fn handler(…) -> …"]],
  ],
  "async fn computing": [
    [
      "Give the computation to the compute lane",
      ["let sum = computation(n);"],
      ["let sum = compute(move || computation(n)).await?;"],
    ],
    ["Or declare a plain fn for it", [".route(…, get(handler))"], [".route(…, get(compute(handler)))"]],
  ],
  "fn computing": [
    ["Declare the handler for the compute lane", [".route(…, get(handler))"], [".route(…, get(compute(handler)))"]],
  ],
  "fn blocked": [["Declare the handler for the threads", [".route(…, get(compute(handler)))"], [".route(…, get(handler))"]]],
  "async fn unknown": [
    ["If the call blocks", ["let answer = call();"], ["let answer = offload(move || call()).await?;"]],
    ["If it computes", ["let answer = call();"], ["let answer = compute(move || call()).await?;"]],
  ],
};

/** The advice of a route in words: what it did and what was done about it, without its name, and what to write. */
export function words({ name, advice }) {
  const [deed, change] = parted(advice.startsWith(`${name} `) ? capitalised(advice.slice(name.length + 1)) : advice);
  return [h("p", { class: "deed" }, ...prose(deed)), change && h("p", { class: "change" }, ...prose(change))].filter(Boolean);
}

const capitalised = (text) => text[0].toUpperCase() + text.slice(1);

/** `GET /bad blocked …; it now runs on …. Use …` is two: what happened, and what to do. */
function parted(advice) {
  const semicolon = advice.indexOf("; ");
  const end = advice.indexOf(". ", semicolon < 0 ? 0 : semicolon);
  return end < 0 ? [advice, null] : [advice.slice(0, end + 1), advice.slice(end + 2)];
}

/** How the change looks, for a route of this kind with this verdict. */
export function changes(kind, verdict) {
  const known = CHANGES[`${kind} ${verdict}`] ?? [];
  return known.map(([name, before, after]) =>
    h(
      "div",
      { class: "option" },
      h("h3", null, name),
      h(
        "pre",
        { class: "code diff", tabindex: "0", role: "region", "aria-label": name },
        h("code", null, ...before.map((text) => line("del", "-", text)), ...after.map((text) => line("ins", "+", text))),
      ),
    ),
  );
}

const line = (tag, sign, text) => h(tag, { class: "line" }, `${sign} ${text}`);
