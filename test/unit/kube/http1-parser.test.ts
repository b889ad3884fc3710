import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Http1Parser, Http1SyntaxError, type ReplyHead } from '../../../src/kube/http1-parser.ts';

/** Reads `bytes` in pieces that end at `cuts`, each in the same buffer, as a connection does. */
function read(bytes: Buffer, cuts: readonly number[] = []) {
  const parser = new Http1Parser();
  const shared = Buffer.alloc(Math.max(1, bytes.length));
  const heads: ReplyHead[] = [];
  let body = '';
  let usedBytes = 0;
  const edges = [
    0,
    ...cuts.filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b),
    bytes.length,
  ];
  for (let i = 1; i < edges.length; i++) {
    const piece = shared.subarray(0, bytes.copy(shared, 0, edges[i - 1], edges[i]));
    usedBytes += parser.push(piece, {
      onHead: (head) => heads.push(head),
      onBody: (chunk) => {
        body += chunk.toString('latin1');
      },
    });
    shared.fill(0x2a);
  }
  return { parser, heads, body, usedBytes };
}

const reply = (lines: readonly string[], body = '') =>
  Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
const chunked = (parts: readonly string[]) =>
  [...parts, '']
    .map((part) => `${part.length.toString(16)};x=y\r\n${part}${part === '' ? '' : '\r\n'}`)
    .join('');

describe('a reply', () => {
  it('says the same however its bytes are cut, with a length or in chunks', () => {
    const text = fc
      .string({ minLength: 1, maxLength: 60 })
      .map((value) => Buffer.from(value).toString('latin1'));
    void fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.array(fc.nat(400)),
        (parts, inChunks, cuts) => {
          const length = parts.join('').length;
          const bytes = inChunks
            ? reply(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'], `${chunked(parts)}Trailer: x\r\n\r\n`)
            : reply(['HTTP/1.1 200 OK', `Content-Length: ${length}`], parts.join(''));
          const { parser, body, heads, usedBytes } = read(bytes, cuts);
          expect(body).toBe(parts.join(''));
          expect(heads).toHaveLength(1);
          expect(usedBytes).toBe(bytes.length);
          expect(parser.isDone).toBe(true);
          expect(parser.keepsAlive).toBe(true);
        },
      ),
    );
  });

  it('has the facts of its head, whatever the case of their names', () => {
    const { heads } = read(
      reply([
        'HTTP/1.1 429 Too Many Requests',
        'RETRY-AFTER: 3',
        'content-Encoding:gzip ',
        'X-Kubernetes-Pf-Flowschema-Uid: a-b',
        'X-Kubernetes-PF-PriorityLevel-UID: c-d',
        'Content-Length: 0',
      ]),
    );
    expect(heads).toEqual([
      { status: 429, isGzip: true, retryAfter: '3', flowSchemaUid: 'a-b', priorityLevelUid: 'c-d' },
    ]);
  });

  it('is looked for behind interim ones', () => {
    const bytes = Buffer.concat([
      reply(['HTTP/1.1 100 Continue']),
      reply(['HTTP/1.1 201 Created', 'content-length: 2'], '{}'),
    ]);
    for (let cut = 0; cut < bytes.length; cut++) {
      const { heads, body, parser } = read(bytes, [cut]);
      expect(heads.map(({ status }) => status)).toEqual([201]);
      expect(body).toBe('{}');
      expect(parser.isDone).toBe(true);
    }
  });

  it('without a length is whole when the connection ends', () => {
    const { parser, body } = read(reply(['HTTP/1.1 200 OK'], 'abc'));
    expect(body).toBe('abc');
    expect(parser).toMatchObject({ isDone: false, endsWithConnection: true, keepsAlive: false });
  });

  it.each([
    { head: ['HTTP/1.1 204 No Content'], why: 'never has a body' },
    {
      head: ['HTTP/1.1 304 Not Modified', 'Content-Length: 50'],
      why: 'tells the length of what it does not send',
    },
    { head: ['HTTP/1.1 200 OK', 'Content-Length: 0'], why: 'has an empty one' },
  ])('ends with its head where it $why', ({ head }) => {
    expect(read(reply(head)).parser.isDone).toBe(true);
  });

  it.each([
    { head: ['HTTP/1.1 200 OK', 'Connection: close', 'Content-Length: 0'] },
    { head: ['HTTP/1.0 200 OK', 'Content-Length: 0'] },
  ])('tells that the connection is used up: $head', ({ head }) => {
    expect(read(reply(head)).parser.keepsAlive).toBe(false);
  });

  it('leaves the bytes behind its end', () => {
    const bytes = reply(['HTTP/1.1 200 OK', 'Content-Length: 2'], '{}more');
    expect(read(bytes).usedBytes).toBe(bytes.length - 4);
  });

  it.each([
    { bytes: 'nonsense\r\n\r\n', why: 'another protocol' },
    { bytes: 'nonsense', why: 'another protocol, told at once' },
    { bytes: 'HTTP/2 200\r\n\r\n', why: 'another version' },
    { bytes: 'HTTP/1.1 abc\r\n\r\n', why: 'no status' },
    { bytes: 'HTTP/1.1 101 Switching Protocols\r\n\r\n', why: 'a switch that nobody asked for' },
    { bytes: 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n', why: 'no header' },
    { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', why: 'no length' },
    { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', why: 'no size of a chunk' },
    { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab', why: 'a chunk over its size' },
    {
      bytes: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(9)}\r\n`,
      why: 'a huge chunk',
    },
    { bytes: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`, why: 'a head without end' },
  ])('is refused where it is $why', ({ bytes }) => {
    expect(() => read(Buffer.from(bytes))).toThrow(Http1SyntaxError);
  });
});
