/**
 * A table that is sorted by its headings, filtered, and kept up to date in place.
 *
 * A cell is written again only where it changed, and only while its row is in view: a thousand routes cost what a screenful does.
 * The order holds still while the pointer or the focus is on a row, so that nothing moves away under the hand.
 */
import { h, mark, write } from "./dom.js";

const RESORT_MS = 3000;

/**
 * A column: `{ id, name, title, end, wide, value, text, paint, print }`. `value` is what it is sorted by and `text` what it shows.
 * Where a text is not enough, `paint` fills the cell, again whenever `print`, a string, has changed. Rows that are equal in a
 * column are in the order of `tie`, the greatest first.
 */
export class Table {
  constructor({ caption, columns, key, sort, tie, empty }) {
    this.columns = columns;
    this.key = key;
    this.sort = sort;
    this.tie = tie ?? (() => 0);
    this.rows = new Map();
    this.accepts = () => true;
    this.sortedAt = 0;
    this.heads = columns.map((column) => this.#head(column));
    this.body = h("tbody");
    this.nothing = h("div", { class: "nothing", hidden: true }, empty);
    const table = h(
      "table",
      null,
      h("caption", { class: "hidden" }, caption),
      h("thead", null, h("tr", null, ...this.heads)),
      this.body,
    );
    this.element = h("div", { class: "table" }, table, this.nothing);
    this.seen = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: "200px" });
    this.#showSort();
  }

  /** Shows these and no others. */
  replace(items) {
    const keys = new Set(items.map(this.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      this.seen.unobserve(row.element);
      row.element.remove();
      this.rows.delete(key);
    }
    this.update(items);
    this.#order(true);
  }

  /** Shows the present state of these; the others stay as they are. */
  update(items) {
    for (const item of items) {
      const row = this.rows.get(this.key(item)) ?? this.#add(item);
      row.item = item;
      row.stale = true;
      if (row.inView) this.#paint(row);
    }
    this.#filter();
    this.#order(false);
  }

  /** Shows only what `accepts` says. */
  filter(accepts) {
    this.accepts = accepts;
    this.#filter();
  }

  /** How many rows are shown. */
  get shown() {
    return [...this.rows.values()].filter((row) => !row.element.hidden).length;
  }

  close() {
    this.seen.disconnect();
  }

  #head(column) {
    const button = h("button", { type: "button", title: column.title, onclick: () => this.#sortBy(column) }, column.name);
    return h(
      "th",
      { scope: "col", class: classes(column), "data-column": column.id },
      column.value ? button : h("span", null, column.name),
    );
  }

  #sortBy(column) {
    const same = this.sort.by === column.id;
    const first = column.end ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    this.sort = { by: column.id, order: same && this.sort.order === first ? other : first };
    this.#showSort();
    this.#order(true);
  }

  #showSort() {
    this.columns.forEach((column, index) => {
      mark(this.heads[index], "aria-sort", column.value && this.sort.by === column.id ? this.sort.order : null);
    });
  }

  #add(item) {
    const cells = this.columns.map((column) =>
      h(column.head ? "th" : "td", { class: classes(column), scope: column.head ? "row" : null }),
    );
    const row = { item, cells, prints: [], element: h("tr", null, ...cells), inView: false, stale: true };
    row.element.row = row;
    this.rows.set(this.key(item), row);
    this.body.append(row.element);
    this.#paint(row);
    this.seen.observe(row.element);
    return row;
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      target.row.inView = isIntersecting;
      if (isIntersecting) this.#paint(target.row);
    }
  }

  #paint(row) {
    if (!row.stale) return;
    row.stale = false;
    this.columns.forEach((column, index) => {
      const cell = row.cells[index];
      if (!column.paint) return write(cell, column.text(row.item));
      const print = column.print(row.item);
      if (row.prints[index] === print) return;
      row.prints[index] = print;
      cell.replaceChildren(...[column.paint(row.item)].flat().filter(Boolean));
    });
  }

  #filter() {
    let shown = 0;
    for (const row of this.rows.values()) {
      const hidden = !this.accepts(row.item);
      if (row.element.hidden !== hidden) row.element.hidden = hidden;
      shown += hidden ? 0 : 1;
    }
    this.nothing.hidden = shown > 0;
  }

  /** Brings the rows in order, if that is due and disturbs nobody. */
  #order(atOnce) {
    const held = this.body.matches(":hover, :focus-within");
    if (!atOnce && (held || performance.now() - this.sortedAt < RESORT_MS)) return;
    this.sortedAt = performance.now();
    const column = this.columns.find(({ id }) => id === this.sort.by);
    const sign = this.sort.order === "descending" ? -1 : 1;
    const rows = [...this.rows.values()].map((row) => ({ row, value: column.value(row.item) }));
    rows.sort((a, b) => sign * compare(a.value, b.value) || this.tie(b.row.item) - this.tie(a.row.item));
    let place = this.body.firstChild;
    for (const { row } of rows) {
      if (row.element === place) place = place.nextSibling;
      else this.body.insertBefore(row.element, place);
    }
  }
}

const classes = ({ end, wide }) => [end && "end", wide && "wide"].filter(Boolean).join(" ") || null;

function compare(a, b) {
  if (typeof a === "string" || typeof b === "string") return String(a ?? "").localeCompare(String(b ?? ""));
  return (a ?? -1) - (b ?? -1);
}
