/** Stalls of the event loop, as they happen. */
import * as api from "../api.js";
import * as clock from "../clock.js";
import { h, write } from "../dom.js";
import { duration, plural } from "../format.js";
import { empty, verdict } from "../parts.js";
import { findings, ownFrame, stack, stackMayCome } from "../stack.js";
import { on, stallKey, state, takeStall } from "../store.js";
import { link } from "./routes.js";

const AGAIN_MS = 1500;

export function stalls() {
  const list = h("ol", { class: "stalls", role: "list", reversed: true });
  const none = empty(
    "Nothing has stalled the event loop",
    "A poll that holds an event-loop worker for longer than 10 ms is listed here, while it lasts, with its stack and what it waits for.",
  );
  const total = h("output", { class: "detail" });
  const all = h("input", { type: "checkbox", id: "all" });
  const items = new Map();
  const show = () => {
    const shown = state.stalls.filter((stall) => all.checked || stall.verdict !== "preempted");
    const keys = new Set(shown.map(stallKey));
    for (const [key, item] of items) {
      if (keys.has(key)) continue;
      item.element.remove();
      items.delete(key);
    }
    let place = list.firstChild;
    for (const stall of shown) {
      const key = stallKey(stall);
      if (!items.has(key)) items.set(key, new Item());
      const item = items.get(key);
      item.show(stall);
      if (item.element === place) place = place.nextSibling;
      else list.insertBefore(item.element, place);
    }
    const lasting = shown.filter((stall) => !stall.over).length;
    none.hidden = shown.length > 0;
    const hidden = state.stalls.length - shown.length;
    write(
      total,
      [plural(shown.length, "stall"), lasting > 0 && `${lasting} under way`, hidden > 0 && `${hidden} preempted not shown`]
        .filter(Boolean)
        .join(", "),
    );
  };
  all.addEventListener("input", show);
  show();
  complete();
  const filters = h(
    "div",
    { class: "filters" },
    h("label", { class: "check", title: "The machine was busy, and no code is to blame" }, all, "Preempted too"),
    total,
  );
  return {
    title: "Stalls",
    element: h("div", { class: "view" }, h("h1", null, "Stalls"), filters, list, none),
    close: on(["stalls"], show),
  };
}

/** Asks for the stacks that were resolved after the events were sent. */
async function complete() {
  const { stalls } = await api.get("/api/stalls").catch(() => ({ stalls: [] }));
  const known = new Map(stalls.map((stall) => [stallKey(stall), stall]));
  const lacking = state.stalls.filter((stall) => !stall.stack).map((stall) => known.get(stallKey(stall)));
  lacking.filter((stall) => stall?.stack).forEach(takeStall);
}

/** One stall: a line that opens on its evidence. */
class Item {
  constructor() {
    this.head = h("summary");
    this.body = h("div", { class: "stall-body" });
    this.details = h("details", { ontoggle: () => this.#fill() }, this.head, this.body);
    this.element = h("li", null, this.details);
  }

  show(stall) {
    if (this.stall && JSON.stringify(this.stall) === JSON.stringify(stall)) return;
    this.stall = stall;
    const place = ownFrame(stall);
    this.element.dataset.over = stall.over ? "yes" : "no";
    const held = stall.over ? h("span", null, duration(stall.lasted_ms)) : clock.lasting(stall.began_unix_ms);
    this.head.replaceChildren(
      h("span", { class: "stall-when" }, clock.time(stall.began_unix_ms)),
      h("span", { class: "stall-route" }, stall.route ?? `route ${stall.route_id}`),
      h("span", { class: "stall-held" }, stall.over ? null : h("span", { class: "chip bad" }, "under way"), held),
      h("span", { class: "stall-verdict" }, verdict(stall.verdict)),
      h("span", { class: "stall-what" }, what(stall), place && h("code", { class: "place" }, `${place.file}:${place.line}`)),
    );
    if (this.details.open) this.#fill();
  }

  #fill() {
    if (!this.details.open) return;
    const { stall } = this;
    const known = state.routes.get(stall.route_id) ?? { id: stall.route_id, name: stall.route ?? `route ${stall.route_id}` };
    this.body.replaceChildren(
      h("p", null, "Route ", link(known)),
      findings(stall),
      h("h2", null, "Stack, innermost first"),
      stack(stall),
    );
    if (stackMayCome(stall)) setTimeout(() => this.#complete(), AGAIN_MS);
  }

  async #complete() {
    await complete();
    this.#fill();
  }
}

/** What it did, in a few words. */
function what(stall) {
  if (stall.verdict === "preempted") return h("span", { class: "detail" }, "the machine was busy; no code is to blame");
  if (!stall.syscall) return null;
  const target = stall.service ? `${stall.peer} (${stall.service})` : (stall.peer ?? stall.path ?? stall.target);
  return h("span", null, h("code", null, stall.syscall), target && ` ${target}`);
}
