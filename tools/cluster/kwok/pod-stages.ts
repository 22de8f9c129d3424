import { annotation, simulation } from './annotations.ts';
import { when, type Stage } from './stage.ts';

const goDuration = '^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$';
const misspelt = `${annotation(simulation.duration)} // empty | select(test("${goDuration}") | not)`;

/** A running pod's status message says when it ends: no other field of a pod's status can hold that. */
const until = 'simulated: runs until ';
const simulatedEnd = `.status.message // "" | capture("^${until}(?<end>.+)$").end`;
const utc = (time: string) => `(dateInZone "2006-01-02T15:04:05.000Z" ${time} "UTC")`;

/** The server cuts the instant of deletion to a whole second; the second after it is surely not too early. */
const graceEnd = '(.metadata.deletionTimestamp | fromdateiso8601 + 1 | todateiso8601)';

const alive = when('.metadata.deletionTimestamp', 'DoesNotExist');
const dying = when('.metadata.deletionTimestamp', 'Exists');

const annotations = '(or .metadata.annotations dict)';
const ownExitCode = `(eq (or (index ${annotations} "${simulation.outcome}") "") "Failed" | ternary 1 0)`;

/**
 * The status of a pod whose containers end now with `$exitCode`. Lists of container statuses are replaced as a whole; an
 * init container that has ended keeps its state, a sidecar ends with the rest.
 */
const ended = `
{{ $now := Now }}
{{ $pod := . }}
phase: {{ eq $exitCode 0 | ternary "Succeeded" "Failed" }}
message: null
conditions:
{{ range (list "Ready" "ContainersReady") }}
- type: {{ . }}
  status: "False"
  reason: {{ eq $exitCode 0 | ternary "PodCompleted" "PodFailed" }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ range $field, $statuses := (pick .status "containerStatuses" "initContainerStatuses") }}
{{ $field }}:
{{ range $statuses }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  {{ if .state.running }}
  state:
    terminated:
      exitCode: {{ $exitCode }}
      reason: {{ eq $exitCode 0 | ternary "Completed" "Error" }}
      startedAt: {{ .state.running.startedAt | Quote }}
      finishedAt: {{ $now | Quote }}
  {{ else }}
  state: {{ toJson .state }}
  {{ end }}
{{ end }}
{{ end }}
`;

/** What a simulated kubelet does for its pods. */
export const podStages: Readonly<Record<string, Stage>> = {
  'pod-run': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [alive, when('.status.phase', 'In', 'Pending'), when(misspelt, 'DoesNotExist')],
    then: [
      {
        patch: 'status',
        with: `
{{ $now := Now }}
{{ $duration := index ${annotations} "${simulation.duration}" }}
phase: Running
startTime: {{ $now | Quote }}
{{ if $duration }}
message: {{ print "${until}" ${utc('(now | mustDateModify $duration)')} | Quote }}
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
{{ with NodeIPsWith .spec.nodeName }}
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
    when: [alive, when('.status.phase', 'In', 'Pending'), when(misspelt, 'Exists')],
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
    when: [alive, when('.status.phase', 'In', 'Running'), when(simulatedEnd, 'Exists')],
    at: simulatedEnd,
    then: [{ patch: 'status', with: `{{ $exitCode := ${ownExitCode} }}${ended}` }],
  },

  // The containers use up all of the grace period, unless their work is done before.
  'pod-terminate': {
    apiGroup: 'v1',
    kind: 'Pod',
    when: [dying, when('.status.phase', 'NotIn', 'Succeeded', 'Failed')],
    at: `if .status.phase == "Running" then [${graceEnd}, (${simulatedEnd})] | min else "0s" end`,
    then: [
      {
        patch: 'status',
        with: `
{{ $exitCode := 143 }}
{{ $message := or .status.message "" }}
{{ if hasPrefix "${until}" $message }}
{{ if le (trimPrefix "${until}" $message) ${utc('now')} }}
{{ $exitCode = ${ownExitCode} }}
{{ end }}
{{ end }}
${ended}`,
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
