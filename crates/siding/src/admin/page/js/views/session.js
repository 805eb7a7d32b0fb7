/** Asks for the token. The server keeps the session in a cookie that no script can read. */
import * as api from "../api.js";
import { h, write } from "../dom.js";

export function session(connect) {
  const failed = h("p", { class: "failed", role: "alert" });
  const token = h("input", {
    type: "password",
    id: "token",
    name: "token",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
    autofocus: true,
  });
  const go = h("button", { type: "submit", class: "primary" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      await api.post("/api/session", { token: token.value });
      await connect();
    } catch (error) {
      write(failed, error.status === 401 ? "This is not the token." : error.message);
      token.select();
    } finally {
      go.disabled = false;
    }
  };
  const form = h(
    "form",
    { class: "session", onsubmit: submit },
    h("h1", null, "Sign in"),
    h(
      "p",
      null,
      "This listener wants the token that it was started with, as ",
      h("code", null, "--admin-token"),
      " or ",
      h("code", null, "SIDING_ADMIN_TOKEN"),
      ".",
    ),
    h("label", { for: "token" }, "Token"),
    token,
    failed,
    go,
  );
  return { title: "Sign in", element: form };
}
