{{- define "tarn.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tarn.fullname" -}}
{{- $name := include "tarn.name" . -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{ .Values.fullnameOverride | default $both | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "tarn.selector" -}}
app.kubernetes.io/name: {{ include "tarn.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tarn.labels" -}}
{{ include "tarn.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "tarn.databaseSecret" -}}
{{ .Values.option.connectionSecretName | default (printf "%s-db-connection" (include "tarn.fullname" .)) }}
{{- end }}

{{- define "tarn.keySecret" -}}
{{ .Values.lake.encryptionSecret.secretName | default (printf "%s-encryption-secret" (include "tarn.fullname" .)) }}
{{- end }}

{{/* "true" where the release has a secret of the key; an embedded store can do without. */}}
{{- define "tarn.hasKey" -}}
{{- with .Values.lake.encryptionSecret -}}
{{- if or .secret .secretName (not .autoCreateSecret) }}true{{ end -}}
{{- end -}}
{{- end }}

{{- define "tarn.ownMysql" -}}
{{- if and (eq .Values.option.database "mysql") (not .Values.mysql.useExternal) }}true{{ end -}}
{{- end }}

{{/* What both pods have in common; takes the section of values. */}}
{{- define "tarn.pod" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "securityContext" }}
{{- with index $.section $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* name/value pairs of a map. */}}
{{- define "tarn.envs" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
