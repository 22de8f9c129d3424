{{/* Name of the application in labels. */}}
{{- define "moa.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Beginning of the names of all objects: the release's name, with "moa" in it exactly once. */}}
{{- define "moa.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "moa.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
"true" where the API server serves a kind: (list . "group/version/Kind" "1.30"), the version being the first that does.
Helm that renders without a cluster knows of no kind at all; then --kube-version, or its default, decides.
*/}}
{{- define "moa.serves" -}}
{{- $root := index . 0 -}}
{{- $known := $root.Capabilities.APIVersions -}}
{{- if or ($known.Has (index . 1)) (and (not ($known.Has "v1/Pod")) (semverCompare (printf ">=%s-0" (index . 2)) $root.Capabilities.KubeVersion.Version)) -}}
true
{{- end -}}
{{- end }}

{{/* Labels that select the operator's pods. They never change over the life of a release. */}}
{{- define "moa.selectorLabels" -}}
app.kubernetes.io/name: {{ include "moa.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "moa.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "moa.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: moa
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The service account that the operator acts as. */}}
{{- define "moa.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "moa.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: name the service account to use, or set serviceAccount.create to true" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* How many operators run. */}}
{{- define "moa.replicas" -}}
{{- if kindIs "invalid" .Values.replicas -}}
{{- eq .Values.ledger.engine "PostgreSQL" | ternary 2 1 -}}
{{- else -}}
{{- int .Values.replicas -}}
{{- end -}}
{{- end }}

{{/* The image, by digest where there is one. */}}
{{- define "moa.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The claim that holds the embedded ledger. */}}
{{- define "moa.claimName" -}}
{{- default (printf "%s-ledger" (include "moa.fullname" .)) .Values.ledger.sqlite.existingClaim -}}
{{- end }}

{{/*
The operator's configuration file: what people set, and what follows from the chart. The URL of PostgreSQL comes by
MOA_LEDGER from a Secret.
*/}}
{{- define "moa.config" -}}
{{- $own := dict
  "namespace" .Release.Namespace
  "leader-elect" true
  "metrics-address" ":8080"
  "health-address" ":8081"
  "ledger-journal" "/var/lib/moa/moa-ledger.journal"
-}}
{{- if eq .Values.ledger.engine "SQLite" -}}
{{- $_ := set $own "ledger" "sqlite:/var/lib/moa/moa-ledger.sqlite" -}}
{{- end -}}
{{- toYaml (merge $own .Values.config) -}}
{{- end }}

{{/*
Pods, and what makes pods, as it is written in namespaces. Not their statuses, bindings and evictions, nor anything that
leaders are elected by: those are the system's, and other controllers'.
*/}}
{{- define "moa.flowControl.written" -}}
{{- $rules := list
  (dict "apiGroups" (list "") "resources" (list "pods" "replicationcontrollers" "persistentvolumeclaims"))
  (dict "apiGroups" (list "apps") "resources" (list "deployments" "replicasets" "statefulsets" "daemonsets"))
  (dict "apiGroups" (list "batch") "resources" (list "jobs" "cronjobs"))
-}}
{{- range concat $rules .Values.flowControl.institutions.extraResources }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  verbs: [create, update, patch, delete, deletecollection]
  namespaces: ['*']
{{- end }}
{{- end }}

{{/* "true" where the policy on the terms of quotas is in force, without which no manager may change one. */}}
{{- define "moa.protectsTerms" -}}
{{- include "moa.serves" (list . "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" "1.30") -}}
{{- end }}
