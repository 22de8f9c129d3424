/*
 * How simulated nodes and pods behave: the configuration of KWOK, which plays the kubelet of every node.
 *
 * A stage matches an object, waits for its delay and then patches or deletes the object. The stages of one kind must
 * exclude each other: of several that match, KWOK picks one at random. A stage's delay starts anew whenever its object
 * changes, so a delay is always the distance to a fixed instant, never a length.
 */

/** Annotations by which an object tells KWOK how to behave. */
export const simulation = {
  /** On a pod: how long it runs, as a Go duration (`90s`, `1h30m`). Without it a pod runs until it is deleted. */
  duration: 'kwok.moa.dev/duration',
  /** On a pod that has a duration: `Failed` ends it with exit code 1. Anything else: it succeeds. */
  outcome: 'kwok.moa.dev/outcome',
  /** On a node: `true` makes it NotReady within a second; removing it makes it Ready again. */
  notReady: 'kwok.moa.dev/not-ready',
} as const;

const instant = '2006-01-02T15:04:05.000Z';
const goDuration = '^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$';

/** The running pod's status message, which says when it ends: the only field of a pod's status that can hold it. */
const untilPattern = 'until (?<end>[^ ]+)$';
const simulatedEnd = `.status.message // "" | capture("${untilPattern}").end`;

const graceEnd = '(.metadata.deletionTimestamp | fromdateiso8601 + 1 | todateiso8601)';

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

const when = (key: string, operator: Operator, ...values: string[]) => ({
  jq: { key, operator, ...(values.length > 0 ? { values } : {}) },
});

const annotation = (name: string) => `.metadata.annotations["${name}"]`;

interface Stage {
  readonly kind: 'Pod' | 'Node';
  readonly when: readonly ReturnType<typeof when>[];
  /** A jq expression that yields an instant, or a duration from now. Absent: at once. */
  readonly at?: string;
  readonly then: { readonly status: string } | 'delete';
}

const alive = when('.metadata.deletionTimestamp', 'DoesNotExist');
const dying = when('.metadata.deletionTimestamp', 'Exists');
const valid = `${annotation(simulation.duration)} // empty | select(test("${goDuration}"))`;
const invalid = `${annotation(simulation.duration)} // empty | select(test("${goDuration}") | not)`;

/** Statuses of all containers once they have ended. The template's dot is the pod. */
const terminatedContainers = `
{{ $root := . }}
containerStatuses:
{{ range $index, $container := .spec.containers }}
- name: {{ $container.name | Quote }}
  image: {{ $container.image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state:
    terminated:
      exitCode: {{ $exitCode }}
      reason: {{ $reason }}
      finishedAt: {{ $now | Quote }}
      {{ if $root.status.containerStatuses }}
      startedAt: {{ (index $root.status.containerStatuses $index).state.running.startedAt | Quote }}
      {{ else }}
      startedAt: {{ $now | Quote }}
      {{ end }}
{{ end }}
`;

const endedConditions = `
conditions:
{{ range (list "Ready" "ContainersReady") }}
- type: {{ . }}
  status: "False"
  reason: {{ $conditionReason }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
`;

const stages: Readonly<Record<string, Stage>> = {
  'pod-run': {
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Pending'), when(invalid, 'DoesNotExist')],
    then: {
      status: `
{{ $now := Now }}
{{ $duration := index (or .metadata.annotations dict) "${simulation.duration}" }}
phase: Running
startTime: {{ $now | Quote }}
{{ if $duration }}
message: {{ dateInZone "${instant}" (now | mustDateModify $duration) "UTC" | printf "simulated: runs until %s" | Quote }}
{{ end }}
conditions:
{{ range (list "PodReadyToStartContainers" "Initialized" "Ready" "ContainersReady") }}
- type: {{ . }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ range .spec.readinessGates }}
- type: {{ .conditionType | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
{{ if .spec.initContainers }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  {{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state:
    running:
      startedAt: {{ $now | Quote }}
  {{ else }}
  started: false
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
  {{ end }}
{{ end }}
{{ end }}
{{ $hostIPs := NodeIPsWith .spec.nodeName }}
{{ with $hostIPs }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with PodIPsWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
`,
    },
  },

  'pod-reject': {
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Pending'), when(invalid, 'Exists')],
    then: {
      status: `
phase: Failed
reason: InvalidSimulation
message: {{ index .metadata.annotations "${simulation.duration}" | printf "annotation ${simulation.duration}: %q is not a Go duration such as 90s or 1h30m" | Quote }}
`,
    },
  },

  'pod-end': {
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Running'), when(valid, 'Exists')],
    at: simulatedEnd,
    then: {
      status: `
{{ $now := Now }}
{{ $failed := eq (or (index .metadata.annotations "${simulation.outcome}") "") "Failed" }}
{{ $exitCode := ternary 1 0 $failed }}
{{ $reason := ternary "Error" "Completed" $failed }}
{{ $conditionReason := ternary "PodFailed" "PodCompleted" $failed }}
phase: {{ ternary "Failed" "Succeeded" $failed }}
message: null
${endedConditions}${terminatedContainers}`,
    },
  },

  // The containers use up all of the grace period, unless their work is done before. The server cuts the instant of
  // deletion to a whole second, so the second after it is the first that is surely not too early.
  'pod-terminate': {
    kind: 'Pod',
    when: [dying, when('.status.phase', 'NotIn', 'Succeeded', 'Failed')],
    at: `if .status.phase == "Running" then [${graceEnd}, (${simulatedEnd})] | min else "0s" end`,
    then: {
      status: `
{{ $now := Now }}
{{ $end := regexFind "[^ ]+$" (or .status.message "") }}
{{ $done := and $end (le $end (dateInZone "${instant}" now "UTC")) }}
{{ $exitCode := ternary 0 143 (not (not $done)) }}
{{ $reason := ternary "Completed" "Error" (not (not $done)) }}
{{ $conditionReason := ternary "PodCompleted" "PodFailed" (not (not $done)) }}
phase: {{ ternary "Succeeded" "Failed" (not (not $done)) }}
message: null
${endedConditions}${terminatedContainers}`,
    },
  },

  // What the API server removes by itself has a grace period of 0: matching that as well would go round in circles.
  'pod-remove': {
    kind: 'Pod',
    when: [
      dying,
      when('.status.phase', 'In', 'Succeeded', 'Failed'),
      when('.metadata.deletionGracePeriodSeconds | select(. > 0)', 'Exists'),
    ],
    then: 'delete',
  },

  'node-ready': {
    kind: 'Node',
    when: [
      when('.status.conditions.[] | select(.type == "Ready") | .status', 'NotIn', 'True'),
      when(annotation(simulation.notReady), 'NotIn', 'true'),
    ],
    then: {
      status: `
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
  },

  'node-not-ready': {
    kind: 'Node',
    when: [
      when('.status.conditions.[] | select(.type == "Ready") | .status', 'NotIn', 'False'),
      when(annotation(simulation.notReady), 'In', 'true'),
    ],
    then: {
      status: `
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
  },
};

/**
 * Nodes are kept alive by their leases alone. 1,000 nodes renew 1,000 / (480 / 4) = 8 leases a second, and no node object
 * is written while nothing changes: every such write would go to everyone who watches nodes.
 */
const nodeLeaseSeconds = 480;

/** KWOK's configuration file: several YAML documents, each of them JSON. */
export function kwokConfiguration(): string {
  const options = {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokConfiguration',
    metadata: { name: 'moa' },
    options: {
      manageAllNodes: true,
      cidr: '10.64.0.0/10',
      nodeLeaseDurationSeconds: nodeLeaseSeconds,
      nodeLeaseParallelism: 8,
      nodePlayStageParallelism: 8,
      podPlayStageParallelism: 16,
    },
  };
  const documents = [options, ...Object.entries(stages).map(([name, stage]) => stageManifest(name, stage))];
  return documents.map((document) => JSON.stringify(document, undefined, 1)).join('\n---\n') + '\n';
}

function stageManifest(name: string, stage: Stage): object {
  const step = stage.then === 'delete' ? { delete: true } : statusPatch(stage.then.status);
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: stage.kind },
      selector: { matchExpressions: stage.when },
      ...(stage.at === undefined ? {} : { delay: { durationFrom: { jq: { expression: stage.at } } } }),
      steps: [step],
    },
  };
}

/**
 * A patch of the status, on the condition that the object is still the one that the stage matched. KWOK hears of a pod
 * twice when it takes over the pod's node: without the condition the pod would start a second time, with another address.
 * A patch that comes too late is dropped, and the change that was in its way makes KWOK look at the object again.
 */
function statusPatch(template: string): object {
  const body = `{{ $version := .metadata.resourceVersion }}
metadata: {resourceVersion: {{ $version | Quote }}}
status:
${template.trim().replaceAll(/^/gm, '  ')}
`;
  return { patch: { subresource: 'status', type: 'strategic', template: body } };
}
