/** The event stream: connects, connects again, and says when what is on the screen is old. */
import * as api from "./api.js";
import * as store from "./store.js";

/** The lanes are told at least every 5 s, so a silence this long is no idleness. */
const SILENCE_MS = 15_000;
const AGAIN_MS = 2000;

const HANDLERS = {
  snapshot: store.takeSnapshot,
  lanes: store.takeLanes,
  routes: store.takeRoutes,
  stall: store.takeStall,
  moved: store.takeMove,
  tasks: store.takeTasks,
  upstreams: store.takeUpstreams,
};

let source = null;
let silence = null;
let again = null;

/** Connects; where the server wants the token first, the link is `locked`. */
export async function connect() {
  disconnect();
  try {
    store.setOverview(await api.get("/api/overview"));
  } catch (error) {
    return error.status === 401 ? store.setLink("locked") : later();
  }
  source = new EventSource("/api/live");
  for (const [name, handle] of Object.entries(HANDLERS)) {
    source.addEventListener(name, (event) => {
      listenOn();
      handle(JSON.parse(event.data));
      store.setLink("live");
    });
  }
  source.addEventListener("error", () => later());
  listenOn();
}

export function disconnect() {
  source?.close();
  source = null;
  clearTimeout(silence);
  clearTimeout(again);
}

/** Starts the wait for the next event. */
function listenOn() {
  clearTimeout(silence);
  silence = setTimeout(later, SILENCE_MS);
}

function later() {
  disconnect();
  store.setLink("stale");
  again = setTimeout(connect, AGAIN_MS);
}
