/** Tables of the page: plain HTML that reads without script; the script adds sorting and searching. */
import { html, type Markup, type MarkupValue } from './markup.ts';

export interface TableColumn {
  title: string;
  /** Explains the column on hovering and to screen readers. */
  hint?: string;
  numeric?: boolean;
  className?: string;
}

export interface TableCell {
  content: MarkupValue;
  /** What the cell sorts by; its text where absent. */
  sort?: number | undefined;
  className?: string;
}

export interface TableRow {
  cells: readonly (TableCell | string)[];
  className?: string;
  /** data-… attributes by name. */
  data?: Readonly<Record<string, string>>;
}

/** A table in a box that scrolls sideways; `sortable` gives every column a button once the script runs. */
export function dataTable(options: {
  id: string;
  caption: string;
  columns: readonly TableColumn[];
  rows: readonly TableRow[];
  sortable?: boolean;
}): Markup {
  const { columns, rows } = options;
  const head = columns.map((column) => {
    const classes = [column.numeric === true ? 'num' : '', column.className ?? ''].filter(
      (name) => name !== '',
    );
    return html`<th scope="col"${classAttribute(classes)}${column.hint === undefined ? '' : html` title="${column.hint}"`}>${column.title}</th>`;
  });
  const body = rows.map((row) => {
    const data = Object.entries(row.data ?? {}).map(([name, value]) => html` data-${name}="${value}"`);
    const cells = row.cells.map((cell, i) => tableCell(cell, columns[i]?.numeric === true));
    return html`<tr${row.className === undefined ? '' : html` class="${row.className}"`}${data}>${cells}</tr>
`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${options.caption}"><table id="${options.id}"${options.sortable === true ? html` data-sortable` : ''}><caption class="sr">${options.caption}</caption>
<thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>`;
}

function tableCell(cell: TableCell | string, numeric: boolean): Markup {
  const { content, sort, className } =
    typeof cell === 'string' ? { content: cell, sort: undefined, className: undefined } : cell;
  // data-v also marks a cell as a number for the style sheet; six digits are more than any cell shows.
  const value =
    sort === undefined ? (numeric ? html` data-v` : html``) : html` data-v="${Number(sort.toPrecision(6))}"`;
  return html`<td${classAttribute(className === undefined ? [] : [className])}${value}>${content}</td>`;
}

function classAttribute(classes: readonly string[]): Markup {
  return classes.length === 0 ? html`` : html` class="${classes.join(' ')}"`;
}
