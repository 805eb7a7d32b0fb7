/**
 * What is known of the application, as the events told it. Views read `state`, and ask to be told of changes by topic:
 * `link`, `overview`, `lanes`, `routes`, `stalls`, `moves`, `tasks`, `upstreams`.
 */
import * as clock from "./clock.js";
import { Rate } from "./rate.js";
import { Series } from "./series.js";

const STALLS_MAX = 256;
const MOVES_MAX = 100;

export const state = {
  /** `connecting`, `live`, `stale` or `locked`. */
  link: "connecting",
  /** When the last event came, by the server's clock. */
  heardUnixMs: null,
  overview: null,
  lanes: [],
  relief: null,
  /** Summaries by id. */
  routes: new Map(),
  /** Requests a second, by the id of the route. */
  rates: new Map(),
  /** Newest first. */
  stalls: [],
  /** Newest first. */
  moves: [],
  tasks: null,
  /** The clients of inference services. */
  upstreams: [],
  history: fresh(),
};

const readers = new Map();

/** Calls `reader` after each change of one of the topics. Returns the function that ends it. */
export function on(topics, reader) {
  for (const topic of topics) {
    if (!readers.has(topic)) readers.set(topic, new Set());
    readers.get(topic).add(reader);
  }
  return () => topics.forEach((topic) => readers.get(topic).delete(reader));
}

function tell(topic, detail) {
  for (const reader of readers.get(topic) ?? []) reader(detail);
}

function fresh() {
  return {
    /** Event loop, threads, compute, processes. */
    running: new Series(4),
    /** Requests a second, median, 99th percentile. */
    requests: new Series(3),
    /** By the id of the route: requests a second, median, 99th percentile. */
    routes: new Map(),
  };
}

export function setLink(link) {
  if (state.link === link) return;
  state.link = link;
  tell("link");
}

export function setOverview(overview) {
  const restarted = state.overview && state.overview.started_unix_ms !== overview.started_unix_ms;
  if (restarted) {
    Object.assign(state, { moves: [], history: fresh() });
    state.rates.clear();
  }
  state.overview = overview;
  if (overview.relief) state.relief = overview.relief;
  tell("overview");
}

/** Everything at once, at the start and after each reconnection. */
export function takeSnapshot(snapshot) {
  heard(snapshot.at_unix_ms);
  if (snapshot.overview) setOverview(snapshot.overview);
  state.routes.clear();
  state.stalls = kept([...(snapshot.stalls ?? [])].reverse());
  takeLanes(snapshot);
  takeRoutes({ routes: [], ...snapshot, interval: undefined });
  takeTasks(snapshot.tasks ?? null);
  takeUpstreams(snapshot.upstreams ?? { upstreams: [] });
  tell("stalls");
}

export function takeLanes({ at_unix_ms, lanes, relief }) {
  heard(at_unix_ms);
  state.lanes = lanes ?? state.lanes;
  if (relief) state.relief = relief;
  const running = (name) => state.lanes.find(({ lane }) => lane === name)?.running ?? 0;
  const values = [state.relief?.active ?? 0, running("threads"), running("compute"), running("processes")];
  state.history.running.push(at_unix_ms ?? clock.now(), values);
  tell("lanes");
}

/** The routes that changed. Those that are not named had no requests. */
export function takeRoutes({ at_unix_ms, routes, interval }) {
  heard(at_unix_ms);
  const at = at_unix_ms ?? clock.now();
  for (const route of routes) {
    state.routes.set(route.id, route);
    if (!state.rates.has(route.id)) state.rates.set(route.id, new Rate());
    state.rates.get(route.id).count(at, route.requests);
  }
  record(at, interval);
  tell("routes", routes);
}

/** Adds a point to the plots of latency. */
function record(at, interval) {
  for (const [id, route] of state.routes) {
    const rate = state.rates.get(id).perSecond(at);
    if (rate === 0 && !state.history.routes.has(id)) continue;
    if (!state.history.routes.has(id)) state.history.routes.set(id, new Series(3));
    state.history.routes.get(id).push(at, [rate, route.latency_ms_p50, route.latency_ms_p99]);
  }
  if (!interval) return;
  const seconds = interval.seconds ?? 1;
  const quiet = interval.requests === 0;
  state.history.requests.push(at, [
    interval.requests / seconds,
    quiet ? null : interval.latency_ms_p50,
    quiet ? null : interval.latency_ms_p99,
  ]);
}

export const perSecond = (id) => state.rates.get(id)?.perSecond(clock.now()) ?? 0;

export const stallKey = (stall) => `${stall.route_id}:${stall.began_unix_ms}`;

/** As many as are kept, newest first. Those that are nobody's fault go first: a busy machine has so many that nothing else would be seen. */
function kept(stalls) {
  while (stalls.length > STALLS_MAX) {
    const blameless = stalls.findLastIndex((stall) => stall.verdict === "preempted");
    stalls.splice(blameless < 0 ? stalls.length - 1 : blameless, 1);
  }
  return stalls;
}

/** A stall that begins, goes on or ends. */
export function takeStall(stall) {
  heard();
  const known = state.stalls.findIndex((other) => stallKey(other) === stallKey(stall));
  if (known >= 0) state.stalls[known] = stall;
  else state.stalls = kept([stall, ...state.stalls]);
  tell("stalls", stall);
}

export function takeMove(move) {
  heard(move.at_unix_ms);
  state.moves = [move, ...state.moves].slice(0, MOVES_MAX);
  tell("moves", move);
}

export function takeTasks(tasks) {
  heard();
  state.tasks = tasks;
  tell("tasks");
}

export function takeUpstreams({ upstreams }) {
  heard();
  state.upstreams = upstreams;
  tell("upstreams");
}

function heard(serverUnixMs) {
  if (serverUnixMs) clock.set(serverUnixMs);
  state.heardUnixMs = clock.now();
}
