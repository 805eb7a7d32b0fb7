/** The inference services that the application asks, and whether they are well. Nothing is shown where there are none. */
import * as clock from "../clock.js";
import { h, mark, write } from "../dom.js";
import { compact, count, duration, plural } from "../format.js";
import { Figure, Meter, section } from "../parts.js";
import { state } from "../store.js";

const BREAKERS = {
  closed: "Requests are sent",
  "half-open": "One request at a time is sent, to see whether it is well again",
  open: "Nothing is sent until it says that it is ready",
};

export class Upstreams {
  constructor() {
    this.cards = [];
    this.list = h("div", { class: "cards wide" });
    this.element = section("Upstreams", { class: "upstreams", hidden: true }, this.list);
  }

  show() {
    this.element.hidden = state.upstreams.length === 0;
    const names = state.upstreams.map(({ name }) => name);
    if (names.join("\n") !== this.cards.map(({ name }) => name).join("\n")) {
      this.cards = names.map((name) => new Card(name));
      this.list.replaceChildren(...this.cards.map((card) => card.element));
    }
    state.upstreams.forEach((upstream, index) => this.cards[index].show(upstream));
  }
}

/** One client. */
class Card {
  constructor(name) {
    this.name = name;
    this.state = breaker();
    this.meter = new Meter(`${name}: under way`, "threads");
    this.use = h("p", { class: "use" });
    this.figures = {
      requests: new Figure("Requests", "Requests since the start"),
      refused: new Figure("Refused", "Refused since the start, because too many were under way"),
      late: new Figure("Too late", "Without an answer by their deadline, since the start"),
      retries: new Figure("Retries", "Sent to another replica after one had failed, since the start"),
      time: new Figure("Mean time", "How long an answer takes, recent ones weighing more"),
    };
    this.replicas = h("ul", { class: "replicas", role: "list" });
    this.element = h(
      "article",
      { class: "card", "aria-label": name },
      h("h3", null, name, this.state),
      this.meter.element,
      this.use,
      h("dl", { class: "figures" }, ...Object.values(this.figures).map((figure) => figure.element)),
      this.replicas,
    );
    this.print = null;
  }

  show(client) {
    tell(this.state, client.state);
    const { running, running_max: most, waiting, waiting_max: places } = client;
    const text = `${count(running)} of ${count(most)} under way; ${count(waiting)} of ${count(places)} waiting`;
    this.meter.show(running, running, most, text);
    write(this.use, text);
    this.figures.requests.update(compact(client.requests));
    this.figures.refused.update(compact(client.refused), client.refused > 0 ? "bad" : null);
    this.figures.late.update(compact(client.deadline_passed), client.deadline_passed > 0 ? "warn" : null);
    this.figures.retries.update(compact(client.retries), client.retries > 0 ? "warn" : null);
    this.figures.time.update(client.answered > 0 ? duration(client.service_time_ms) : "–");
    const print = JSON.stringify(client.replicas);
    if (print === this.print) return;
    this.print = print;
    this.replicas.replaceChildren(...client.replicas.map(replica));
  }
}

function replica({ url, state, outstanding, requests, failures, ejections, open_until_unix_ms: until, last_error: error, last_error_unix_ms: at }) {
  const chip = breaker();
  tell(chip, state);
  const failed = failures > 0 ? `, ${plural(failures, "failure")}` : "";
  const alone = ejections > 0 ? `, left alone ${plural(ejections, "time")}` : "";
  return h(
    "li",
    null,
    h("p", { class: "replica" }, h("code", null, url), chip),
    h("p", { class: "detail" }, `${plural(requests, "request")}, ${count(outstanding)} not answered yet${failed}${alone}`),
    until && state === "open" && h("p", { class: "detail" }, "It is asked again ", clock.time(until)),
    error && h("p", { class: "detail" }, clock.time(at), `: ${error}`),
  );
}

const breaker = () => h("span", { class: "state" });

function tell(element, name) {
  mark(element, "data-state", name);
  mark(element, "title", BREAKERS[name] ?? name);
  write(element, name);
}
