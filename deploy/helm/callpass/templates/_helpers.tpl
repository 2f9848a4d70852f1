{{- define "callpass.server" -}}{{ .Release.Name }}-server{{- end }}
{{- define "callpass.edge" -}}{{ .Release.Name }}-edge{{- end }}
{{- define "callpass.operator" -}}{{ .Release.Name }}-operator{{- end }}
{{- define "callpass.migrate" -}}{{ .Release.Name }}-migrate{{- end }}
{{- define "callpass.serverHost" -}}{{ include "callpass.server" . }}.{{ .Release.Namespace }}.svc{{- end }}
{{- define "callpass.serverAddress" -}}dns:///{{ include "callpass.serverHost" . }}:50051{{- end }}

{{/* Labels that select the pods of a part, given as (list $ name). */}}
{{- define "callpass.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
{{- end }}

{{- define "callpass.labels" -}}
{{ include "callpass.selector" . }}
{{- with index . 0 }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: callpass
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- end }}

{{/* Name, namespace and labels of an object, given as (list $ name). */}}
{{- define "callpass.metadata" -}}
name: {{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "callpass.labels" . | nindent 2 }}
{{- end }}

{{/* Image of a program, given as (list $ image digest). */}}
{{- define "callpass.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- index . 1 -}}
{{- with index . 2 }}@{{ . }}{{ else }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}{{ end -}}
{{- end }}

{{/* Annotations of a pod: of the mesh, and the digest of what it reads at its start only. Given as (list $ text). */}}
{{- define "callpass.podAnnotations" -}}
{{- with index . 1 }}
callpass.example/settings-sha256: {{ sha256sum . }}
{{- end }}
{{- with index . 0 }}
{{- if eq .Values.transport.mode "mesh" }}
{{ toYaml .Values.transport.mesh.podAnnotations }}
{{- end }}
{{- end }}
{{- end }}

{{- define "callpass.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "callpass.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Spreads the pods of a part over zones and nodes, given as (list $ name). */}}
{{- define "callpass.spread" -}}
{{- $selector := include "callpass.selector" . -}}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: { {{ $selector }} }
{{- end }}
{{- end }}

{{/* What opens the store: environment, mounts and volumes of a container of the server's image. */}}
{{- define "callpass.storeEnvironment" -}}
{{- with .Values.store.passwordSecret }}
{{- if .name }}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef: { name: {{ .name }}, key: {{ .key }} }
{{- end }}
{{- end }}
{{- end }}
{{- define "callpass.storeMounts" -}}
- { name: key-encryption, mountPath: /run/secrets/key-encryption, readOnly: true }
{{- if .Values.store.secret }}
- { name: postgres, mountPath: /run/secrets/postgres, readOnly: true }
{{- end }}
{{- end }}
{{- define "callpass.storeVolumes" -}}
- name: key-encryption
  secret: { secretName: {{ .Values.keyEncryption.secret }}, defaultMode: 0440 }
{{- with .Values.store.secret }}
- name: postgres
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{/* How a client authenticates at the server: certificate, token of a secret, or token of its service account. */}}
{{- define "callpass.clientMounts" -}}
{{- if eq .root.Values.transport.mode "mtls" }}
- { name: tls, mountPath: /run/secrets/tls, readOnly: true }
{{- end }}
{{- if or .tokenSecret .root.Values.identity.workloadTokens.enabled }}
- { name: token, mountPath: /run/secrets/callpass, readOnly: true }
{{- end }}
{{- end }}
{{- define "callpass.clientVolumes" -}}
{{- if eq .root.Values.transport.mode "mtls" }}
- name: tls
  secret: { secretName: {{ .tlsSecret }}, defaultMode: 0440 }
{{- end }}
{{- if .tokenSecret }}
- name: token
  secret: { secretName: {{ .tokenSecret }}, defaultMode: 0440 }
{{- else if .root.Values.identity.workloadTokens.enabled }}
- name: token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          audience: {{ .root.Values.identity.workloadTokens.audience }}
          expirationSeconds: {{ .root.Values.identity.workloadTokens.expirationSeconds }}
{{- end }}
{{- end }}

{{/* Exporter of traces, and the instance's name in telemetry. */}}
{{- define "callpass.telemetryEnvironment" -}}
- name: POD_NAME
  valueFrom:
    fieldRef: { fieldPath: metadata.name }
- name: OTEL_RESOURCE_ATTRIBUTES
  value: service.instance.id=$(POD_NAME)
{{- with .Values.telemetry }}
{{- if .otlpEndpoint }}
- { name: OTEL_TRACES_EXPORTER, value: otlp }
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .otlpEndpoint | quote }} }
- { name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ .tracesRatio | quote }} }
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses values that make no service. */}}
{{- define "callpass.assertUsable" -}}
{{- if not .Values.operators }}
{{- fail "operators: name one, or nobody could apply the first configuration" }}
{{- end }}
{{- if eq .Values.transport.mode "mesh" }}
{{- range $client, $tokenSecret := dict "operator" .Values.operator.tokenSecret "edge" .Values.edge.tokenSecret }}
{{- if not (or $tokenSecret $.Values.identity.workloadTokens.enabled) }}
{{- fail (printf "%s.tokenSecret or identity.workloadTokens: behind a mesh clients authenticate with tokens" $client) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.identity.workloadTokens.enabled (not .Values.identity.jwt) }}
{{- fail "identity.jwt: name the cluster's issuer, which identity.workloadTokens needs" }}
{{- end }}
{{- if and .Values.tls.certManager.enabled (not .Values.tls.certManager.issuerRef.name) }}
{{- fail "tls.certManager.issuerRef.name: name the issuer" }}
{{- end }}
{{- end }}
