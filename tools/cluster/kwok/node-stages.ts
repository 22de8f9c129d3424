import { annotation, simulation } from './annotations.ts';
import { when, type Stage } from './stage.ts';

/**
 * Seconds that a node's lease is good for. Nodes are kept alive by their leases alone, so that no node object is written
 * while nothing changes: every such write would go to everyone who watches nodes.
 */
const leaseSeconds = 480;

/** Renewals are spread over this span, in seconds since the last one: 1,000 nodes write 8 times a second. */
const renewal = { earliest: 90, latest: 150 };

/**
 * Seconds of silence after which kube-controller-manager should take a node for lost: room for two renewals that failed.
 */
export const nodeMonitorGraceSeconds = 3 * renewal.latest;

const ready = '.status.conditions.[] | select(.type == "Ready") | .status';

/** `fromdateiso8601` knows no fractions of a second. */
const renewedAt = '.spec.renewTime | sub("[.][0-9]+"; "") | fromdateiso8601';

/** What a simulated kubelet does for its node. */
export const nodeStages: Readonly<Record<string, Stage>> = {
  'node-ready': {
    apiGroup: 'v1',
    kind: 'Node',
    when: [when(ready, 'NotIn', 'True'), when(annotation(simulation.notReady), 'NotIn', 'true')],
    then: [
      {
        patch: 'status',
        with: `
{{ $now := Now }}
{{ $created := .metadata.creationTimestamp }}
conditions:
{{ range NodeConditions }}
- type: {{ .type }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ eq .type "Ready" | ternary $now $created | Quote }}
{{ end }}
{{ if not .status.capacity }}
capacity: {cpu: "64", memory: 512Gi, pods: "110"}
allocatable: {cpu: "64", memory: 512Gi, pods: "110"}
{{ end }}
{{ if not .status.addresses }}
addresses:
- type: Hostname
  address: {{ .metadata.name | Quote }}
{{ end }}
`,
      },
      {
        apply: `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: {{ .metadata.name | Quote }}
  namespace: kube-node-lease
  ownerReferences:
  - {apiVersion: v1, kind: Node, name: {{ .metadata.name | Quote }}, uid: {{ .metadata.uid | Quote }}}
spec:
  holderIdentity: {{ .metadata.name | Quote }}
  leaseDurationSeconds: ${leaseSeconds}
  renewTime: {{ dateInZone "2006-01-02T15:04:05.000000Z" now "UTC" | Quote }}
`,
      },
    ],
  },

  'node-not-ready': {
    apiGroup: 'v1',
    kind: 'Node',
    when: [when(ready, 'NotIn', 'False'), when(annotation(simulation.notReady), 'In', 'true')],
    then: [
      {
        patch: 'status',
        with: `
{{ $now := Now }}
conditions:
- type: Ready
  status: "False"
  reason: KubeletNotReady
  message: the annotation ${simulation.notReady} asks for it
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
`,
      },
    ],
  },

  'node-lease-renew': {
    apiGroup: 'coordination.k8s.io/v1',
    kind: 'Lease',
    when: [when('.metadata.namespace', 'In', 'kube-node-lease')],
    at: `${renewedAt} + ${renewal.earliest} | todateiso8601`,
    atLatest: `${renewedAt} + ${renewal.latest} | todateiso8601`,
    then: [{ patch: 'spec', with: 'renewTime: {{ dateInZone "2006-01-02T15:04:05.000000Z" now "UTC" | Quote }}' }],
  },
};
