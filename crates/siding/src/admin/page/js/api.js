/** Calls of the admin API. */

/** What the server refused, in its own words. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Is told when the server asks for the token. */
export const locked = new EventTarget();

export const get = (path) => call(path, { method: "GET" });
export const post = (path, body = {}) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Ends the session of this browser. */
export const signOut = () => call("/api/session", { method: "DELETE", headers: { "Content-Type": "application/json" } });

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  const json = (response.headers.get("Content-Type") ?? "").includes("json");
  const body = json ? await response.json() : null;
  if (response.ok) return body;
  if (response.status === 401 && path !== "/api/session") locked.dispatchEvent(new Event("locked"));
  throw new ApiError(response.status, body?.detail ?? body?.title ?? `The server answered ${response.status}.`);
}
