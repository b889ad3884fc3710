/**
 * Differences of a hollowmark node from a real kubelet that are known and stay, each with its reason.
 */
import type { AllowedDifference } from './allowed-difference.ts';

const between = { player: 'hollowmark', from: 'kubelet' } as const;

export const FROM_KUBELET: readonly AllowedDifference[] = [
  {
    ...between,
    side: 'extra',
    lines: ['agent | kubelet | kubelet/v1.36.3 (linux/amd64) kubernetes/COMMIT'],
    occurs: 'always',
    reason:
      'the User-Agent is that of a released kubelet; the one that plays is built from the Go module, without the version that release builds stamp into client-go',
  },
  {
    ...between,
    side: 'missing',
    lines: ['agent | kubelet | kubelet/v0.0.0 (linux/amd64) kubernetes/$Format'],
    occurs: 'always',
    reason: 'the other half of the same',
  },
  {
    ...between,
    side: 'extra',
    lines: [
      'body | kubelet create nodes | metadata.labels.hollowmark.dev/run: string',
      'body | kubelet create nodes | metadata.labels.type: string',
      'body | kubelet create nodes | spec.taints[key=hollowmark.dev/hollow].*',
    ],
    occurs: 'always',
    reason:
      'labels and a taint mark hollow nodes, so that no real workload lands on them and clean-up finds them; a kubelet would set the same by --node-labels and --register-with-taints',
  },
  {
    ...between,
    side: 'extra',
    lines: ['body | kubelet create nodes | spec.providerID: string'],
    occurs: 'always',
    reason:
      'a provider id of its own scheme keeps cloud controllers and autoscalers from taking the node for one of theirs; kubelets with a cloud provider have one too',
  },
  {
    ...between,
    side: 'missing',
    lines: ['body | kubelet create nodes | spec: {}'],
    occurs: 'always',
    reason: 'the spec is not empty because of the two entries above',
  },
  {
    ...between,
    side: 'missing',
    lines: ['request | registration | kubelet create events Node/CgroupV1'],
    occurs: 'sometimes',
    reason: 'a warning about the machine that the tests run on, where that still has cgroup version 1',
  },
];
