import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/index.ts';
import { Coordinator } from '../../../src/run/coordinator.ts';
import {
  AGENT_SILENCE_LIMIT_MS,
  type AgentAssignment,
  type AgentCommand,
  type AgentEvent,
  type AgentReport,
} from '../../../src/run/protocol.ts';
import { type VirtualClock, virtualClock } from '../../helpers/virtual-clock.ts';

// The coordinator hands shards on and never looks into them.
const assignment = (agentId: string): AgentAssignment =>
  ({ runId: 'run', agentId, epochUs: 0, role: 'load', shard: {} }) as unknown as AgentAssignment;

const isReady = (event: AgentEvent): event is Extract<AgentEvent, { type: 'ready' }> =>
  event.type === 'ready';
const never = new AbortController().signal;

interface Fixture {
  clock: VirtualClock;
  coordinator: Coordinator;
  reports: AgentReport[];
  lost: string[];
  call(
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<{ status: number; json: unknown }>;
  report(id: string, more?: Partial<AgentReport>): Promise<{ status: number }>;
}

const open: Coordinator[] = [];

async function start(...agentIds: string[]): Promise<Fixture> {
  const clock = virtualClock();
  const reports: AgentReport[] = [];
  const lost: string[] = [];
  const coordinator = new Coordinator({
    clock,
    log: silentLogger(),
    handlers: {
      onReport: (_id, report) => reports.push(report),
      onLost: (id, reason) => lost.push(`${id}: ${reason}`),
    },
  });
  open.push(coordinator);
  await coordinator.start();
  const call: Fixture['call'] = async (method, path, body, token = coordinator.token) => {
    const reply = await fetch(`${coordinator.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, json: text === '' ? undefined : JSON.parse(text) };
  };
  const report: Fixture['report'] = (id, more = {}) =>
    call('POST', `/v1/agents/${id}/reports`, { sequence: 1, sentUs: 0, events: [], last: false, ...more });
  for (const id of agentIds) {
    coordinator.expect(assignment(id));
    expect((await call('POST', `/v1/agents/${id}`, { pid: 1 })).status).toBe(200);
  }
  return { clock, coordinator, reports, lost, call, report };
}

afterEach(async () => {
  for (const coordinator of open.splice(0)) await coordinator.stop();
});

describe('coordinator', () => {
  it('refuses whoever does not present the token of its run', async () => {
    const { call } = await start('load-0');
    expect((await call('GET', '/v1/agents/load-0/commands?after=0', undefined, 'guess')).status).toBe(401);
  });

  it('hands an assignment out once, and to expected agents only', async () => {
    const { call } = await start('load-0');
    expect((await call('POST', '/v1/agents/load-0', { pid: 2 })).status).toBe(409);
    expect((await call('POST', '/v1/agents/load-9', { pid: 2 })).status).toBe(409);
  });

  it('gives commands in order, each until it is acknowledged by a later poll', async () => {
    const { call, coordinator } = await start('load-0');
    coordinator.send('load-0', { type: 'end-phase' });
    coordinator.send('load-0', { type: 'stop' });
    const first = (await call('GET', '/v1/agents/load-0/commands?after=0')).json as AgentCommand[];
    expect(first.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, 'end-phase'],
      [2, 'stop'],
    ]);
    const rest = (await call('GET', '/v1/agents/load-0/commands?after=1')).json as AgentCommand[];
    expect(rest.map(({ type }) => type)).toEqual(['stop']);
  });

  it('answers a poll as soon as there is a command', async () => {
    const { call, coordinator } = await start('load-0');
    const poll = call('GET', '/v1/agents/load-0/commands?after=0');
    // Whether the poll or the command comes first, the answer is the same.
    coordinator.send('load-0', { type: 'stop' });
    expect(((await poll).json as AgentCommand[]).map(({ type }) => type)).toEqual(['stop']);
  });

  it('resolves a wait with an event that came before it', async () => {
    const { coordinator, report } = await start('load-0');
    await report('load-0', { events: [{ type: 'ready' }] });
    await expect(coordinator.waitFor('load-0', isReady, never)).resolves.toEqual({ type: 'ready' });
  });

  it('gives up an agent that falls silent, once, and rejects whoever waits for it', async () => {
    const { clock, coordinator, lost, report } = await start('load-0');
    const waiting = coordinator.waitFor('load-0', isReady, never).catch((error: Error) => error);
    await clock.advance(AGENT_SILENCE_LIMIT_MS + 2_000);
    expect(lost).toEqual([expect.stringMatching(/^load-0: silent for 1[67] s$/)]);
    expect(await waiting).toMatchObject({ code: 'HM_AGENT_LOST' });
    expect((await report('load-0')).status).toBe(410);
    expect(coordinator.alive()).toEqual([]);
    expect(coordinator.records()).toMatchObject([{ id: 'load-0', state: 'lost' }]);
  });

  it('keeps an agent that reports, and remembers its longest silence', async () => {
    const { clock, coordinator, lost, report } = await start('load-0');
    for (let second = 0; second < 30; second += 10) {
      await clock.advance(10_000);
      await report('load-0');
    }
    expect(lost).toEqual([]);
    expect(coordinator.records()[0]?.maxReportGapMs).toBeCloseTo(10_000, 0);
  });

  it('does not call an agent lost whose process ends after its last report', async () => {
    const { coordinator, lost, report } = await start('load-0');
    await report('load-0', { last: true });
    coordinator.processEnded('load-0', 'its process ended with exit code 0');
    expect(lost).toEqual([]);
    expect(coordinator.records()).toMatchObject([{ state: 'completed' }]);
  });

  it('loses an agent that says it failed, after taking what it brought', async () => {
    const { lost, report, reports } = await start('load-0');
    await report('load-0', { events: [{ type: 'failed', code: 'HM_INTERNAL', message: 'broken' }] });
    expect(reports).toHaveLength(1);
    expect(lost).toEqual(['load-0: broken']);
  });

  it('stops waiting when the signal aborts', async () => {
    const { coordinator } = await start('load-0');
    const stop = new AbortController();
    const waiting = coordinator.waitFor('load-0', isReady, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
