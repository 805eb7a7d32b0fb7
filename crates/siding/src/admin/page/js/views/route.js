/** One route and its evidence. */
import * as advice from "../advice.js";
import * as api from "../api.js";
import * as clock from "../clock.js";
import { h, write } from "../dom.js";
import { count, duration, perSecond as rateText } from "../format.js";
import { move, named, placement } from "../lanes.js";
import { Figure, empty, section } from "../parts.js";
import { Plot } from "../plot.js";
import { counted } from "../series.js";
import { findings, stack, stackMayCome } from "../stack.js";
import { on, perSecond, state } from "../store.js";

const REASONS = {
  convicted: "convicted: there was enough evidence that its lane was wrong for it",
  trial: "on trial: it behaved for long enough to try its declared lane again",
};

export function route(idText) {
  const id = Number(idText);
  const body = h("div", { class: "route-body" });
  const heading = h("h1", { class: "route-name" }, state.routes.get(id)?.name ?? `Route ${idText}`);
  const about = h("p", { class: "about" });
  const figures = new Figures();
  const plots = new Plots(id);
  const element = h(
    "div",
    { class: "view" },
    h("p", { class: "back" }, h("a", { href: "#/routes" }, "← All routes")),
    heading,
    about,
    figures.element,
    body,
    plots.element,
  );
  let shown = "";
  let incomplete = false;
  const load = async () => {
    try {
      const full = await api.get(`/api/routes/${encodeURIComponent(idText)}`);
      const { evidence, advice: words, moves, source } = full;
      const print = JSON.stringify([evidence, words, moves, source, state.overview?.started_unix_ms]);
      incomplete = stackMayCome(evidence);
      write(heading, full.name);
      about.replaceChildren(h("code", null, full.kind), " ", placement(full));
      figures.show(full);
      if (print !== shown) body.replaceChildren(...parts(full));
      shown = print;
    } catch (error) {
      if (shown === "")
        body.replaceChildren(
          error.status === 404
            ? empty(
                "There is no such route",
                "It may have had another number before the application was started again.",
                h("p", null, h("a", { href: "#/routes" }, "All routes")),
              )
            : empty("This cannot be shown now", error.message),
        );
    }
  };
  const draw = () => {
    const known = state.routes.get(id);
    if (known) figures.show(known);
    plots.show();
  };
  const offs = [
    on(["routes"], (changed) => {
      draw();
      if (changed.some((other) => other.id === id)) load();
    }),
    on(["overview"], () => load()),
    on(["stalls"], (stall) => stall?.route_id === id && load()),
    on(["moves"], (moved) => moved.route_id === id && load()),
  ];
  const tick = setInterval(() => {
    draw();
    if (incomplete) load();
  }, 1000);
  load();
  const close = () => {
    offs.forEach((off) => off());
    clearInterval(tick);
    plots.close();
  };
  queueMicrotask(draw);
  return { title: heading.textContent, element, close };
}

/** Advice, evidence and moves. */
function parts(full) {
  const { evidence } = full;
  const wrong =
    full.advice &&
    section(
      "What to change",
      { class: "panel advice" },
      ...advice.words(full),
      h("div", { class: "options" }, ...advice.changes(full.kind, evidence?.verdict)),
    );
  const seen = evidence
    ? section(
        "Evidence",
        { class: "panel" },
        findings(evidence),
        h("h3", null, "Stack, innermost first"),
        stack(evidence, full.source ?? []),
      )
    : section(
        "Evidence",
        { class: "panel" },
        empty(
          "Nothing is held against this route",
          "When one of its polls holds a thread too long, its stack, its system call and its peer are shown here.",
        ),
      );
  const moves = section("Moves", { class: "panel" }, timeline(full));
  return [wrong, h("div", { class: "columns" }, seen, moves)].filter(Boolean);
}

function timeline(full) {
  const first = full.moves[0]?.from ?? full.declared_lane;
  const started = state.overview?.started_unix_ms;
  const items = [...full.moves]
    .reverse()
    .map((moved) =>
      h(
        "li",
        { "data-lane": moved.to },
        move(moved.from, moved.to),
        h("p", null, REASONS[moved.reason] ?? moved.reason),
        clock.time(moved.at_unix_ms),
      ),
    );
  const declared = h(
    "li",
    { "data-lane": first },
    named(full.declared_lane),
    h("p", null, full.moves.length > 0 ? "declared for this lane" : "declared for this lane, and never moved"),
    started && clock.time(started),
  );
  return h("ol", { class: "timeline", role: "list", reversed: true }, ...items, declared);
}

class Figures {
  constructor() {
    this.rate = new Figure("Requests/s", "Over the last five seconds");
    this.requests = new Figure("Requests", "Since the start");
    this.p50 = new Figure("p50", "Half of the requests took no longer");
    this.p90 = new Figure("p90", "90 % of the requests took no longer");
    this.p99 = new Figure("p99", "99 % of the requests took no longer");
    this.max = new Figure("max", "The longest request");
    this.stalls = new Figure("Stalls", "Polls that stalled the event loop");
    this.convictions = new Figure("Convictions", "How often there was enough evidence to move it");
    this.element = h("dl", { class: "figures" }, ...Object.values(this).map((figure) => figure.element));
  }

  show(known) {
    this.rate.update(rateText(perSecond(known.id)));
    this.requests.update(count(known.requests));
    for (const name of ["p50", "p90", "p99", "max"])
      this[name].update(known.requests > 0 ? duration(known[`latency_ms_${name}`]) : "–");
    this.stalls.update(count(known.stalls), known.stalls > 0 ? "warn" : null);
    this.convictions.update(count(known.convictions), known.convictions > 0 ? "bad" : null);
  }
}

class Plots {
  constructor(id) {
    this.id = id;
    this.rate = new Plot("Requests/s", { lines: [{ name: "requests/s", color: "--accent" }], format: rateText });
    this.latency = new Plot("Latency", {
      lines: [
        { name: "p50", color: "--accent" },
        { name: "p99", color: "--accent-2", dash: [5, 3] },
      ],
      format: duration,
      hint: "Percentiles since the start",
    });
    this.stalls = new Plot("Stalls", { lines: [{ name: "in 5 s", color: "--bad", bars: true }], format: count, whole: true });
    this.element = h("div", { class: "plots" }, this.rate.element, this.latency.element, this.stalls.element);
  }

  show() {
    const [times, rates, p50, p99] = state.history.routes.get(this.id)?.columns ?? [[], [], [], []];
    this.rate.show([times, rates]);
    this.latency.show([times, p50, p99]);
    this.stalls.show(
      counted(
        state.stalls.filter((stall) => stall.route_id === this.id).map((stall) => stall.began_unix_ms),
        clock.now(),
      ),
    );
  }

  close() {
    for (const plot of [this.rate, this.latency, this.stalls]) plot.close();
  }
}
