import { annotation, simulation } from './annotations.ts';
import { when, type Stage } from './stage.ts';

const instant = '2006-01-02T15:04:05.000Z';
const goDuration = '^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$';

/** The running pod's status message, which says when it ends: the only field of a pod's status that can hold it. */
const untilPattern = 'until (?<end>[^ ]+)$';
const simulatedEnd = `.status.message // "" | capture("${untilPattern}").end`;

const graceEnd = '(.metadata.deletionTimestamp | fromdateiso8601 + 1 | todateiso8601)';

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

/** What a simulated kubelet does for its pods. */
export const podStages: Readonly<Record<string, Stage>> = {
  'pod-run': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Pending'), when(invalid, 'DoesNotExist')],
    then: [
      {
        patch: 'status',
        with: `
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
    ],
  },

  'pod-reject': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Pending'), when(invalid, 'Exists')],
    then: [
      {
        patch: 'status',
        with: `
phase: Failed
reason: InvalidSimulation
message: {{ index .metadata.annotations "${simulation.duration}" | printf "annotation ${simulation.duration}: %q is not a Go duration such as 90s or 1h30m" | Quote }}
`,
      },
    ],
  },

  'pod-end': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Running'), when(valid, 'Exists')],
    at: simulatedEnd,
    then: [
      {
        patch: 'status',
        with: `
{{ $now := Now }}
{{ $failed := eq (or (index .metadata.annotations "${simulation.outcome}") "") "Failed" }}
{{ $exitCode := ternary 1 0 $failed }}
{{ $reason := ternary "Error" "Completed" $failed }}
{{ $conditionReason := ternary "PodFailed" "PodCompleted" $failed }}
phase: {{ ternary "Failed" "Succeeded" $failed }}
message: null
${endedConditions}${terminatedContainers}`,
      },
    ],
  },

  // The containers use up all of the grace period, unless their work is done before. The server cuts the instant of
  // deletion to a whole second, so the second after it is the first that is surely not too early.
  'pod-terminate': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [dying, when('.status.phase', 'NotIn', 'Succeeded', 'Failed')],
    at: `if .status.phase == "Running" then [${graceEnd}, (${simulatedEnd})] | min else "0s" end`,
    then: [
      {
        patch: 'status',
        with: `
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
    ],
  },

  // What the API server removes by itself has a grace period of 0: matching that as well would go round in circles.
  'pod-remove': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [
      dying,
      when('.status.phase', 'In', 'Succeeded', 'Failed'),
      when('.metadata.deletionGracePeriodSeconds | select(. > 0)', 'Exists'),
    ],
    then: ['delete'],
  },
};
