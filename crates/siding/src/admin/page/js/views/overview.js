/** The first screen: is anything wrong, where, and what to change. */
import * as advice from "../advice.js";
import * as api from "../api.js";
import * as clock from "../clock.js";
import { concerns, Refusals } from "../concerns.js";
import { h, mark, prose, write } from "../dom.js";
import { compact, count, duration, perSecond, plural } from "../format.js";
import { LANES, move, sign } from "../lanes.js";
import { Figure, Meter, empty, section, verdict } from "../parts.js";
import { Plot } from "../plot.js";
import { counted } from "../series.js";
import { on, state } from "../store.js";
import { link } from "./routes.js";

const SHOWN = 5;
const LATEST = 6;
const refusals = new Refusals();

export function overview() {
  const head = new Head();
  const lanes = LANES.map((lane) => new LaneCard(lane));
  const plots = new Plots();
  const latest = new Latest();
  const element = h(
    "div",
    { class: "view" },
    h("h1", { class: "hidden" }, "Overview"),
    head.element,
    section("Lanes", { class: "lanes" }, h("div", { class: "cards" }, ...lanes.map((lane) => lane.element))),
    section("The last five minutes", null, plots.element),
    latest.element,
  );
  const draw = () => {
    head.show();
    lanes.forEach((lane) => lane.show());
    plots.show();
  };
  const offs = [on(["lanes", "routes", "overview", "tasks", "link"], draw), on(["stalls", "moves"], () => latest.show())];
  const tick = setInterval(() => plots.show(), 1000);
  draw();
  latest.show();
  queueMicrotask(draw);
  const close = () => {
    offs.forEach((off) => off());
    clearInterval(tick);
    plots.close();
  };
  return { title: "Overview", element, close };
}

/** The answer at a glance, and below it what to do. */
class Head {
  constructor() {
    this.sentence = h("p", { class: "sentence" });
    this.more = h("p", { class: "detail" });
    this.list = h("ul", { class: "concerns", role: "list" });
    this.banner = h("div", { class: "banner" }, h("span", { class: "banner-mark", "aria-hidden": "true" }), h("div", null, this.sentence, this.more));
    this.element = h("section", { "aria-label": "State" }, this.banner, this.list);
    this.print = "";
  }

  show() {
    const found = concerns(state, refusals, clock.now());
    const known = state.routes.size > 0;
    const tone = !known ? "none" : (found[0]?.tone ?? "good");
    mark(this.banner, "data-tone", tone);
    write(this.sentence, known ? sentence(found) : "Waiting for the first figures");
    const total = [...state.routes.values()].filter((route) => route.requests > 0).length;
    write(this.more, known ? `${plural(state.routes.size, "route")}, ${count(total)} with requests; ${perSecond(state.history.requests.last(0))} requests/s` : "");
    const print = JSON.stringify(found.map(({ route, ...rest }) => [rest, route?.id, route?.convictions, route?.verdict, route?.current_lane]));
    if (print === this.print) return;
    this.print = print;
    const more = found.length - SHOWN;
    this.list.replaceChildren(...found.slice(0, SHOWN).map(concern), ...(more > 0 ? [h("li", { class: "detail" }, h("a", { href: "#/routes?verdict=any" }, `${count(more)} more`))] : []));
  }
}

function sentence(found) {
  const worst = found.find(({ tone }) => tone === "bad");
  if (worst) return worst.title;
  const wrong = found.filter(({ route }) => route).length;
  if (wrong > 0) return `${plural(wrong, "route")} should be changed; Siding keeps ${wrong === 1 ? "it" : "them"} from hurting others`;
  return found[0]?.title ?? "Everything runs where it belongs";
}

/** Advice by the route and its conviction, so that it is asked for once. */
const advices = new Map();

function concern({ tone, title, text, href, link: words, route }) {
  const says = h("div", { class: "concern-text" }, text && h("p", null, ...prose(text)));
  const name = route ? h("h3", null, link(route), " ", route.verdict && verdict(route.verdict), " ", route.current_lane !== route.declared_lane && move(route.declared_lane, route.current_lane)) : h("h3", null, title);
  if (route) advise(route, says);
  return h("li", { class: "concern", "data-tone": tone }, name, says, h("p", { class: "more" }, h("a", { href, "aria-label": `${words}: ${route?.name ?? title}` }, `${words} →`)));
}

async function advise(route, into) {
  const key = `${route.id} ${route.convictions} ${route.verdict} ${route.current_lane}`;
  if (!advices.has(key)) advices.set(key, api.get(`/api/routes/${route.id}`));
  try {
    const full = await advices.get(key);
    if (full.advice) into.replaceChildren(...advice.words(full));
    else advices.delete(key);
  } catch {
    advices.delete(key);
  }
}

/** A lane: how much of it is in use, what waits, what was refused. */
class LaneCard {
  constructor({ name, title, what }) {
    this.name = name;
    this.meter = new Meter(`${title}: in use`, name);
    this.use = h("p", { class: "use" }, "–");
    this.figures =
      name === "event-loop"
        ? { stalls: new Figure("Stalls", "Polls that stalled it since the start"), now: new Figure("Under way", "Stalls under way now"), spare: new Figure("Relief", "Relief workers at work, of all") }
        : { waiting: new Figure("Waiting", "Jobs that wait now"), refused: new Figure("Refused", "Jobs refused since the start"), time: new Figure("Mean time", "How long a job runs, recent ones weighing more") };
    this.chip = h("span", { class: "chip bad", hidden: true }, "overloaded");
    this.element = h("article", { class: "card", "data-lane": name, "aria-label": title }, h("h3", null, sign(name), title, this.chip), h("p", { class: "detail" }, what), this.meter.element, this.use, h("dl", { class: "figures" }, ...Object.values(this.figures).map((figure) => figure.element)));
  }

  show() {
    if (this.name === "event-loop") return this.#eventLoop();
    const lane = state.lanes.find(({ lane }) => lane === this.name);
    if (!lane) return write(this.use, "not in use");
    const unit = this.name === "processes" ? "children" : "threads";
    const text = `${count(lane.running)} running; ${count(lane.threads)} of ${count(lane.threads_max)} ${unit}`;
    this.meter.show(lane.running, lane.threads, lane.threads_max, text);
    write(this.use, text);
    this.chip.hidden = !lane.overloaded;
    this.figures.waiting.update(`${compact(lane.waiting)} / ${compact(lane.waiting_max)}`, lane.waiting > 0 ? "warn" : null);
    this.figures.refused.update(compact(lane.refused), lane.refused > 0 ? "bad" : null);
    this.figures.time.update(lane.completed > 0 ? duration(lane.service_time_ms) : "–");
  }

  #eventLoop() {
    const { relief, overview } = state;
    const cores = overview?.cores ?? overview?.workers;
    const stalls = [...state.routes.values()].reduce((sum, route) => sum + route.stalls, 0);
    const underWay = state.stalls.filter((stall) => !stall.over).length;
    this.figures.stalls.update(compact(stalls), stalls > 0 ? "warn" : null);
    this.figures.now.update(count(underWay), underWay > 0 ? "bad" : null);
    this.figures.spare.update(relief ? `${count(relief.active)} / ${count(relief.max)}` : "–", relief?.active > 0 ? "warn" : null);
    const text = [cores && plural(cores, "core"), relief && (relief.active > 0 ? `${plural(relief.active, "relief worker")} standing in` : "no relief needed")].filter(Boolean).join("; ");
    this.meter.show(relief?.active ?? 0, relief?.active ?? 0, relief?.max ?? 0, text);
    write(this.use, text || "–");
  }
}

class Plots {
  constructor() {
    this.running = new Plot("Running", {
      lines: LANES.map(({ name, title }) => ({ name: name === "event-loop" ? "Relief" : title, color: `--lane-${name}`, sign: sign(name) })),
      format: count,
      whole: true,
      hint: "Jobs that run on each lane, and relief workers that stand in on the event loop",
    });
    this.latency = new Plot("Latency", { lines: [{ name: "p50", color: "--accent" }, { name: "p99", color: "--accent-2", dash: [5, 3] }], format: duration, hint: "Of the requests that ended within each second" });
    this.stalls = new Plot("Stalls", { lines: [{ name: "in 5 s", color: "--bad", bars: true }], format: count, whole: true, hint: "Stalls of the event loop that began in each five seconds" });
    this.element = h("div", { class: "plots" }, this.running.element, this.latency.element, this.stalls.element);
  }

  show() {
    const [times, , p50, p99] = state.history.requests.columns;
    this.running.show(state.history.running.columns);
    this.latency.show([times, p50, p99]);
    this.stalls.show(counted(state.stalls.map((stall) => stall.began_unix_ms), clock.now()));
  }

  close() {
    for (const plot of [this.running, this.latency, this.stalls]) plot.close();
  }
}

/** The latest stalls and moves. */
class Latest {
  constructor() {
    this.stalls = h("div");
    this.moves = h("div");
    this.element = h("div", { class: "columns" }, section("Latest stalls", { class: "panel" }, this.stalls), section("Latest moves", { class: "panel" }, this.moves));
  }

  show() {
    const stalls = state.stalls.slice(0, LATEST).map((stall) =>
      h("li", null, h("a", { href: `#/routes/${stall.route_id}`, class: "route" }, stall.route ?? `route ${stall.route_id}`), verdict(stall.verdict), h("span", { class: "end" }, stall.over ? duration(stall.lasted_ms) : clock.lasting(stall.began_unix_ms)), clock.time(stall.began_unix_ms)),
    );
    const moves = state.moves.slice(0, LATEST).map((moved) => h("li", null, h("a", { href: `#/routes/${moved.route_id}`, class: "route" }, moved.route), move(moved.from, moved.to), clock.time(moved.at_unix_ms)));
    this.stalls.replaceChildren(stalls.length > 0 ? h("ul", { class: "latest", role: "list" }, ...stalls) : empty("No stalls", "Nothing has held a worker of the event loop for longer than 10 ms."));
    this.moves.replaceChildren(moves.length > 0 ? h("ul", { class: "latest", role: "list" }, ...moves) : empty("No moves since this page was opened", "A route that blocks or computes where it should not is moved to the lane that is right for it."));
  }
}
