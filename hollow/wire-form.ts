/**
 * What differs on the wire between a real kubelet and upstream's hollow node, and between Kubernetes versions: every
 * such difference is a field here, so that no other file asks which version or mode it is in.
 */
import { seededRandom } from '../src/core/index.ts';

/** The forms in one place; all of Kubernetes 1.36 as captured (reference/). */
export interface WireForm {
  readonly kubeletUserAgent: string;
  readonly proxyUserAgent: string;
  /** Watches start with sendInitialEvents instead of a LIST. */
  readonly watchList: boolean;
  /** Requests per second and burst of the kubelet's client, of its events client, and of the proxy's. */
  readonly kubeletLimit: { perSecond: number; burst: number };
  readonly proxyLimit: { perSecond: number; burst: number };
  /** Status and conditions carry observedGeneration. */
  readonly observedGeneration: boolean;
  /** Status has a `resources` of the pod. */
  readonly podResources: boolean;
  /** PodReadyToStartContainers gets a patch of its own. */
  readonly sandboxPatch: boolean;
  /** The kubelet deletes its ResourceSlices at its start. */
  readonly deletesResourceSlices: boolean;
  /** The proxy watches its own Node. */
  readonly proxyWatchesNode: boolean;
  /** The proxy posts its one event whatever the fleet does about a kubelet's. */
  readonly proxyAlwaysPosts: boolean;
  /** Features that the kubelet declares in its node's status, for the scheduler to choose by. */
  readonly declaredFeatures: readonly string[];
  readonly proxyServiceSelector: string;
  readonly proxyEndpointSliceSelector: string;
  readonly events: boolean;
  /** Containers say whether they have started; upstream's fake prober leaves it out. */
  readonly startedField: boolean;
  /** Upstream's fake prober calls every main container ready, whatever its state. */
  readonly alwaysReady: boolean;
  /** Attach/detach by the controller, as a real kubelet's node annotation says. */
  readonly controllerAttach: boolean;
  readonly providerScheme: string;
  readonly runtimeVersion: string;
  readonly containerScheme: string;
  /** Every pod has this address; undefined: each its own. */
  readonly fixedPodIp: string | undefined;
}

/** Of a kubelet v1.36.3 with its default feature gates, as captured. Source: k8s.io/component-helpers nodedeclaredfeatures. */
const DECLARED_FEATURES = [
  'ExtendWebSocketsToKubelet',
  'InPlacePodLevelResourcesVerticalScaling',
  'InPlacePodVerticalScalingInitContainers',
  'RestartAllContainersOnContainerExits',
] as const;

/**
 * The form of `compat` at `kubernetesVersion` (`v1.36.3`).
 * Source: reference captures of v1.36.3; kubelet and proxy client limits in pkg/kubelet/apis/config/v1beta1/defaults.go
 * and pkg/proxy/apis/config/v1alpha1/defaults.go; hollow ones in cmd/kubemark/app/hollow_node.go.
 */
export function wireForm(compat: 'none' | 'kubemark' | 'light', kubernetesVersion: string): WireForm {
  const hollow = compat === 'kubemark';
  const light = compat === 'light';
  const commit = seededRandom(kubernetesVersion).integer(0x10000000).toString(16).padStart(7, '0');
  const agent = (name: string) => `${name}/${kubernetesVersion} (linux/amd64) kubernetes/${commit}`;
  return {
    kubeletUserAgent: hollow ? 'hollow-kubelet' : agent('kubelet'),
    proxyUserAgent: hollow ? 'hollow-proxy' : agent('kube-proxy'),
    watchList: true,
    kubeletLimit: hollow ? { perSecond: 10, burst: 20 } : { perSecond: 50, burst: 100 },
    proxyLimit: hollow ? { perSecond: 10, burst: 20 } : { perSecond: 5, burst: 10 },
    observedGeneration: !light,
    podResources: !light,
    sandboxPatch: !light,
    deletesResourceSlices: !hollow,
    proxyWatchesNode: !hollow,
    proxyAlwaysPosts: hollow,
    declaredFeatures: DECLARED_FEATURES,
    proxyServiceSelector: '!service.kubernetes.io/service-proxy-name',
    proxyEndpointSliceSelector: '!service.kubernetes.io/headless',
    events: !hollow && !light,
    startedField: !hollow,
    alwaysReady: hollow,
    controllerAttach: !hollow,
    providerScheme: hollow ? 'kubemark' : 'hollowmark',
    runtimeVersion: hollow ? 'fakeRuntime://0.1.0' : 'containerd://2.1.4',
    containerScheme: hollow ? 'fakeRuntime' : 'containerd',
    fixedPodIp: hollow ? '192.168.192.168' : undefined,
  };
}
