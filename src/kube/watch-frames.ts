/**
 * Watch streams as frames: newline-delimited JSON cut over chunk boundaries with as little copying as can be, and
 * scanners that read the few fields every watcher needs straight from the bytes. Most events of a fleet are only
 * counted or compared by resourceVersion, so JSON.parse of each would be wasted.
 */

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const TYPE_PREFIX = Buffer.from('{"type":"');

/** Receives whole frames; the buffer is only valid during the call. */
export interface FrameSink {
  onFrame(frame: Buffer): void;
}

/** Cuts a byte stream at newlines. Frames inside one chunk are views of it; only a frame across chunks is copied. */
export class FrameSplitter {
  #pending: Buffer[] | undefined;

  /** True in the middle of a frame. */
  get isPartial(): boolean {
    return this.#pending !== undefined;
  }

  push(chunk: Buffer, sink: FrameSink): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      const pending = this.#pending;
      if (pending === undefined) {
        if (piece.length > 0) sink.onFrame(piece);
        continue;
      }
      this.#pending = undefined;
      pending.push(piece);
      sink.onFrame(Buffer.concat(pending));
    }
    if (start === chunk.length) return;
    // Copied out: a view would hold the whole 64 KiB read buffer for as long as the rest is not here.
    const rest = Buffer.allocUnsafeSlow(chunk.length - start);
    chunk.copy(rest, 0, start);
    if (this.#pending === undefined) this.#pending = [rest];
    else this.#pending.push(rest);
  }
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/** What a frame says of itself, without its object's contents. */
export interface FrameFacts {
  type: WatchEventType | undefined;
  /** Of the object's metadata; empty strings where absent. */
  resourceVersion: string;
  name: string;
  namespace: string;
  uid: string;
  /** A bookmark that ends the initial events of a streaming list. */
  initialEventsEnd: boolean;
}

/** Type of a frame; undefined for a frame that is no watch event. */
export function frameType(frame: Buffer): WatchEventType | undefined {
  // The API server writes `{"type":"ADDED",...`: the first letter and one more tell the five apart.
  if (frame.length > 14 && frame.compare(TYPE_PREFIX, 0, 9, 0, 9) === 0) return typeByLetter(frame, 9);
  const start = memberValue(frame, 0, frame.length, 'type');
  return start === -1 || frame[start] !== QUOTE ? undefined : typeByLetter(frame, start + 1);
}

/** Everything FrameFacts holds. Costs a walk over the frame's outer levels; nested contents are skipped. */
export function frameFacts(frame: Buffer): FrameFacts {
  const facts: FrameFacts = {
    type: frameType(frame),
    resourceVersion: '',
    name: '',
    namespace: '',
    uid: '',
    initialEventsEnd: false,
  };
  const object = memberValue(frame, 0, frame.length, 'object');
  if (object === -1) return facts;
  return readMetadata(frame, object, facts);
}

/** As frameFacts, of a JSON object that is no event: `type` stays undefined. */
export function objectFacts(json: Buffer): FrameFacts {
  const facts: FrameFacts = {
    type: undefined,
    resourceVersion: '',
    name: '',
    namespace: '',
    uid: '',
    initialEventsEnd: false,
  };
  return readMetadata(json, skipSpace(json, 0), facts);
}

/** metadata.resourceVersion of the frame's object; empty where there is none. */
export function frameResourceVersion(frame: Buffer): string {
  const object = memberValue(frame, 0, frame.length, 'object');
  const metadata = object === -1 ? -1 : memberValue(frame, object, frame.length, 'metadata');
  const value = metadata === -1 ? -1 : memberValue(frame, metadata, frame.length, 'resourceVersion');
  return value === -1 ? '' : stringAt(frame, value);
}

/** JSON of the member at `path` of a frame, unparsed; undefined where there is none. */
export function frameMember(frame: Buffer, path: readonly string[]): string | undefined {
  let position = 0;
  for (const key of path) {
    position = memberValue(frame, position, frame.length, key);
    if (position === -1) return undefined;
  }
  return frame.toString('utf8', position, skipValue(frame, position));
}

/** metadata.resourceVersion (and `continue`) of a LIST body, where they stand before the items; as the API server writes. */
export function listFacts(body: Buffer): { resourceVersion: string; continueToken: string } {
  const metadata = memberValue(body, 0, body.length, 'metadata');
  if (metadata === -1) return { resourceVersion: '', continueToken: '' };
  const version = memberValue(body, metadata, body.length, 'resourceVersion');
  const token = memberValue(body, metadata, body.length, 'continue');
  return {
    resourceVersion: version === -1 ? '' : stringAt(body, version),
    continueToken: token === -1 ? '' : stringAt(body, token),
  };
}

/** The items of a LIST body, each a view of it; empty for anything without an items array. */
export function listItems(body: Buffer): Buffer[] {
  const items: Buffer[] = [];
  const array = memberValue(body, 0, body.length, 'items');
  if (array === -1 || body[array] !== OPEN_BRACKET) return items;
  let position = skipSpace(body, array + 1);
  while (position < body.length && body[position] !== CLOSE_BRACKET) {
    const end = skipValue(body, position);
    items.push(body.subarray(position, end));
    position = skipSpace(body, end);
    if (body[position] === COMMA) position = skipSpace(body, position + 1);
  }
  return items;
}

function readMetadata(json: Buffer, object: number, facts: FrameFacts): FrameFacts {
  const metadata = memberValue(json, object, json.length, 'metadata');
  if (metadata === -1 || json[metadata] !== OPEN_BRACE) return facts;
  let position = metadata + 1;
  for (;;) {
    position = skipSpace(json, position);
    if (json[position] === COMMA) position = skipSpace(json, position + 1);
    if (json[position] !== QUOTE) return facts;
    const keyEnd = skipString(json, position);
    const key = json.toString('latin1', position + 1, keyEnd - 1);
    const value = skipSpace(json, skipSpace(json, keyEnd) + 1);
    if (key === 'name') facts.name = stringAt(json, value);
    else if (key === 'namespace') facts.namespace = stringAt(json, value);
    else if (key === 'uid') facts.uid = stringAt(json, value);
    else if (key === 'resourceVersion') facts.resourceVersion = stringAt(json, value);
    else if (key === 'annotations' && facts.type === 'BOOKMARK') {
      const mark = memberValue(json, value, json.length, INITIAL_EVENTS_END);
      facts.initialEventsEnd = mark !== -1 && stringAt(json, mark) === 'true';
    }
    position = skipValue(json, value);
    if (position >= json.length) return facts;
  }
}

/** Annotation of the bookmark that ends the initial events. Source: KEP-3157. */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

function typeByLetter(frame: Buffer, at: number): WatchEventType | undefined {
  switch (frame[at]) {
    case 0x41:
      return 'ADDED';
    case 0x4d:
      return 'MODIFIED';
    case 0x44:
      return 'DELETED';
    case 0x42:
      return 'BOOKMARK';
    case 0x45:
      return 'ERROR';
    default:
      return undefined;
  }
}

/** Position of the value of `key` in the object that begins at or after `from`; -1 if it is no object or lacks it. */
function memberValue(json: Buffer, from: number, end: number, key: string): number {
  let position = skipSpace(json, from);
  if (json[position] !== OPEN_BRACE) return -1;
  position = skipSpace(json, position + 1);
  while (position < end && json[position] === QUOTE) {
    const keyEnd = skipString(json, position);
    const colon = skipSpace(json, keyEnd);
    if (json[colon] !== COLON) return -1;
    const value = skipSpace(json, colon + 1);
    // Escaped keys do not occur among those looked for: lengths differ, or a backslash is compared and fails.
    if (keyEnd - position - 2 === key.length && json.toString('latin1', position + 1, keyEnd - 1) === key)
      return value;
    position = skipSpace(json, skipValue(json, value));
    if (json[position] !== COMMA) return -1;
    position = skipSpace(json, position + 1);
  }
  return -1;
}

function skipSpace(json: Buffer, from: number): number {
  let position = from;
  for (let byte = json[position]; byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d); ) {
    byte = json[++position];
  }
  return position;
}

/** Position after the string whose opening quote is at `at`. */
function skipString(json: Buffer, at: number): number {
  let position = at + 1;
  for (;;) {
    const quote = json.indexOf(QUOTE, position);
    if (quote === -1) return json.length;
    // An odd number of backslashes before it means that the quote belongs to the string.
    let slashes = 0;
    while (json[quote - 1 - slashes] === BACKSLASH && quote - 1 - slashes > at) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    position = quote + 1;
  }
}

/** Position after the value at `at`. */
function skipValue(json: Buffer, at: number): number {
  const first = json[at];
  if (first === QUOTE) return skipString(json, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let position = at;
    for (
      let byte = json[position];
      byte !== undefined && byte !== COMMA && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET;
    ) {
      byte = json[++position];
    }
    return position;
  }
  let depth = 0;
  for (let position = at; position < json.length; ) {
    const byte = json[position];
    if (byte === QUOTE) {
      position = skipString(json, position);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return position + 1;
    position++;
  }
  return json.length;
}

function stringAt(json: Buffer, at: number): string {
  if (json[at] !== QUOTE) return '';
  const end = skipString(json, at);
  const raw = json.toString('utf8', at + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    const parsed: unknown = JSON.parse(json.toString('utf8', at, end));
    return typeof parsed === 'string' ? parsed : '';
  } catch {
    // Cut off, or no JSON: there is no such string.
    return '';
  }
}
