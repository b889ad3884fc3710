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
      'the User-Agent is that of a released kubelet; the one that plays is built from the Go module, without the version that release builds stamp into client-go: stamping it would have every program that is built already built anew, for this header alone',
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
  {
    ...between,
    side: 'missing',
    lines: ['story | lives, completing | sandbox: *', 'story | lives, failing | sandbox: *'],
    occurs: 'sometimes',
    reason:
      'the end of a short-lived pod and that of its sandbox may fall into one write on a hollow node, and the sandbox was then never called ready; seen in earlier performances, on a machine under load',
  },
  {
    ...between,
    side: 'count',
    lines: [
      'count | lives | kubelet create events Pod/Unhealthy',
      'count | lives | kubelet patch pods/status',
    ],
    occurs: 'sometimes',
    reason:
      'how often a probe fails before it succeeds, and how many writes coalesce while seven pods change at once, depends on the load of the machine; seen in earlier performances, on a machine under load',
  },
  {
    ...between,
    side: 'extra',
    lines: ['answer | kubelet get pods | 404'],
    occurs: 'sometimes',
    reason:
      'a status write that waited for its turn may find its pod gone: it reads, learns so, and writes nothing; seen in earlier performances, on a machine under load',
  },
  {
    ...between,
    side: 'extra',
    lines: ['request | registration | kubelet update leases.coordination.k8s.io'],
    occurs: 'sometimes',
    reason:
      'registration lasts until the slowest player has its lease; a quick one may renew within that time; seen in earlier performances, on a machine under load',
  },
];
