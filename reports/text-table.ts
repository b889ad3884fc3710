/** Tables in plain text: columns padded to their widest cell, the first columns squeezed to fit a width. */

export interface Column {
  title: string;
  align: 'left' | 'right';
}

/**
 * Lines of a table, each at most `width` characters: where it would be wider, the first column is cut with an
 * ellipsis. The first line holds the titles. Cells must be plain text without escape codes; `gap` spaces part them.
 */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  gap = 2,
): string[] {
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const total = widths.reduce((sum, one) => sum + one, 0) + gap * (columns.length - 1);
  widths[0] = Math.max(8, (widths[0] ?? 0) - Math.max(0, total - width));
  const line = (cells: readonly string[]) =>
    columns
      .map((column, i) => {
        const size = widths[i] ?? 0;
        const cell = shorten(cells[i] ?? '', size);
        return column.align === 'left' ? cell.padEnd(size) : cell.padStart(size);
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

/** `text`, cut with an ellipsis where it is longer than `size` characters. */
export function shorten(text: string, size: number): string {
  return text.length <= size ? text : `${text.slice(0, Math.max(0, size - 1))}…`;
}

/** Lines of at most `width` characters, broken at spaces; the lines after the first start with `indent` spaces. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [];
  const pad = ' '.repeat(indent);
  let line = '';
  let prefix = '';
  for (const word of text.split(' ')) {
    if (line === '') {
      line = prefix + word;
    } else if (line.length + 1 + word.length <= width) {
      line = `${line} ${word}`;
    } else {
      lines.push(line);
      prefix = pad;
      line = prefix + word;
    }
  }
  return [...lines, line];
}
