/** Durable tasks: queues, states, rates, and the latest. */
import * as api from "../api.js";
import { buttons } from "../change.js";
import * as clock from "../clock.js";
import { statesOf } from "../concerns.js";
import { h, mark, write } from "../dom.js";
import { brief, compact, count, perSecond as rateText } from "../format.js";
import { code, empty, section } from "../parts.js";
import { Rate } from "../rate.js";
import { here, replace, to } from "../router.js";
import { on, state } from "../store.js";
import { Table } from "../table.js";

export const STATES = ["PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"];
const REFRESH_MS = 2000;

/** The state of a task, as a chip. */
export const stateChip = (name) => h("span", { class: "state", "data-state": name }, name.toLowerCase());

/** What is said where the application has no tasks. */
export const noTasks = () =>
  empty(
    "This application has no tasks",
    "Work that is too long for a request, or must not be lost, is a durable task. Register one, and give it to the application:",
    code("let tasks = Tasks::new();\nlet resize = tasks.register(\"resize\", compute(resize_image));\nApp::new(\"images\").with_tasks(tasks).run()"),
  );

export function tasks(query) {
  if (state.overview?.tasks === false) return { title: "Tasks", element: h("div", { class: "view" }, h("h1", null, "Tasks"), noTasks()) };
  const chips = new Chips(query.get("state") ?? "", () => page.load());
  const name = h("input", { type: "search", id: "task", placeholder: "Task name", "aria-label": "Task name, whole", value: query.get("task") ?? "", spellcheck: "false", autocomplete: "off" });
  const queue = h("input", { type: "search", id: "queue", placeholder: "Queue", "aria-label": "Queue, whole name", value: query.get("queue") ?? "", spellcheck: "false", autocomplete: "off" });
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
  const element = h("div", { class: "view" }, h("h1", null, "Tasks"), chips.element, h("div", { class: "filters", role: "search" }, name, queue), page.element, section("Queues", null, queues.element));
  const close = () => {
    off();
    clearInterval(tick);
    page.close();
  };
  return { title: "Tasks", element, close };
}

/** How many there are in each state and how fast that grows; pressing one shows those. */
class Chips {
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
      return { name, value, rate, button: h("button", { type: "button", class: "state-button", "data-state": name, onclick: press }, h("span", { class: "state-name" }, name.toLowerCase()), value, rate) };
    });
    this.element = h("div", { class: "states", role: "group", "aria-label": "Tasks by state" }, ...this.buttons.map(({ button }) => button));
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

/** A page of tasks, the newest first; more on demand. */
class Page {
  constructor(filter) {
    this.filter = filter;
    this.items = [];
    this.table = new Table({ caption: "Tasks, the newest first", columns: columns(() => this.load()), key: (task) => task.id, sort: { by: "sent", order: "descending" }, empty: empty("No such tasks", "Change the filter above, or send one: `task.delay(args).await?`") });
    this.more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#older() }, "Older tasks");
    this.said = h("div", { class: "said", hidden: true });
    this.element = h("section", { "aria-label": "Latest tasks" }, this.said, this.table.element, this.more);
  }

  async load() {
    this.loaded = performance.now();
    const filter = this.filter();
    const asked = (this.asked = Symbol());
    try {
      const page = await api.get(`/api/tasks${address(filter)}`);
      if (asked !== this.asked) return;
      this.#show(page, page.tasks);
    } catch (error) {
      if (asked === this.asked && this.items.length === 0) this.#say(empty("The tasks cannot be shown now", error.message));
    }
  }

  /** Loads again, unless older pages are on the screen or it has just been done. */
  refresh() {
    clearTimeout(this.later);
    const wait = Math.max(0, REFRESH_MS - (performance.now() - (this.loaded ?? 0)));
    if (!this.paged) this.later = setTimeout(() => this.load(), wait);
  }

  async #older() {
    this.paged = true;
    const page = await api.get(`/api/tasks${address({ ...this.filter(), before: this.next })}`);
    this.#show(page, [...this.items, ...page.tasks]);
  }

  #show(page, items) {
    this.items = items;
    this.next = page.next;
    this.more.hidden = page.next === null;
    this.said.hidden = true;
    this.table.replace(items);
    this.table.element.hidden = Boolean(page.unlisted);
    if (page.unlisted) this.#say(empty("This broker cannot list its tasks", page.unlisted));
  }

  #say(element) {
    this.said.replaceChildren(element);
    this.said.hidden = false;
  }

  close() {
    clearTimeout(this.later);
    this.table.close();
  }
}

function address(query) {
  const known = Object.entries(query).filter(([, value]) => value);
  return known.length > 0 ? `?${new URLSearchParams(known)}` : "";
}

function columns(changed) {
  return [
    {
      id: "task",
      name: "Task",
      head: true,
      value: (task) => task.task,
      print: (task) => `${task.task} ${task.state} ${task.exception?.message}`,
      paint: (task) => [h("a", { href: to(["tasks", task.id]), class: "route" }, task.task), h("code", { class: "id", title: task.id }, task.id.slice(0, 8)), h("span", { class: "second" }, stateChip(task.state)), task.exception && h("span", { class: "failure" }, `${task.exception.exc_type}: ${task.exception.message}`)],
    },
    { id: "state", name: "State", wide: true, value: (task) => task.state, print: (task) => task.state, paint: (task) => stateChip(task.state) },
    { id: "args", name: "Arguments", wide: true, print: (task) => brief([task.args, task.kwargs], 48), paint: (task) => h("code", null, args(task)) },
    { id: "queue", name: "Queue", wide: true, value: (task) => task.queue ?? "", text: (task) => task.queue ?? "–" },
    { id: "retries", name: "Retries", end: true, wide: true, value: (task) => task.retries, text: (task) => count(task.retries) },
    { id: "sent", name: "Sent", end: true, value: (task) => task.sent_at ?? 0, print: (task) => String(task.sent_at), paint: (task) => (task.sent_at ? clock.time(task.sent_at) : "–") },
    { id: "do", name: "Actions", end: true, print: (task) => task.state, paint: (task) => h("span", { class: "buttons" }, ...buttons(task, changed)) },
  ];
}

/** The arguments as they would be written in a call. */
export function args({ args, kwargs }, length = 48) {
  const words = [...(args ?? []).map((value) => brief(value, length)), ...Object.entries(kwargs ?? {}).map(([name, value]) => `${name}=${brief(value, length)}`)];
  return args ? `(${words.join(", ")})` : "–";
}

/** Each queue with its tasks by state. */
class Queues {
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
    const rows = names.map((name) => h("tr", null, h("th", { scope: "row" }, h("a", { href: to(["tasks"], { queue: name }) }, name)), ...STATES.map((wanted) => h("td", { class: "end" }, find(name, wanted) > 0 ? count(find(name, wanted)) : "–"))));
    const table = h("table", null, h("caption", { class: "hidden" }, "Tasks of each queue by state"), h("thead", null, h("tr", null, h("th", { scope: "col" }, "Queue"), ...STATES.map((name) => h("th", { scope: "col", class: "end" }, name.toLowerCase())))), h("tbody", null, ...rows));
    this.element.replaceChildren(names.length > 0 ? h("div", { class: "table scrolls", tabindex: "0", role: "region", "aria-label": "Queues" }, table) : empty("No queue has tasks", "A queue is there once a task has been sent to it."));
  }
}
