/** The frame of the page: its head, its tabs, and the view that the address names. */
import * as api from "./api.js";
import * as clock from "./clock.js";
import { h, mark, write } from "./dom.js";
import * as live from "./live.js";
import { here, to } from "./router.js";
import { on, setLink, state } from "./store.js";
import { overview } from "./views/overview.js";
import { route } from "./views/route.js";
import { routes } from "./views/routes.js";
import { schedules } from "./views/schedules.js";
import { session } from "./views/session.js";
import { stalls } from "./views/stalls.js";
import { task } from "./views/task.js";
import { tasks } from "./views/tasks.js";
import { workers } from "./views/workers.js";

const TABS = [
  ["", "Overview", overview],
  ["routes", "Routes", routes, route],
  ["stalls", "Stalls", stalls],
  ["tasks", "Tasks", tasks, task],
  ["workers", "Workers", workers],
  ["schedules", "Schedules", schedules],
];

const main = document.getElementById("main");
const tabs = TABS.map(([path, name]) => h("a", { href: to([path].filter(Boolean)) }, name));
let view = null;

/** Shows the view that the address names, or asks for the token. */
function show() {
  view?.close?.();
  view = state.link === "locked" ? session(live.connect) : named();
  main.replaceChildren(view.element);
  document.title = `${view.title} · ${state.overview?.name ?? "Siding"}`;
  scrollTo(0, 0);
}

function named() {
  const { parts, query } = here();
  const tab = TABS.find(([path]) => path === (parts[0] ?? "")) ?? TABS[0];
  tabs.forEach((link, index) => mark(link, "aria-current", TABS[index] === tab ? "page" : null));
  tabs[TABS.indexOf(tab)].scrollIntoView?.({ block: "nearest", inline: "nearest" });
  const [, , list, one] = tab;
  return parts.length > 1 && one ? one(parts[1], query) : list(query);
}

const LINKS = { connecting: "Connecting", live: "Live", stale: "Disconnected", locked: "Locked" };

function showLink() {
  const stale = document.getElementById("stale");
  mark(document.getElementById("link"), "data-link", state.link);
  write(document.getElementById("link-text"), LINKS[state.link]);
  stale.hidden = state.link !== "stale";
  document.body.classList.toggle("is-stale", state.link === "stale");
  if (state.link !== "stale") return;
  const heard = state.heardUnixMs ? ["What you see is from ", clock.time(state.heardUnixMs), "."] : [];
  stale.replaceChildren("The server does not answer. Trying again every few seconds. ", ...heard);
}

function showOverview() {
  const { name, siding, role, pid, started_unix_ms: started, auth } = state.overview;
  write(document.getElementById("application"), name);
  const up = started ? ["up ", clock.lasting(started), " · "] : [];
  document
    .getElementById("process")
    .replaceChildren(...up, [role, pid && `pid ${pid}`, siding && `Siding ${siding}`].filter(Boolean).join(" · "));
  document.getElementById("sign-out").hidden = auth !== "token" || state.link === "locked";
  document.title = `${view?.title ?? "Overview"} · ${name}`;
}

async function signOut() {
  await api.signOut().catch(() => {});
  live.disconnect();
  setLink("locked");
}

function start() {
  document.getElementById("tabs").append(...tabs);
  document.getElementById("sign-out").addEventListener("click", signOut);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  addEventListener("hashchange", () => {
    show();
    main.focus({ preventScroll: true });
  });
  api.locked.addEventListener("locked", () => {
    live.disconnect();
    setLink("locked");
  });
  on(["overview"], showOverview);
  let wasLocked = false;
  on(["link"], () => {
    showLink();
    if ((state.link === "locked") !== wasLocked) {
      wasLocked = !wasLocked;
      show();
    }
    if (state.overview) showOverview();
  });
  show();
  live.connect();
}

start();
