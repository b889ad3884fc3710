/**
 * HTML from templates in which every value is escaped, unless it is markup itself: what a suite, a cluster or a pod is
 * called reaches the page as text and as nothing else.
 */

/** A piece of HTML; only this module makes one from text. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type MarkupValue = Markup | string | number | undefined | readonly MarkupValue[];

/** html`<td>${name}</td>`: markup and lists of it are kept, text and numbers escaped, undefined left out. */
export function html(strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  let text = strings[0] ?? '';
  values.forEach((value, i) => {
    text += toText(value) + (strings[i + 1] ?? '');
  });
  return new Markup(text);
}

/** Text as it must stand between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** JSON that can stand in a script element: no value in it can end the element or start a comment. */
export function embeddedJson(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value)
      .replaceAll('<', '\\u003c')
      .replaceAll('\u2028', '\\u2028')
      .replaceAll('\u2029', '\\u2029'),
  );
}

/** Trusted text, such as the bundled script: never anything that came from a run. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function toText(value: MarkupValue): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(toText).join('');
  return escapeHtml(String(value));
}
