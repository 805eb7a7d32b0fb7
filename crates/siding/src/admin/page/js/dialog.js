/** Asks before anything is changed. */
import { h } from "./dom.js";

let dialogs = 0;

/**
 * Shows a question. `act` runs when it is confirmed, with the state of the check box, if there is one; where it fails, the dialog
 * stays and says why.
 */
export function ask({ title, text, confirm, check, danger }, act) {
  const id = `dialog-${(dialogs += 1)}`;
  const box = check && h("input", { type: "checkbox" });
  const failed = h("p", { class: "failed", role: "alert" });
  const go = h("button", { type: "submit", class: danger ? "danger" : "primary" }, confirm);
  const cancel = h("button", { type: "button", class: "quiet", autofocus: true, onclick: () => dialog.close() }, "Cancel");
  const submit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      await act(box?.checked ?? false);
      dialog.close();
    } catch (error) {
      failed.textContent = error.message;
      go.disabled = false;
    }
  };
  const form = h(
    "form",
    { onsubmit: submit },
    h("h2", { id }, title),
    h("p", null, text),
    box && h("label", { class: "check" }, box, check),
    failed,
    h("div", { class: "buttons" }, cancel, go),
  );
  const dialog = h("dialog", { "aria-labelledby": id }, form);
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}
