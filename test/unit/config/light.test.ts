import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/core/index.ts';
import { type Plain, plainSuite, suiteText } from './suite-text.ts';

const load = (fleet: Plain) =>
  loadSuite({ path: 's.yaml', text: suiteText({ ...plainSuite(), fleet: { nodes: 10, ...fleet } }) });

describe('fleet.fidelity: light', () => {
  it('shares connections and leaves out events and proxies, unless told', () => {
    expect(load({ fidelity: 'light' }).suite.fleet).toMatchObject({
      fidelity: 'light',
      connections: 'shared',
      events: false,
      proxy: false,
    });
    expect(load({}).suite.fleet).toMatchObject({
      fidelity: 'full',
      connections: 'per-node',
      events: true,
      proxy: true,
    });
  });

  it('lists everything that light nodes cannot do, each at its place', () => {
    const impossible = {
      fidelity: 'light',
      identity: 'certificate',
      connections: 'per-node',
      compat: 'kubemark',
      events: true,
      proxy: true,
    };
    let problems: string[] = [];
    try {
      load(impossible);
    } catch (error) {
      if (error instanceof ConfigError) problems = error.problems.map(({ path }) => path);
    }
    expect(new Set(problems)).toEqual(
      new Set(['fleet.identity', 'fleet.connections', 'fleet.compat', 'fleet.events', 'fleet.proxy']),
    );
  });
});
