/** Workers of tasks. */
import * as api from "../api.js";
import * as clock from "../clock.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { Meter, code, empty } from "../parts.js";
import { on, state } from "../store.js";
import { Table } from "../table.js";
import { noTasks } from "../tasks/parts.js";

const REFRESH_MS = 5000;

const none = () =>
  h(
    "div",
    null,
    empty(
      "No worker is running",
      "Tasks wait until one does. The application works too unless it was started with `--no-worker`; to work apart from it, on the same data directory or broker:",
      code(`${state.overview?.name ?? "application"} worker`, "How to start a worker"),
    ),
  );

const COLUMNS = [
  {
    id: "name",
    name: "Worker",
    head: true,
    value: (worker) => worker.name,
    print: (worker) => `${worker.name} ${worker.host} ${worker.pid}`,
    paint: (worker) => [
      h("code", null, worker.name),
      h("span", { class: "detail block" }, [worker.host, worker.pid && `pid ${worker.pid}`].filter(Boolean).join(", ")),
    ],
  },
  {
    id: "queues",
    name: "Queues",
    wide: true,
    value: (worker) => (worker.queues ?? []).join(" "),
    text: (worker) => (worker.queues ?? []).join(", ") || "–",
  },
  {
    id: "running",
    name: "Running",
    value: (worker) => worker.running ?? 0,
    print: (worker) => `${worker.running} ${worker.slots}`,
    paint: slots,
  },
  {
    id: "processed",
    name: "Processed",
    end: true,
    wide: true,
    value: (worker) => worker.processed ?? 0,
    text: (worker) => known(worker.processed, count),
  },
  {
    id: "since",
    name: "Started",
    end: true,
    wide: true,
    value: (worker) => worker.since_unix_ms ?? 0,
    print: (worker) => String(worker.since_unix_ms),
    paint: (worker) => known(worker.since_unix_ms, clock.time),
  },
  {
    id: "seen",
    name: "Seen",
    title: "When it was heard of last",
    end: true,
    value: (worker) => worker.seen_unix_ms ?? 0,
    print: (worker) => String(worker.seen_unix_ms),
    paint: (worker) => known(worker.seen_unix_ms, clock.time),
  },
];

const known = (value, show) => (value === null || value === undefined ? "–" : show(value));

function slots(worker) {
  if (worker.running === null || worker.running === undefined) return "–";
  if (!worker.slots) return count(worker.running);
  const meter = new Meter(`Slots of ${worker.name}`, "threads");
  const text = `${count(worker.running)} of ${count(worker.slots)}`;
  meter.show(worker.running, worker.running, worker.slots, text);
  return h("span", { class: "slots" }, meter.element, text);
}

export function workers() {
  const heading = h("h1", null, "Workers");
  if (state.overview?.tasks === false) return { title: "Workers", element: h("div", { class: "view" }, heading, noTasks()) };
  const table = new Table({
    caption: "Workers",
    columns: COLUMNS,
    key: (worker) => worker.name,
    sort: { by: "name", order: "ascending" },
    empty: none(),
  });
  const said = h("div");
  const load = async () => {
    try {
      const { workers, note } = await api.get("/api/workers");
      table.element.hidden = Boolean(note) && (workers ?? []).length === 0;
      said.replaceChildren(
        ...(note
          ? [
              table.element.hidden
                ? empty("The workers of this broker cannot be listed", note)
                : h("p", { class: "detail" }, note),
            ]
          : []),
      );
      table.replace(workers ?? []);
    } catch (error) {
      said.replaceChildren(empty("The workers cannot be shown now", error.message));
    }
  };
  load();
  const tick = setInterval(load, REFRESH_MS);
  const off = on(["tasks"], load);
  const close = () => {
    off();
    clearInterval(tick);
    table.close();
  };
  return { title: "Workers", element: h("div", { class: "view" }, heading, said, table.element), close };
}
