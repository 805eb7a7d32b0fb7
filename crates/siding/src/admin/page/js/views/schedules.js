/** Tasks that are sent by the clock. */
import * as api from "../api.js";
import * as clock from "../clock.js";
import { h } from "../dom.js";
import { code, empty } from "../parts.js";
import { state } from "../store.js";
import { Table } from "../table.js";
import { noTasks } from "../tasks/parts.js";

const REFRESH_MS = 5000;

const none = () =>
  empty(
    "Nothing is sent by the clock",
    "A task that is to run again and again is declared once, and sent by one leader among the workers:",
    code(
      'tasks.every(Duration::from_secs(600), clean.s(()));\ntasks.crontab("30 6 * * mon-fri", clean.s(()));',
      "How to declare a schedule",
    ),
  );

const at = (value) => (value ? clock.time(value) : "–");

const COLUMNS = [
  { id: "name", name: "Schedule", head: true, value: (entry) => entry.name, text: (entry) => entry.name },
  {
    id: "task",
    name: "Task",
    wide: true,
    value: (entry) => entry.task,
    print: (entry) => entry.task,
    paint: (entry) => h("code", null, entry.task),
  },
  {
    id: "when",
    name: "When",
    value: (entry) => entry.when,
    print: (entry) => entry.when,
    paint: (entry) => [h("code", null, entry.when), entry.time_zone && h("span", { class: "detail" }, ` ${entry.time_zone}`)],
  },
  {
    id: "next",
    name: "Next",
    end: true,
    value: (entry) => entry.next_unix_ms ?? 0,
    print: (entry) => String(entry.next_unix_ms),
    paint: (entry) => at(entry.next_unix_ms),
  },
  {
    id: "last",
    name: "Last",
    end: true,
    wide: true,
    value: (entry) => entry.last_unix_ms ?? 0,
    print: (entry) => String(entry.last_unix_ms),
    paint: (entry) => at(entry.last_unix_ms),
  },
];

/** Who sends them: one of the workers. */
function leads(schedules, leader) {
  if (schedules.length === 0) return "";
  return h(
    "p",
    { class: "detail" },
    ...(leader ? ["Sent by ", h("code", null, leader)] : ["No worker leads now, so nothing is sent."]),
  );
}

export function schedules() {
  const heading = h("h1", null, "Schedules");
  if (state.overview?.tasks === false) return { title: "Schedules", element: h("div", { class: "view" }, heading, noTasks()) };
  const table = new Table({
    caption: "Schedules",
    columns: COLUMNS,
    key: (entry) => entry.name,
    sort: { by: "next", order: "ascending" },
    empty: none(),
  });
  const said = h("div");
  const load = async () => {
    try {
      const { schedules, leader } = await api.get("/api/schedules");
      said.replaceChildren(leads(schedules, leader));
      table.replace(schedules);
    } catch (error) {
      said.replaceChildren(empty("The schedules cannot be shown now", error.message));
    }
  };
  load();
  const tick = setInterval(load, REFRESH_MS);
  const close = () => {
    clearInterval(tick);
    table.close();
  };
  return { title: "Schedules", element: h("div", { class: "view" }, heading, said, table.element), close };
}
