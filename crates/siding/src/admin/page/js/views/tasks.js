/** Durable tasks: queues, states, rates, and the latest. */
import { h } from "../dom.js";
import { section } from "../parts.js";
import { here, replace, to } from "../router.js";
import { on, state } from "../store.js";
import { Page } from "../tasks/page.js";
import { noTasks } from "../tasks/parts.js";
import { Queues } from "../tasks/queues.js";
import { Chips } from "../tasks/states.js";

export function tasks(query) {
  if (state.overview?.tasks === false)
    return { title: "Tasks", element: h("div", { class: "view" }, h("h1", null, "Tasks"), noTasks()) };
  const chips = new Chips(query.get("state") ?? "", () => page.load());
  const name = h("input", {
    type: "search",
    id: "task",
    placeholder: "Task name",
    "aria-label": "Task name, whole",
    value: query.get("task") ?? "",
    spellcheck: "false",
    autocomplete: "off",
  });
  const queue = h("input", {
    type: "search",
    id: "queue",
    placeholder: "Queue",
    "aria-label": "Queue, whole name",
    value: query.get("queue") ?? "",
    spellcheck: "false",
    autocomplete: "off",
  });
  const page = new Page(() => {
    const filter = { state: chips.chosen, task: name.value.trim(), queue: queue.value.trim() };
    if (here().parts[0] === "tasks") replace(to(["tasks"], filter));
    return filter;
  });
  for (const input of [name, queue]) input.addEventListener("change", () => page.load());
  const queues = new Queues();
  const show = () => {
    chips.show();
    queues.show();
  };
  show();
  page.load();
  const off = on(["tasks"], () => {
    show();
    page.refresh();
  });
  const tick = setInterval(() => chips.show(), 1000);
  const element = h(
    "div",
    { class: "view" },
    h("h1", null, "Tasks"),
    chips.element,
    h("div", { class: "filters", role: "search" }, name, queue),
    page.element,
    section("Queues", null, queues.element),
  );
  const close = () => {
    off();
    clearInterval(tick);
    page.close();
  };
  return { title: "Tasks", element, close };
}
