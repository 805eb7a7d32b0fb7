/** Retrying and revoking tasks: asks first, says what came of it. */
import * as api from "./api.js";
import { h } from "./dom.js";
import { ask } from "./dialog.js";
import { toast } from "./parts.js";

const RETRIED = ["FAILURE", "REVOKED"];
const REVOKED = ["PENDING", "STARTED", "RETRY", "RECEIVED"];

/** The buttons for what can be done with a task in its state. `done` runs after each change. */
export function buttons(task, done) {
  const path = `/api/tasks/${encodeURIComponent(task.id)}`;
  const retry = () =>
    ask(
      { title: `Retry ${task.task}?`, text: "It is sent again as it was, with the same id and arguments.", confirm: "Retry" },
      async () => {
        const { became } = await api.post(`${path}/retry`);
        toast(`${task.task} ${became}`);
        done();
      },
    );
  const revoke = () =>
    ask(
      {
        title: `Revoke ${task.task}?`,
        text:
          task.state === "STARTED"
            ? "It runs already, and goes on unless it is ended too."
            : "It will not be started. It can be sent again later.",
        check: task.state === "STARTED" && "End it if it runs",
        confirm: "Revoke",
        danger: true,
      },
      async (terminate) => {
        const { became } = await api.post(`${path}/revoke`, { terminate });
        toast(`${task.task} ${became}`);
        done();
      },
    );
  return [
    RETRIED.includes(task.state) &&
      h("button", { type: "button", class: "small", onclick: retry, "aria-label": `Retry ${task.task} ${task.id}` }, "Retry"),
    REVOKED.includes(task.state) &&
      h(
        "button",
        { type: "button", class: "small", onclick: revoke, "aria-label": `Revoke ${task.task} ${task.id}` },
        "Revoke",
      ),
  ].filter(Boolean);
}
