/** Pieces of Markdown that every summary is made of. */

/** A table; cells must be Markdown already. `right` marks the columns of numbers. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[] = [],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(titles),
    line(titles.map((_, i) => (right[i] === true ? '---:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

/** Text that Markdown and HTML take as text: names in a result come from a suite, which anybody may have written. */
export function inline(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]|~]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
