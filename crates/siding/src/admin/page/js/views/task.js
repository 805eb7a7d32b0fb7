/** One task, with all that is known of it. */
import * as api from "../api.js";
import { buttons } from "../change.js";
import * as clock from "../clock.js";
import { h, write } from "../dom.js";
import { code, empty, facts, section } from "../parts.js";
import { to } from "../router.js";
import { on } from "../store.js";
import { args, stateChip } from "../tasks/parts.js";

const SETTLED = ["SUCCESS", "FAILURE", "REVOKED"];

export function task(id) {
  const heading = h("h1", null, "Task");
  const body = h("div", { class: "route-body" });
  let shown = "";
  const load = async () => {
    try {
      const full = await api.get(`/api/tasks/${encodeURIComponent(id)}`);
      const print = JSON.stringify(full);
      if (print === shown) return;
      shown = print;
      write(heading, full.task ?? "Task");
      body.replaceChildren(...parts(full, load));
    } catch (error) {
      if (shown !== "") return;
      body.replaceChildren(
        error.status === 404
          ? empty("There is no such task", "It was never sent here, or its result is no longer kept.")
          : empty("This cannot be shown now", error.message),
      );
    }
  };
  load();
  const off = on(["tasks", "link"], load);
  return {
    title: "Task",
    element: h("div", { class: "view" }, h("p", { class: "back" }, h("a", { href: "#/tasks" }, "← All tasks")), heading, body),
    close: off,
  };
}

function parts(full, load) {
  return [
    h(
      "div",
      { class: "about" },
      stateChip(full.state),
      h("code", null, full.id),
      h("span", { class: "buttons" }, ...buttons(full, load)),
    ),
    failure(full),
    h(
      "div",
      { class: "columns" },
      section("Call", { class: "panel" }, code(`${full.task}${args(full, 2000)}`, "The call"), call(full)),
      section("History", { class: "panel" }, history(full)),
    ),
    full.state === "SUCCESS" &&
      section("Result", { class: "panel" }, code(JSON.stringify(full.result, null, 2) ?? "null", "The result as JSON")),
  ].filter(Boolean);
}

function failure({ exception, traceback }) {
  if (!exception && !traceback) return null;
  const words = exception && h("p", { class: "deed" }, h("strong", null, exception.exc_type), `: ${exception.message}`);
  return section("Failure", { class: "panel advice" }, words, traceback && code(traceback, "Traceback"));
}

function call(full) {
  const related = (id) => h("a", { href: to(["tasks", id]) }, h("code", null, id));
  return facts(
    [
      ["Queue", full.queue],
      ["Priority", full.priority !== null && full.priority !== undefined ? String(full.priority) : null],
      ["Retries", String(full.retries ?? 0)],
      ["Deliveries", full.deliveries !== null && full.deliveries !== undefined ? String(full.deliveries) : null],
      ["Worker", full.worker && h("code", null, full.worker)],
      ["Parent", full.parent_id && related(full.parent_id)],
      ["Group", full.group && h("code", null, full.group)],
      ["Children", full.children?.length > 0 && h("span", null, ...full.children.flatMap((id) => [related(id), " "]))],
    ].map(([name, value]) => [name, value || null]),
  );
}

/** What happened to it, the latest first. */
function history(full) {
  const known = full.states ?? fromFields(full);
  const items = [...known]
    .reverse()
    .map(({ state, at_unix_ms: at }) =>
      h("li", null, stateChip(state), at ? clock.time(at) : h("span", { class: "detail" }, "time not kept")),
    );
  return h("ol", { class: "timeline", role: "list", reversed: true }, ...items);
}

function fromFields({ state, sent_at: sent, eta, date_done: done }) {
  const settled = SETTLED.includes(state);
  const first = sent ? [{ state: "PENDING", at_unix_ms: sent }] : [];
  if (settled) return [...first, { state, at_unix_ms: done }];
  return state === "PENDING" && first.length > 0 ? first : [...first, { state, at_unix_ms: state === "RETRY" ? eta : null }];
}
