{{/*
Policies are written in CEL and evaluated by the API server itself: there is no webhook that could be away. What a
cluster is too old for is left out, and NOTES say so.
*/}}

{{/* "true" where ValidatingAdmissionPolicies are wanted and served. */}}
{{- define "moa.admission.validates" -}}
{{- if and .Values.admission.enabled (include "moa.serves" (list . "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" "1.30")) -}}
true
{{- end -}}
{{- end }}

{{/* API version of MutatingAdmissionPolicies; empty where they are not wanted or not served. */}}
{{- define "moa.admission.mutatingVersion" -}}
{{- if .Values.admission.enabled -}}
{{- if include "moa.serves" (list . "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" "1.36") -}}
admissionregistration.k8s.io/v1
{{- else if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy" -}}
admissionregistration.k8s.io/v1beta1
{{- end -}}
{{- end -}}
{{- end }}

{{/* What the cluster is too old for, and what follows from it. Empty when nothing is missing. */}}
{{- define "moa.admission.missing" -}}
{{- if .Values.admission.enabled -}}
{{- if not (include "moa.admission.validates" .) }}
This cluster does not serve ValidatingAdmissionPolicy (Kubernetes 1.30 does), so nothing stops a pod from going round its
quota: by another scheduler, a preset node, or forged labels. Whatever runs is counted all the same.
{{- end }}
{{- if not (include "moa.admission.mutatingVersion" .) }}
This cluster does not serve MutatingAdmissionPolicy (Kubernetes 1.36 does). People write spec.schedulerName: moa-scheduler
into pods that ask for accelerators, and tolerate the taint moa.dev/pool themselves where other tools look at it.
{{- end }}
{{- end -}}
{{- end }}

{{/* Selects the namespaces of institutions. */}}
{{- define "moa.admission.institutions" -}}
namespaceSelector:
  matchExpressions:
    - { key: moa.dev/institution, operator: Exists }
{{- end }}

{{/* User name of the operator, as a CEL string. */}}
{{- define "moa.admission.operator" -}}
'system:serviceaccount:{{ .Release.Namespace }}:{{ include "moa.serviceAccountName" . }}'
{{- end }}

{{/*
Whether the request comes from the system: kubelets, the controllers of kube-system, the schedulers that are named in
the values, the operator itself, and whoever could delete the policy anyway.
*/}}
{{- define "moa.admission.isSystem" -}}
request.userInfo.username == {{ include "moa.admission.operator" . }} ||
request.userInfo.username in {{ toJson (concat (list "system:kube-controller-manager") .Values.admission.schedulers) }} ||
request.userInfo.?groups.orValue([]).exists(g, g in
['system:nodes', 'system:serviceaccounts:kube-system', 'system:masters'])
{{- end }}

{{/*
Variables that tell whether a pod asks for accelerators: for a resource of some class of the GpuPool that the policy is
evaluated for, or for one of the values.
*/}}
{{- define "moa.admission.accelerators" -}}
- name: resources
  expression: >-
    (object.spec.containers + object.spec.?initContainers.orValue([]))
    .filter(c, has(c.resources)).map(c, c.resources) +
    (has(object.spec.resources) ? [object.spec.resources] : [])
- name: amounts
  expression: >-
    variables.resources.map(r, r.?limits.orValue({})) + variables.resources.map(r, r.?requests.orValue({}))
{{- $exact := list }}
{{- $prefixes := list }}
{{- range .Values.admission.resourceNames }}
{{- if hasSuffix "*" . }}{{ $prefixes = append $prefixes (trimSuffix "*" .) }}{{ else }}{{ $exact = append $exact . }}{{ end }}
{{- end }}
- name: names
  expression: >-
    params.spec.acceleratorClasses.map(c, c.resourceName){{ with $exact }} + {{ toJson . }}{{ end }}
- name: asks
  expression: >-
    variables.amounts.exists(a, a.exists(n, string(a[n]) != '0' && (n in variables.names
    {{- with $prefixes }} || {{ toJson . }}.exists(p, n.startsWith(p)){{ end }})))
{{- end }}

{{/* Binds a policy to its parameters: to each GpuPool by itself. Without any there is nothing to protect. */}}
{{- define "moa.admission.perPool" -}}
paramRef:
  selector: {}
  parameterNotFoundAction: Allow
{{- end }}

{{/*
Binds a ValidatingAdmissionPolicy: (dict "context" . "name" "..." "perPool" true).
*/}}
{{- define "moa.admission.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "moa.labels" .context | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: {{ toJson .context.Values.admission.actions }}
  {{- if .perPool }}
  {{- include "moa.admission.perPool" .context | nindent 2 }}
  {{- end }}
{{- end }}
