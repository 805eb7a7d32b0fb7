/** All routes. */
import { h, write } from "../dom.js";
import { compact, count, duration, perSecond as rateText, plural } from "../format.js";
import { LANES, placement } from "../lanes.js";
import { empty, verdict } from "../parts.js";
import { replace, to } from "../router.js";
import { on, perSecond, state } from "../store.js";
import { Table } from "../table.js";

/** The name of a route as a link: the method apart from the path. */
export function link(route) {
  const [, method, path] = /^([A-Z]+) (.*)$/.exec(route.name) ?? [null, null, route.name];
  return h(
    "a",
    { href: to(["routes", String(route.id)]), class: "route" },
    method && [h("span", { class: "method" }, method), " "],
    path,
  );
}

const latency = (name, field, title, wide) => ({
  id: field,
  name,
  title,
  end: true,
  wide,
  value: (route) => route[field],
  text: (route) => (route.requests > 0 ? duration(route[field]) : "–"),
});

const COLUMNS = [
  {
    id: "name",
    name: "Route",
    head: true,
    value: (route) => route.name,
    print: (route) => `${route.name} ${place(route)} ${route.verdict}`,
    paint: (route) => [link(route), h("span", { class: "second" }, placement(route), route.verdict && verdict(route.verdict))],
  },
  {
    id: "kind",
    name: "Kind",
    wide: true,
    value: (route) => route.kind,
    print: (route) => route.kind,
    paint: (route) => h("code", null, route.kind),
  },
  { id: "lane", name: "Lane", wide: true, value: place, print: place, paint: placement },
  {
    id: "rate",
    name: "Req/s",
    title: "Requests a second, over the last five",
    end: true,
    value: (route) => perSecond(route.id),
    text: (route) => rateText(perSecond(route.id)),
  },
  {
    id: "requests",
    name: "Requests",
    title: "Since the start",
    end: true,
    wide: true,
    value: (route) => route.requests,
    text: (route) => compact(route.requests),
  },
  latency("p50", "latency_ms_p50", "Half of the requests took no longer, since the start", true),
  latency("p90", "latency_ms_p90", "90 % of the requests took no longer, since the start", true),
  latency("p99", "latency_ms_p99", "99 % of the requests took no longer, since the start", false),
  latency("max", "latency_ms_max", "The longest request, since the start", true),
  {
    id: "stalls",
    name: "Stalls",
    title: "Polls that stalled the event loop",
    end: true,
    wide: true,
    value: (route) => route.stalls,
    text: (route) => (route.stalls > 0 ? count(route.stalls) : "–"),
  },
  {
    id: "verdict",
    name: "Verdict",
    title: "What it was doing when it was convicted",
    wide: true,
    value: (route) => route.verdict ?? "",
    print: (route) => `${route.verdict}`,
    paint: (route) => (route.verdict ? verdict(route.verdict) : h("span", { class: "none" }, "–")),
  },
];

function place(route) {
  return [route.current_lane, route.declared_lane, route.diverted_to ?? "", route.pinned ? "pinned" : ""].join(" ");
}

export function routes(query) {
  const table = new Table({
    caption: "Routes with their lanes, rates and latencies",
    columns: COLUMNS,
    key: (route) => route.id,
    sort: { by: "rate", order: "descending" },
    tie: (route) => route.requests,
    empty: empty("No route is like that", "Change the search or the lane above."),
  });
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: "Search routes",
    "aria-label": "Search routes",
    value: query.get("search") ?? "",
    spellcheck: "false",
    autocomplete: "off",
  });
  const lane = select("Lane", "lane", [["", "All lanes"], ...LANES.map(({ name, title }) => [name, title])], query.get("lane"));
  const only = h("input", { type: "checkbox", id: "only", checked: query.has("verdict") });
  const found = h("output", { class: "detail", for: "search" });
  const show = () => {
    const words = search.value.trim().toLowerCase();
    table.filter(
      (route) =>
        (words === "" || route.name.toLowerCase().includes(words)) &&
        (lane.value === "" || route.current_lane === lane.value) &&
        (!only.checked || route.verdict !== null),
    );
    write(found, plural(table.shown, "route"));
  };
  const changed = () => {
    replace(to(["routes"], { search: search.value, lane: lane.value, verdict: only.checked && "any" }));
    show();
  };
  for (const input of [search, lane, only]) input.addEventListener("input", changed);
  table.replace([...state.routes.values()]);
  show();
  // Rates fall without an event: a route that had requests lately is looked at again.
  const tick = setInterval(
    () => table.update([...state.routes.values()].filter(({ id }) => perSecond(id) > 0 || busy.delete(id))),
    1000,
  );
  const busy = new Set();
  const off = on(["routes"], (changedRoutes) => {
    changedRoutes.forEach(({ id }) => busy.add(id));
    if (table.rows.size > state.routes.size) table.replace([...state.routes.values()]);
    else table.update(changedRoutes);
    write(found, plural(table.shown, "route"));
  });
  const element = h(
    "div",
    { class: "view" },
    h("h1", null, "Routes"),
    h("div", { class: "filters", role: "search" }, search, lane, h("label", { class: "check" }, only, "With a verdict"), found),
    table.element,
  );
  const close = () => {
    off();
    clearInterval(tick);
    table.close();
  };
  return { title: "Routes", element, close };
}

/** A field to choose from. */
export function select(label, id, options, chosen) {
  return h(
    "select",
    { id, "aria-label": label },
    ...options.map(([value, name]) => h("option", { value, selected: value === (chosen ?? "") }, name)),
  );
}
