/** Finds the element of index.html with this id. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found as T;
}

/** Creates an element with text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = '',
  className = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/**
 * Creates a row of a table: a heading and cells, each with its class. The roles are explicit, because the style sheet
 * changes `display` on narrow screens, and some browsers then drop the roles of a table.
 */
export function makeRow(
  heading: string,
  cells: readonly (readonly [className: string, content: string | Node])[],
): HTMLTableRowElement {
  const row = make('tr');
  row.role = 'row';
  const first = make('th', heading);
  first.scope = 'row';
  first.role = 'rowheader';
  row.append(
    first,
    ...cells.map(([className, content]) => {
      const cell = make('td', '', className);
      cell.role = 'cell';
      cell.append(content);
      return cell;
    }),
  );
  return row;
}
