/** What is wrong, from what is known: nothing here touches the page. */
import { count, plural } from "./format.js";
import { to } from "./router.js";

/** How long after its last refusal a lane counts as one that refuses. */
const REFUSED_MS = 30_000;

/** Remembers when the refusals of each lane last grew. */
export class Refusals {
  #lanes = new Map();

  /** Whether a lane has refused work lately. */
  lately(lane, now) {
    const known = this.#lanes.get(lane.lane) ?? { refused: lane.refused, at: -Infinity };
    if (lane.refused > known.refused) known.at = now;
    known.refused = lane.refused;
    this.#lanes.set(lane.lane, known);
    return now - known.at < REFUSED_MS;
  }
}

/**
 * What somebody should look at, the worst first: `{ tone, sentence, title, text, href, link, route }`, without `href` where it is below. The tone `bad` hurts now;
 * `warn` is contained or can wait.
 */
export function concerns(state, refusals, now) {
  const all = [...lanes(state, refusals, now), ...relief(state), ...upstreams(state), ...routes(state), ...tasks(state)];
  return all.sort((a, b) => (b.tone === "bad") - (a.tone === "bad"));
}

function lanes(state, refusals, now) {
  return state.lanes.flatMap((lane) => {
    const refuses = refusals.lately(lane, now);
    if (!refuses && !lane.overloaded) return [];
    const doing = refuses
      ? `refuses work: ${plural(lane.refused, "refusal")} since the start`
      : "is overloaded: work waits too long";
    return [
      {
        tone: "bad",
        sentence: `The ${lane.lane} lane cannot keep up`,
        title: `The ${lane.lane} lane ${doing}`,
        text: `${usage(lane)}. See which routes use it, and raise its limits if the machine has room.`,
        href: to(["routes"], { lane: lane.lane }),
        link: "Its routes",
      },
    ];
  });
}

function usage({ lane, running, waiting, waiting_max: places, threads, threads_max: most }) {
  const unit = lane === "processes" ? "children" : "threads";
  return `${count(running)} running, ${count(waiting)} of ${count(places)} waiting, ${count(threads)} of ${count(most)} ${unit}`;
}

function relief({ relief }) {
  if (!relief || relief.max === 0 || relief.active < relief.max) return [];
  return [
    {
      tone: "bad",
      sentence: "The event loop has no spare worker left",
      title: "Every relief worker is at work",
      text: "More workers of the event loop are stalled than there are spares, so requests wait.",
      href: "#/stalls",
      link: "Stalls",
    },
  ];
}

function upstreams(state) {
  return state.upstreams.flatMap((client) => {
    const unwell = client.replicas.filter(({ state }) => state !== "closed");
    if (unwell.length === 0) return [];
    const [title, what] = {
      closed: [`${count(unwell.length)} of ${plural(client.replicas.length, "replica")} of ${client.name} left alone`, "Others stand in."],
      "half-open": [`No replica of ${client.name} is well`, "Some requests are let through on trial, others answered 503 at once."],
      open: [`No replica of ${client.name} takes requests`, "Who asks is answered 503 at once."],
    }[client.state];
    const last = unwell.find(({ last_error: error }) => error);
    const advice = "It is taken back by itself once it is well: see whether the service runs, and what its log says.";
    return [
      {
        tone: client.state === "closed" ? "warn" : "bad",
        sentence: title,
        title,
        text: [what, advice, last && `Last: ${last.url} ${last.last_error}`].filter(Boolean).join(" "),
      },
    ];
  });
}

function routes(state) {
  const wrong = [...state.routes.values()].filter((route) => route.advised);
  wrong.sort((a, b) => b.stalls - a.stalls || b.requests - a.requests);
  return wrong.map((route) => ({ tone: "warn", route, href: to(["routes", String(route.id)]), link: "The evidence" }));
}

function tasks({ tasks }) {
  if (!tasks) return [];
  const states = statesOf(tasks);
  const failed = states.get("FAILURE") ?? 0;
  const waiting = states.get("PENDING") ?? 0;
  const found = [];
  if (failed > 0)
    found.push({
      tone: "warn",
      title: `${plural(failed, "task")} failed`,
      text: "They are kept with their messages: see why, and send them again.",
      href: to(["tasks"], { state: "failure" }),
      link: "Failed tasks",
    });
  if (waiting > 0 && tasks.workers?.length === 0)
    found.push({
      tone: "warn",
      title: `${plural(waiting, "task waits", "tasks wait")}, and no worker runs`,
      text: "Start one with the sub-command `worker`.",
      href: "#/workers",
      link: "Workers",
    });
  return found;
}

/** How many tasks are in each state, over all queues. */
export function statesOf({ states, queues }) {
  if (states) return new Map(Object.entries(states));
  const counted = new Map();
  for (const { state, tasks } of queues ?? []) counted.set(state, (counted.get(state) ?? 0) + tasks);
  return counted;
}
