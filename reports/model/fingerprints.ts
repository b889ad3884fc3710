/** Whether two runs may be compared, and if not, which field of their fingerprints says so. */
import type { Fingerprint } from '../../src/result/index.ts';

export type FingerprintField = keyof Fingerprint;

/** What each field of a fingerprint is, in words. */
export const FINGERPRINT_LABEL: Readonly<Record<FingerprintField, string>> = {
  suiteSha256: 'suite',
  nodeCount: 'nodes',
  kubernetesVersion: 'Kubernetes version',
  profile: 'profile',
  provenance: 'provenance of the programs',
  fidelity: 'fidelity',
  identity: 'identity of nodes',
  connections: 'connections of nodes',
  encoding: 'encoding',
  machineClass: 'machine class',
};

export interface FingerprintDifference {
  field: FingerprintField;
  /** Value in the first and in the second fingerprint; hashes are cut short. */
  first: string;
  second: string;
}

/** Fields in which two fingerprints differ, in the order of FINGERPRINT_LABEL; none: the runs can be compared. */
export function fingerprintDifferences(first: Fingerprint, second: Fingerprint): FingerprintDifference[] {
  return (Object.keys(FINGERPRINT_LABEL) as FingerprintField[])
    .filter((field) => first[field] !== second[field])
    .map((field) => ({ field, first: shown(field, first), second: shown(field, second) }));
}

/** `Kubernetes version (v1.35.2 there, v1.36.3 here)` */
export function describeDifference(difference: FingerprintDifference): string {
  return `${FINGERPRINT_LABEL[difference.field]} (${difference.first} there, ${difference.second} here)`;
}

function shown(field: FingerprintField, fingerprint: Fingerprint): string {
  const text = String(fingerprint[field]);
  return field === 'suiteSha256' ? text.slice(0, 12) : text;
}
