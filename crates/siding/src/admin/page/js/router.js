/** Addresses behind the `#`: `#/routes/3`, `#/tasks?state=failure`. */

/** The path in parts, and the query. */
export function here() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query ?? "") };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view. */
export function to(parts, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value);
  const search = known.length > 0 ? `?${new URLSearchParams(known)}` : "";
  return `#/${parts.map(encodeURIComponent).join("/")}${search}`;
}

/** Goes to an address without a new entry in the history, for what is typed. */
export const replace = (address) => history.replaceState(null, "", address);
