/** A lane: how much of it is in use, what waits, what was refused. */
import { h, write } from "../dom.js";
import { compact, count, duration, plural } from "../format.js";
import { sign } from "../lanes.js";
import { Figure, Meter } from "../parts.js";
import { state } from "../store.js";

export class LaneCard {
  constructor({ name, title, what }) {
    this.name = name;
    this.meter = new Meter(`${title}: in use`, name);
    this.use = h("p", { class: "use" }, "–");
    this.figures =
      name === "event-loop"
        ? {
            stalls: new Figure("Stalls", "Polls that stalled it since the start"),
            now: new Figure("Under way", "Stalls under way now"),
            spare: new Figure("Relief", "Relief workers at work, of all"),
          }
        : {
            waiting: new Figure("Waiting", "Jobs that wait now"),
            refused: new Figure("Refused", "Jobs refused since the start"),
            time: new Figure("Mean time", "How long a job runs, recent ones weighing more"),
          };
    this.chip = h("span", { class: "chip bad", hidden: true }, "overloaded");
    this.element = h(
      "article",
      { class: "card", "data-lane": name, "aria-label": title },
      h("h3", null, sign(name), title, this.chip),
      h("p", { class: "detail" }, what),
      this.meter.element,
      this.use,
      h("dl", { class: "figures" }, ...Object.values(this.figures).map((figure) => figure.element)),
    );
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
    this.figures.waiting.update(
      `${compact(lane.waiting)} / ${compact(lane.waiting_max)}`,
      lane.waiting > lane.waiting_max / 10 ? "warn" : null,
    );
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
    this.figures.spare.update(
      relief ? `${count(relief.active)} / ${count(relief.max)}` : "–",
      relief?.active > 0 ? "warn" : null,
    );
    const text = [
      cores && plural(cores, "core"),
      relief && (relief.active > 0 ? `${plural(relief.active, "relief worker")} standing in` : "no relief needed"),
    ]
      .filter(Boolean)
      .join("; ");
    this.meter.show(relief?.active ?? 0, relief?.active ?? 0, relief?.max ?? 0, text);
    write(this.use, text || "–");
  }
}
