/** The answer at a glance, and below it what to do. */
import * as advice from "../advice.js";
import * as api from "../api.js";
import * as clock from "../clock.js";
import { concerns, Refusals } from "../concerns.js";
import { h, mark, prose, write } from "../dom.js";
import { count, perSecond, plural } from "../format.js";
import { move } from "../lanes.js";
import { verdict } from "../parts.js";
import { stackMayCome } from "../stack.js";
import { state } from "../store.js";
import { link } from "../views/routes.js";

const SHOWN = 5;
const AGAIN_MS = 1500;
const refusals = new Refusals();

export class Head {
  constructor() {
    this.sentence = h("h2", { class: "sentence" });
    this.more = h("p", { class: "detail" });
    this.list = h("ul", { class: "concerns", role: "list" });
    this.banner = h(
      "div",
      { class: "banner" },
      h("span", { class: "banner-mark", "aria-hidden": "true" }),
      h("div", null, this.sentence, this.more),
    );
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
    write(
      this.more,
      known
        ? `${plural(state.routes.size, "route")}, ${count(total)} with requests; ${perSecond(state.history.requests.last(0))} requests/s`
        : "",
    );
    const print = JSON.stringify(
      found.map(({ route, ...rest }) => [rest, route?.id, route?.convictions, route?.verdict, route?.current_lane]),
    );
    if (print === this.print) return;
    this.print = print;
    const more = found.length - SHOWN;
    this.list.replaceChildren(
      ...found.slice(0, SHOWN).map(concern),
      ...(more > 0 ? [h("li", { class: "detail" }, h("a", { href: "#/routes?verdict=any" }, `${count(more)} more`))] : []),
    );
  }
}

function sentence(found) {
  const worst = found.find(({ tone }) => tone === "bad");
  if (worst) return worst.sentence;
  const wrong = found.filter(({ route }) => route).length;
  if (wrong > 0)
    return `${plural(wrong, "route")} should be changed; Siding keeps ${wrong === 1 ? "it" : "them"} from hurting others`;
  const rest = found.length > 0 ? `; ${uncapitalised(found[0].title)}` : "";
  return `Everything runs where it belongs${rest}`;
}

const uncapitalised = (text) => text[0].toLowerCase() + text.slice(1);

/** Advice by the route and its conviction, so that it is asked for once. */
const advices = new Map();

function concern({ tone, title, text, href, link: words, route }) {
  const says = h("div", { class: "concern-text" }, text && h("p", null, ...prose(text)));
  const name = route
    ? h(
        "h3",
        null,
        link(route),
        " ",
        route.verdict && verdict(route.verdict),
        " ",
        route.current_lane !== route.declared_lane && move(route.declared_lane, route.current_lane),
      )
    : h("h3", null, title);
  if (route) advise(route, says);
  return h(
    "li",
    { class: "concern", "data-tone": tone },
    name,
    says,
    href && h("p", { class: "more" }, h("a", { href, "aria-label": `${words}: ${route?.name ?? title}` }, `${words} →`)),
  );
}

async function advise(route, into) {
  const key = `${route.id} ${route.convictions} ${route.verdict} ${route.current_lane}`;
  if (!advices.has(key)) advices.set(key, api.get(`/api/routes/${route.id}`));
  try {
    const full = await advices.get(key);
    if (full.advice) into.replaceChildren(...advice.words(full));
    if (full.advice && !stackMayCome(full.evidence)) return;
    // The place in the code is not known yet.
    advices.delete(key);
    setTimeout(() => into.isConnected && advise(route, into), AGAIN_MS);
  } catch {
    advices.delete(key);
  }
}
