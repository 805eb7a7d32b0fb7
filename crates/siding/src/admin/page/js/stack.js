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
  return facts([
    ["Verdict", h("span", null, verdict(evidence.verdict))],
    ["In words", evidence.summary !== evidence.verdict && evidence.summary],
    ["System call", evidence.syscall && h("code", null, evidence.syscall)],
    ["Peer", peer && h("span", null, ...peer.filter(Boolean))],
    ["File", evidence.path && h("code", null, evidence.path)],
    ["Waited for", target],
    ["Lasted", duration(evidence.lasted_ms)],
    ["On", named(evidence.lane)],
    ["Began", clock.time(evidence.began_unix_ms)],
  ].map(([name, value]) => [name, value || null]));
}

/** The frames, the innermost first. Those that are not the application's own are folded. */
export function stack(evidence, source = []) {
  if (!evidence.stack) return h("p", { class: "detail" }, evidence.stack_error ? `No stack: ${evidence.stack_error}.` : "The stack is being resolved.");
  const list = h("ol", { class: "stack", role: "list" });
  for (const run of runs(evidence.stack)) {
    if (run.own || run.frames.length < 3) list.append(...run.frames.map((frame) => item(frame, run.own, source)));
    else list.append(folded(run.frames, source));
  }
  return list;
}

/** Frames in a row that are the application's own, or are not. */
function runs(frames) {
  const runs = [];
  for (const frame of frames) {
    const own = isOwn(frame);
    if (runs.at(-1)?.own !== own) runs.push({ own, frames: [] });
    runs.at(-1).frames.push(frame);
  }
  return runs;
}

const LIBRARIES = /\/(\.cargo|cargo|rustc|rustlib)\/|^\/?(usr|build|nix)\/|glibc|^\.\.?\//;
const isOwn = (frame) => frame.own ?? Boolean(frame.file && !LIBRARIES.test(frame.file) && !frame.file.includes("/siding"));

/** The innermost frame of the application's own. */
export const ownFrame = (evidence) => evidence.stack?.find(isOwn);

function folded(frames, source) {
  const inner = h("ol", { class: "stack", role: "list" }, ...frames.map((frame) => item(frame, false, source)));
  return h("li", { class: "folded" }, h("details", null, h("summary", null, `${frames.length} frames of libraries`), inner));
}

function item(frame, own, source) {
  const place = frame.file && h("code", { class: "place" }, frame.line ? `${frame.file}:${frame.line}` : frame.file);
  const lines = own ? (frame.source?.lines ?? source.find(({ file, line }) => file === frame.file && line === frame.line)?.lines) : null;
  return h("li", { "data-own": own ? "yes" : null }, h("code", { class: "function" }, frame.function), place, lines && excerpt(lines, frame.function));
}

/** Lines of source with their numbers; the one that was running is marked. */
function excerpt(lines, name) {
  const rows = lines.map(({ number, text, marked }) =>
    h("span", { class: "line", "data-marked": marked ? "yes" : null }, h("span", { class: "number", "aria-hidden": "true" }, String(number)), h("span", { class: "hidden" }, marked ? "running: " : ""), text || " "),
  );
  return h("pre", { class: "code source", tabindex: "0", role: "region", "aria-label": `Source of ${name}` }, h("code", null, ...rows));
}
