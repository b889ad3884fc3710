/** Sorting for every marked table, search and phase choice for the table of calls. */

/** Makes tables sortable by their titles and the table of calls searchable. */
export function enableTables(): void {
  for (const table of document.querySelectorAll<HTMLTableElement>('table[data-sortable]'))
    enableSorting(table);
  enableFilter();
}

function enableSorting(table: HTMLTableElement): void {
  const titles = [...table.querySelectorAll<HTMLTableCellElement>('thead th')];
  titles.forEach((title, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = title.textContent;
    title.replaceChildren(button);
    title.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      const numeric = title.classList.contains('num');
      const before = title.getAttribute('aria-sort');
      // Figures are looked at from the largest down, names from A on.
      const first = numeric ? 'descending' : 'ascending';
      const second = numeric ? 'ascending' : 'descending';
      const direction = before === first ? second : first;
      for (const other of titles) other.setAttribute('aria-sort', 'none');
      title.setAttribute('aria-sort', direction);
      sortRows(table, column, direction === 'ascending' ? 1 : -1);
    });
  });
}

function sortRows(table: HTMLTableElement, column: number, sign: 1 | -1): void {
  const body = table.tBodies[0];
  if (body === undefined) return;
  const rows = [...body.rows].map((row) => {
    const cell = row.cells[column];
    const text = cell?.textContent?.trim() ?? '';
    const value = cell?.dataset['v'] || undefined;
    return { row, text, value: value === undefined ? undefined : Number(value) };
  });
  rows.sort((a, b) => {
    if (a.value !== undefined && b.value !== undefined) return sign * (a.value - b.value);
    // Cells without a figure come last, whichever way figures are sorted.
    if (a.value !== undefined || b.value !== undefined) return a.value === undefined ? 1 : -1;
    return sign * a.text.localeCompare(b.text);
  });
  body.append(...rows.map(({ row }) => row));
}

function enableFilter(): void {
  const table = document.getElementById('call-table');
  const search = document.getElementById('call-search');
  const phase = document.getElementById('call-phase');
  const count = document.getElementById('call-count');
  if (!(table instanceof HTMLTableElement) || !(search instanceof HTMLInputElement)) return;
  if (!(phase instanceof HTMLSelectElement) || count === null) return;
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  const apply = () => {
    const words = search.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    let shown = 0;
    let candidates = 0;
    for (const row of rows) {
      const inPhase = (row.dataset['phase'] ?? '') === phase.value;
      const text = row.textContent?.toLowerCase() ?? '';
      const visible = inPhase && words.every((word) => text.includes(word));
      if (inPhase) candidates++;
      if (visible) shown++;
      row.hidden = !visible;
    }
    count.textContent = `${shown} of ${candidates} rows`;
  };
  search.addEventListener('input', apply);
  phase.addEventListener('change', apply);
  apply();
}
