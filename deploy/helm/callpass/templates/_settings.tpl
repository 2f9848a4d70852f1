{{/* Settings of the server: those of the chart, and server.settings over them. */}}
{{- define "callpass.serverSettings" -}}
{{- $made := include "callpass.madeServerSettings" . | fromYaml -}}
{{- mergeOverwrite $made (deepCopy .Values.server.settings) | toYaml }}
{{- end }}

{{- define "callpass.madeServerSettings" -}}
listen:
  address: 0.0.0.0:50051
{{- if eq .Values.transport.mode "mesh" }}
  allowPlaintext: true
  plaintextEncryptedBy: {{ .Values.transport.mesh.name }}
{{- else }}
tls:
  certFile: /run/secrets/tls/tls.crt
  keyFile: /run/secrets/tls/tls.key
  clientCaFile: /run/secrets/tls/ca.crt
  clientCertificates: {{ if or .Values.identity.jwt .Values.edge.tokenSecret }}optional{{ else }}required{{ end }}
{{- end }}
{{- with .Values.identity.jwt }}
identity:
  jwt:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{ include "callpass.storeSettings" . }}
limits:
  # CALLPASS_LIMITS_URL of the secret is used instead.
  url: redis://unset.invalid
telemetry:
  address: 0.0.0.0:9464
drain:
  # terminationGracePeriodSeconds without the sleep of preStop and five seconds.
  grace: 20s
connections:
  # Short, so that new instances soon get their share.
  maxAge: 5m
access:
  operators:
    {{- toYaml .Values.operators | nindent 4 }}
reflection: false
{{- end }}

{{- define "callpass.storeSettings" -}}
store:
  url: {{ .Values.store.url | quote }}
  migrateOnStart: {{ not .Values.store.migrationJob }}
keyEncryption:
  keyFile: /run/secrets/key-encryption/key
{{- end }}

{{/* Settings of the edge: those of the chart, and edge.settings over them. */}}
{{- define "callpass.edgeSettings" -}}
{{- $made := include "callpass.madeEdgeSettings" . | fromYaml -}}
{{- mergeOverwrite $made (deepCopy .Values.edge.settings) | toYaml }}
{{- end }}

{{- define "callpass.madeEdgeSettings" -}}
listen:
  address: 0.0.0.0:8080
  # The ingress terminates HTTPS, and the network policy admits only the ingress.
  allowPlaintext: true
service:
  address: {{ include "callpass.serverAddress" . }}
{{- if eq .Values.transport.mode "mesh" }}
  plaintextEncryptedBy: {{ .Values.transport.mesh.name }}
{{- else }}
  caFile: /run/secrets/tls/ca.crt
{{- if not (or .Values.edge.tokenSecret .Values.identity.workloadTokens.enabled) }}
  certFile: /run/secrets/tls/tls.crt
  keyFile: /run/secrets/tls/tls.key
{{- end }}
{{- end }}
{{- if or .Values.edge.tokenSecret .Values.identity.workloadTokens.enabled }}
  tokenFile: /run/secrets/callpass/token
{{- end }}
origins:
  {{- toYaml .Values.edge.origins | nindent 2 }}
trustedProxies:
  {{- toYaml .Values.edge.trustedProxies | nindent 2 }}
visitor:
  secretFile: /run/secrets/visitor/secrets
drain:
  grace: 20s
{{- end }}
