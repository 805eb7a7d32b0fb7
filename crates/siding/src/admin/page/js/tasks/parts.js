/** What several views show of tasks. */
import { h } from "../dom.js";
import { brief } from "../format.js";
import { code, empty } from "../parts.js";

export const STATES = ["PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"];

/** The state of a task, as a chip. */
export const stateChip = (name) => h("span", { class: "state", "data-state": name }, name.toLowerCase());

/** What is said where the application has no tasks. */
export const noTasks = () =>
  empty(
    "This application has no tasks",
    "Work that is too long for a request, or must not be lost, is a durable task. Register one, and give it to the application:",
    code(
      'let tasks = Tasks::new();\nlet resize = tasks.register("resize", compute(resize_image));\nApp::new("images").with_tasks(tasks).run()',
      "How to add tasks",
    ),
  );

/** The arguments as they would be written in a call. */
export function args({ args, kwargs }, length = 48) {
  const words = [
    ...(args ?? []).map((value) => brief(value, length)),
    ...Object.entries(kwargs ?? {}).map(([name, value]) => `${name}=${brief(value, length)}`),
  ];
  return args ? `(${words.join(", ")})` : "–";
}
