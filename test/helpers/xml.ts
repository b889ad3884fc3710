/** A strict reader of the XML that reports write: elements, attributes and text; anything else is an error. */

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** The root element. Throws on anything that is not well-formed. */
export function parseXml(source: string): XmlElement {
  const declaration = /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/.exec(source);
  if (declaration === null) throw new Error('no XML declaration');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML forbids
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(source)) {
    throw new Error('a character that XML forbids');
  }
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const stack = [root];
  let at = declaration[0].length;
  while (at < source.length) {
    const open = stack.at(-1);
    if (open === undefined) throw new Error('too many end tags');
    if (source[at] !== '<') {
      const end = source.indexOf('<', at);
      const text = source.slice(at, end === -1 ? undefined : end);
      if (stack.length === 1 && text.trim() !== '') throw new Error(`text outside the root: ${text}`);
      open.text += decodeReferences(text);
      at += text.length;
      continue;
    }
    const end = /^<\/([\w:-]+)>/.exec(source.slice(at));
    if (end !== null) {
      if (end[1] !== open.name) throw new Error(`</${end[1]}> ends <${open.name}>`);
      stack.pop();
      at += end[0].length;
      continue;
    }
    const start = /^<([\w:-]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/.exec(source.slice(at));
    if (start === null) throw new Error(`not a tag: ${source.slice(at, at + 60)}`);
    const element: XmlElement = { name: start[1] ?? '', attributes: {}, children: [], text: '' };
    for (const [, name = '', value = ''] of (start[2] ?? '').matchAll(/ ([\w:-]+)="([^"<]*)"/g)) {
      if (name in element.attributes) throw new Error(`attribute ${name} twice`);
      element.attributes[name] = decodeReferences(value);
    }
    open.children.push(element);
    if (start[3] !== '/') stack.push(element);
    at += start[0].length;
  }
  const [only] = root.children;
  if (stack.length !== 1 || only === undefined || root.children.length !== 1) throw new Error('not one root');
  return only;
}

function decodeReferences(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(text)) throw new Error(`a bare ampersand: ${text}`);
  return text.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, code?: string, name?: string) =>
    code === undefined ? (named[name ?? ''] ?? '') : String.fromCodePoint(Number(code)),
  );
}
