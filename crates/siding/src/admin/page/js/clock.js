/**
 * Times by the server's clock. The browser's own may be wrong; what the server says with each event sets it right.
 */
import { h, mark, write } from "./dom.js";
import { duration } from "./format.js";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const ofDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const relative = new Intl.RelativeTimeFormat(undefined, { style: "narrow", numeric: "auto" });

let ahead = 0;

/** Sets the clock by a time that the server has just told. */
export function set(serverUnixMs) {
  ahead = serverUnixMs - Date.now();
}

/** Now, on the server. */
export const now = () => Date.now() + ahead;

export const timeOfDay = (unixMs) => ofDay.format(unixMs);

/** `3s ago`, `in 2 min.` */
export function ago(unixMs) {
  const seconds = Math.round((unixMs - now()) / 1000);
  // What the server tells of may be newer than the last time it told.
  if (seconds > -1 && seconds <= 2) return "now";
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return relative.format(Math.trunc(seconds / length), unit);
}

/** How long ago something was or will be, kept up to date while it is on the page; the title has the exact time. */
export function time(unixMs) {
  const element = h("time", { "data-at": unixMs });
  retime(element, unixMs);
  return element;
}

/** Gives such an element another time. */
export function retime(element, unixMs) {
  mark(element, "data-at", String(unixMs));
  mark(element, "datetime", new Date(unixMs).toISOString());
  mark(element, "title", exact.format(unixMs));
  write(element, ago(unixMs));
}

/** How long something has been going on, kept up to date. */
export function lasting(sinceUnixMs) {
  const element = h("time", { "data-since": sinceUnixMs, title: `since ${exact.format(sinceUnixMs)}` });
  write(element, duration(Math.max(0, now() - sinceUnixMs)));
  return element;
}

setInterval(() => {
  for (const element of document.querySelectorAll("time[data-at]")) write(element, ago(Number(element.dataset.at)));
  for (const element of document.querySelectorAll("time[data-since]")) {
    write(element, duration(Math.max(0, now() - Number(element.dataset.since))));
  }
}, 1000);
