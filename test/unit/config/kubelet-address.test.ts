import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/core/index.ts';
import { type Plain, plainSuite, suiteText } from './suite-text.ts';

const load = (fleet: Plain, controlPlane: Plain = { provider: 'kubeconfig' }) =>
  loadSuite({
    path: 's.yaml',
    text: suiteText({ ...plainSuite(), controlPlane, fleet: { nodes: 10, ...fleet } }),
  }).suite.fleet;

function problemsOf(fleet: Plain): string[] {
  try {
    load(fleet);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

describe('fleet.kubeletAddress', () => {
  it('turns the kubelet API on where the API server is elsewhere', () => {
    expect(load({}).kubeletApi).toBe(false);
    expect(load({ kubeletAddress: '10.0.0.7' })).toMatchObject({
      kubeletApi: true,
      kubeletAddress: '10.0.0.7',
    });
    expect(load({}, { provider: 'local' })).not.toHaveProperty('kubeletAddress');
  });

  it.each(['hollow.example', '0.0.0.0', '::', '10.0.0'])('is one address of a host, not %s', (text) => {
    expect(problemsOf({ kubeletAddress: text })).toEqual([
      expect.stringContaining('fleet.kubeletAddress: expected an address of the fleet'),
    ]);
  });

  it.each<Plain>([{ kubeletApi: false }, { fidelity: 'light' }])('needs the kubelet API: not %o', (fleet) => {
    expect(problemsOf({ kubeletAddress: '10.0.0.7', ...fleet })).toEqual([
      'fleet.kubeletAddress: is where the kubelet API is: expected none without kubeletApi',
    ]);
  });
});
