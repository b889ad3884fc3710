import { describe, expect, it } from 'vitest';
import { ServerLag, serverStampMs } from '../../../loadgen/watches/server-lag.ts';

const frame = (metadata: object) =>
  Buffer.from(JSON.stringify({ type: 'MODIFIED', object: { kind: 'ConfigMap', metadata } }));
const at = (second: number) => `2026-11-22T12:00:${String(second).padStart(2, '0')}Z`;
const wallMs = (second: number) => Date.parse(at(0)) + second * 1_000;

describe("the server's stamp of a change", () => {
  it.each([
    { metadata: { creationTimestamp: at(1) }, second: 1, why: 'its creation' },
    {
      metadata: { creationTimestamp: at(1), managedFields: [{ time: at(7) }, { manager: 'm', time: at(4) }] },
      second: 7,
      why: 'the newest time of its managed fields',
    },
    { metadata: { managedFields: [{ manager: 'no time' }] }, second: Number.NaN, why: 'none' },
    { metadata: { labels: { a: '"time":"x"' } }, second: Number.NaN, why: 'none, whatever labels say' },
  ])('is $why', ({ metadata, second }) => {
    expect(serverStampMs(frame(metadata))).toBe(wallMs(second));
  });
});

describe('server lag', () => {
  it('runs from the stamp to the receipt, and bounds the clocks by the quickest event', () => {
    const lag = new ServerLag();
    lag.received('ADDED', frame({ creationTimestamp: at(1) }), wallMs(1.4));
    lag.received(
      'MODIFIED',
      frame({ creationTimestamp: at(1), managedFields: [{ time: at(5) }] }),
      wallMs(7.5),
    );
    const { serverLag, serverClockDifferenceMs } = lag.figures();
    expect(serverLag?.summary).toMatchObject({ count: 2, minUs: 400_000, maxUs: 2_500_000 });
    expect(serverClockDifferenceMs).toBe(-400);
  });

  it('counts what a fast clock of the server would make negative as 0, and tells the difference', () => {
    const lag = new ServerLag();
    lag.received('MODIFIED', frame({ managedFields: [{ time: at(9) }] }), wallMs(4));
    expect(lag.figures()).toMatchObject({
      serverClockDifferenceMs: 5_000,
      serverLag: { summary: { maxUs: 0 } },
    });
  });

  it('has nothing to say of deletions and of events without a stamp', () => {
    const lag = new ServerLag();
    lag.received('DELETED', frame({ creationTimestamp: at(1) }), wallMs(5));
    lag.received('MODIFIED', frame({}), wallMs(5));
    lag.received('MODIFIED', frame({ creationTimestamp: at(1), deletionTimestamp: at(35) }), wallMs(5));
    expect(lag.figures()).toEqual({});
  });
});
