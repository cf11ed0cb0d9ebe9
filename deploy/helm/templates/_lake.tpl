{{/* The pod of the server and of the workers; takes root, component and the program's args. */}}
{{- define "tarn.lakePod" -}}
{{- $lake := .root.Values.lake }}
{{- $embedded := eq .root.Values.option.database "embedded" }}
{{- $assembled := and (eq .root.Values.option.database "mysql") .root.Values.option.assembleDbUrl }}
{{- $name := printf "%s-lake" (include "tarn.fullname" .root) }}
metadata:
  labels:
    {{- include "tarn.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ $.component }}
    {{- with $lake.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A changed password or key starts the pod anew.
    checksum/secrets: {{ include (print $.root.Template.BasePath "/secrets.yaml") .root | sha256sum }}
    {{- with $lake.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 60
  {{- with $lake.serviceAccount.name }}
  serviceAccountName: {{ . }}
  {{- end }}
  {{- include "tarn.pod" (dict "section" $lake "root" .root) | nindent 2 }}
  {{- with $lake.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ $.component }}
      {{- with $.args }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      image: "{{ $lake.image.repository }}:{{ $lake.image.tag | default .root.Values.imageTag | default .root.Chart.AppVersion }}"
      imagePullPolicy: {{ $lake.image.pullPolicy }}
      ports:
        - name: http
          containerPort: {{ $lake.port }}
      envFrom:
        {{- if include "tarn.hasKey" .root }}
        - secretRef:
            name: {{ include "tarn.keySecret" .root }}
        {{- end }}
        {{- with $lake.extraEnvsFromSecret }}
        - secretRef:
            name: {{ . }}
        {{- end }}
      env:
        - name: PORT
          value: {{ $lake.port | quote }}
        {{- if $assembled }}
        - name: MYSQL_PASSWORD
          valueFrom:
            secretKeyRef:
              name: {{ include "tarn.databaseSecret" .root }}
              key: MYSQL_PASSWORD
        - name: DB_URL
          {{- with .root.Values.mysql }}
          {{- $server := .useExternal | ternary (printf "%s:%v" .externalServer .externalPort) (printf "%s-mysql:3306" (include "tarn.fullname" $.root)) }}
          value: "mysql://{{ .username }}:$(MYSQL_PASSWORD)@{{ $server }}/{{ .database }}?charset=utf8mb4&parseTime=True&loc=UTC{{ .extraParams }}"
          {{- end }}
        {{- end }}
        {{- include "tarn.envs" $lake.envs | nindent 8 }}
        {{- include "tarn.envs" .root.Values.commonEnvs | nindent 8 }}
      {{- range $key := list "startupProbe" "livenessProbe" "readinessProbe" "resources" }}
      {{- with index $lake $key }}
      {{ $key }}:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- with $lake.containerSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: data
          mountPath: /data
        - name: tmp
          mountPath: /tmp
        {{- with $lake.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: data
      {{- if $embedded }}
      persistentVolumeClaim:
        claimName: {{ $name }}-data
      {{- else }}
      emptyDir: {}
      {{- end }}
    - name: tmp
      emptyDir: {}
    {{- with $lake.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
