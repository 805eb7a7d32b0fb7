/** A page of tasks, the newest first; more on demand. */
import * as api from "../api.js";
import { buttons } from "../change.js";
import * as clock from "../clock.js";
import { h } from "../dom.js";
import { brief, count } from "../format.js";
import { empty } from "../parts.js";
import { to } from "../router.js";
import { Table } from "../table.js";
import { args, stateChip } from "./parts.js";

const REFRESH_MS = 2000;

export class Page {
  constructor(filter) {
    this.filter = filter;
    this.items = [];
    this.table = new Table({
      caption: "Tasks, the newest first",
      columns: columns(() => this.load()),
      key: (task) => task.id,
      sort: { by: "sent", order: "descending" },
      empty: empty("No such tasks", "Change the filter above, or send one: `task.delay(args).await?`"),
    });
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
      paint: (task) => [
        h("a", { href: to(["tasks", task.id]), class: "route" }, task.task),
        h("code", { class: "id", title: task.id }, `…${task.id.slice(-8)}`),
        h("span", { class: "second" }, stateChip(task.state)),
        task.exception && h("span", { class: "failure" }, `${task.exception.exc_type}: ${task.exception.message}`),
      ],
    },
    {
      id: "state",
      name: "State",
      wide: true,
      value: (task) => task.state,
      print: (task) => task.state,
      paint: (task) => stateChip(task.state),
    },
    {
      id: "args",
      name: "Arguments",
      wide: true,
      print: (task) => brief([task.args, task.kwargs], 48),
      paint: (task) => h("code", null, args(task)),
    },
    { id: "queue", name: "Queue", wide: true, value: (task) => task.queue ?? "", text: (task) => task.queue ?? "–" },
    {
      id: "retries",
      name: "Retries",
      end: true,
      wide: true,
      value: (task) => task.retries,
      text: (task) => count(task.retries),
    },
    {
      id: "sent",
      name: "Sent",
      end: true,
      value: (task) => task.sent_at ?? 0,
      print: (task) => String(task.sent_at),
      paint: (task) => (task.sent_at ? clock.time(task.sent_at) : "–"),
    },
    {
      id: "do",
      name: "Actions",
      end: true,
      print: (task) => task.state,
      paint: (task) => h("span", { class: "buttons" }, ...buttons(task, changed)),
    },
  ];
}
