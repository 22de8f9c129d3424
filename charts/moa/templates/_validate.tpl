{{/*
What the schema cannot say: values that do not go together. Each ends the rendering with a sentence that names them.
*/}}
{{- define "moa.validate" -}}
{{- if eq .Values.ledger.engine "SQLite" -}}
{{- if gt (int (include "moa.replicas" .)) 1 -}}
{{- fail (printf "replicas: %d operators cannot share the embedded ledger, whose SQLite file has one writer. Set ledger.engine to PostgreSQL, or leave replicas unset." (int .Values.replicas)) -}}
{{- end -}}
{{- if or .Values.ledger.postgresql.existingSecret .Values.ledger.postgresql.caSecret -}}
{{- fail "ledger.postgresql: is set, but ledger.engine is SQLite. Set ledger.engine to PostgreSQL, or take ledger.postgresql out." -}}
{{- end -}}
{{- else -}}
{{- if not .Values.ledger.postgresql.existingSecret -}}
{{- fail "ledger.postgresql.existingSecret: name a Secret of the release namespace that holds the URL of the PostgreSQL server." -}}
{{- end -}}
{{- if .Values.ledger.sqlite.existingClaim -}}
{{- fail "ledger.sqlite.existingClaim: is set, but ledger.engine is PostgreSQL. Set ledger.engine to SQLite, or take it out." -}}
{{- end -}}
{{- end -}}
{{- if and (has "Deny" .Values.admission.actions) (has "Warn" .Values.admission.actions) -}}
{{- fail "admission.actions: Deny and Warn exclude each other, as whom a request is denied is told why. Write [Deny], [Deny, Audit] or [Warn, Audit]." -}}
{{- end -}}
{{- end }}

{{/* The text of a file that `npm run generate` puts into the chart. */}}
{{- define "moa.file" -}}
{{- required (printf "%s is missing in the chart: it was packaged without its generated files. Run `npm run generate` and package it again." .file) (.context.Files.Get .file) -}}
{{- end }}
