/**
 * Differences from upstream's own hollow node that the real kubelet does not explain by itself, each with its reason.
 */
import type { AllowedDifference } from './allowed-difference.ts';

const MARKS = [
  'body | kubelet create nodes | metadata.labels.hollowmark.dev/run: string',
  'body | kubelet create nodes | metadata.labels.type: string',
  'body | kubelet create nodes | spec.taints[key=hollowmark.dev/hollow].*',
];
const WHY_MARKS =
  'labels and a taint mark hollow nodes, so that no real workload lands on them and clean-up finds them; the real kubelet has neither';

const plain = { player: 'hollowmark', from: 'kubemark' } as const;
const compat = { player: 'compat', from: 'kubemark' } as const;

export const FROM_KUBEMARK: readonly AllowedDifference[] = [
  { ...plain, side: 'extra', lines: MARKS, occurs: 'always', reason: WHY_MARKS },
  {
    ...plain,
    side: 'extra',
    lines: ['agent | kubelet | kubelet/v1.36.3 (linux/amd64) kubernetes/COMMIT'],
    occurs: 'always',
    reason: 'the User-Agent of a released kubelet; upstream sends the bare words hollow-kubelet',
  },
  {
    ...plain,
    side: 'extra',
    lines: ['agent | kube-proxy | kube-proxy/v1.36.3 (linux/amd64) kubernetes/COMMIT'],
    occurs: 'always',
    reason: 'the User-Agent of a released kube-proxy; upstream sends the bare words hollow-proxy',
  },
  {
    ...plain,
    side: 'missing',
    lines: ['agent | kube-proxy | hollow-proxy'],
    occurs: 'always',
    reason: 'the other half of the same',
  },
  {
    ...plain,
    side: 'extra',
    lines: ['request | * | kube-proxy watch nodes'],
    occurs: 'always',
    reason:
      "a real kube-proxy watches its own Node for its addresses and for its deletion (pkg/proxy/node.go v1.36.3); upstream's hollow proxy leaves the node manager out",
  },
  { ...compat, side: 'extra', lines: MARKS, occurs: 'always', reason: WHY_MARKS },
  {
    ...compat,
    side: 'extra',
    lines: ['body | kubelet create nodes | status.images[].*'],
    occurs: 'always',
    reason:
      "the image list that brings the Node to its size is there from the start; upstream's node object is padded by an annotation that the kubemark scripts add later, and a real kubelet has images",
  },
  ...[plain, compat].map(
    (between): AllowedDifference => ({
      ...between,
      side: 'extra',
      lines: ['answer | kubelet get pods | 404'],
      occurs: 'sometimes',
      reason:
        'a status write that waited for its turn may find its pod gone: it reads, learns so, and writes nothing; seen in earlier performances, on a machine under load',
    }),
  ),
];
