/** Tasks that are sent by the clock. */
import * as api from "../api.js";
import * as clock from "../clock.js";
import { h } from "../dom.js";
import { code, empty } from "../parts.js";
import { state } from "../store.js";
import { Table } from "../table.js";
import { noTasks } from "./tasks.js";

const REFRESH_MS = 5000;

const none = () => empty("Nothing is sent by the clock", "A task that is to run again and again is declared once, and sent by one leader among the workers:", code("tasks.every(Duration::from_secs(600), clean.s(()));\ntasks.crontab(\"30 6 * * mon-fri\", clean.s(()));"));

const at = (value) => (value ? clock.time(value) : "–");

const COLUMNS = [
  { id: "name", name: "Schedule", head: true, value: (entry) => entry.name, text: (entry) => entry.name },
  { id: "task", name: "Task", wide: true, value: (entry) => entry.task, print: (entry) => entry.task, paint: (entry) => h("code", null, entry.task) },
  { id: "when", name: "When", value: (entry) => entry.when, print: (entry) => entry.when, paint: (entry) => h("code", null, entry.when) },
  { id: "next", name: "Next", end: true, value: (entry) => entry.next_unix_ms ?? 0, print: (entry) => String(entry.next_unix_ms), paint: (entry) => at(entry.next_unix_ms) },
  { id: "last", name: "Last", end: true, wide: true, value: (entry) => entry.last_unix_ms ?? 0, print: (entry) => String(entry.last_unix_ms), paint: (entry) => at(entry.last_unix_ms) },
  { id: "leader", name: "Leader", title: "The worker that sends it", wide: true, value: (entry) => leader(entry), text: (entry) => leader(entry) },
];

const leader = (entry) => (typeof entry.leader === "string" ? entry.leader : entry.leader === true ? "this process" : "–");

export function schedules() {
  const heading = h("h1", null, "Schedules");
  if (state.overview?.tasks === false) return { title: "Schedules", element: h("div", { class: "view" }, heading, noTasks()) };
  const table = new Table({ caption: "Schedules", columns: COLUMNS, key: (entry) => entry.name, sort: { by: "next", order: "ascending" }, empty: none() });
  const said = h("div");
  const load = async () => {
    try {
      const { schedules, note } = await api.get("/api/schedules");
      said.replaceChildren(...(note ? [h("p", { class: "detail" }, note)] : []));
      table.replace(schedules ?? []);
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
