/** What was seen of a poll that held its thread: facts, stack, source lines. */
import { h } from "./dom.js";
import { duration } from "./format.js";
import { named } from "./lanes.js";
import { facts, verdict } from "./parts.js";
import * as clock from "./clock.js";

/** What is known besides the stack. */
export function findings(evidence) {
  const peer = evidence.peer && [h("code", null, evidence.peer), evidence.service && ` (${evidence.service})`];
  const target = evidence.peer || evidence.path ? null : evidence.target;
  return facts(
    [
      ["Verdict", h("span", null, verdict(evidence.verdict))],
      ["In words", evidence.summary !== evidence.verdict && evidence.summary],
      ["System call", evidence.syscall && h("code", null, evidence.syscall)],
      ["Peer", peer && h("span", null, ...peer.filter(Boolean))],
      ["File", evidence.path && h("code", null, evidence.path)],
      ["Waited for", target],
      ["Lasted", duration(evidence.lasted_ms)],
      ["On", named(evidence.lane)],
      ["Began", clock.time(evidence.began_unix_ms)],
    ].map(([name, value]) => [name, value || null]),
  );
}

/** Whether the stack may still come: its addresses get their names after the fact, beside the work. */
export const stackMayCome = (evidence) => Boolean(evidence) && !evidence.stack && !evidence.stack_error;

/** The frames, the innermost first. Those that are not the application's own are folded. */
export function stack(evidence, source = []) {
  if (!evidence.stack) return h("p", { class: "detail" }, noStack(evidence));
  const list = h("ol", { class: "stack", role: "list" });
  for (const run of runs(evidence)) {
    if (run.own || run.frames.length < 3) list.append(...run.frames.map((frame) => item(frame, source)));
    else list.append(folded(run.frames, source));
  }
  return list;
}

function noStack(evidence) {
  return evidence.stack_error ? `There is none: ${evidence.stack_error}.` : "There is none yet.";
}

/** Frames in a row that are the application's own, or are not; each knows its place in the stack. */
function runs(evidence) {
  const runs = [];
  evidence.stack.forEach((frame, index) => {
    const own = isOwn(evidence, frame, index);
    if (runs.at(-1)?.own !== own) runs.push({ own, frames: [] });
    runs.at(-1).frames.push({ ...frame, own, index });
  });
  return runs;
}

/** Whether a frame is the application's own: the server names one of them, and for the others the path of the file tells. */
const isOwn = (evidence, frame, index) => index === evidence.user_frame || Boolean(frame.file && !LIBRARIES.test(frame.file));
const LIBRARIES = /\/rustc\/|\/\.cargo\/|\/rust\/deps\/|(^|\/)crates\/siding(-[a-z]+)?\/src\/|\.[chsS]$/;

/** The innermost frame of the application's own. */
export const ownFrame = (evidence) =>
  evidence.stack?.[evidence.user_frame] ?? evidence.stack?.find((frame, index) => isOwn(evidence, frame, index));

function folded(frames, source) {
  const inner = h("ol", { class: "stack", role: "list" }, ...frames.map((frame) => item(frame, source)));
  return h("li", { class: "folded" }, h("details", null, h("summary", null, `${frames.length} frames of libraries`), inner));
}

function item(frame, source) {
  const place = frame.file && h("code", { class: "place" }, frame.line ? `${frame.file}:${frame.line}` : frame.file);
  const lines = frame.own && source.find((excerpt) => excerpt.frame === frame.index)?.lines;
  return h(
    "li",
    { "data-own": frame.own ? "yes" : null },
    h("code", { class: "function" }, frame.function),
    place,
    lines && excerpt(lines, frame.function),
  );
}

/** Lines of source with their numbers; the one that was running is marked. */
function excerpt(lines, name) {
  const rows = lines.map(({ number, text, marked }) =>
    h(
      "span",
      { class: "line", "data-marked": marked ? "yes" : null },
      h("span", { class: "number", "aria-hidden": "true" }, String(number)),
      h("span", { class: "hidden" }, marked ? "running: " : ""),
      text || " ",
    ),
  );
  return h(
    "pre",
    { class: "code source", tabindex: "0", role: "region", "aria-label": `Source of ${name}` },
    h("code", null, ...rows),
  );
}
