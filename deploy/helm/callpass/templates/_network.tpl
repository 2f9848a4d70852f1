{{/* Ports of the mesh's proxies, which take connections in place of the programs. */}}
{{- define "callpass.proxyPorts" -}}
{{- if eq .Values.transport.mode "mesh" }}
{{- range .Values.transport.mesh.proxyPorts }}
- { port: {{ . }}, protocol: TCP }
{{- end }}
{{- end }}
{{- end }}

{{- define "callpass.serverEgress" -}}
- to:
    - podSelector:
        matchLabels: { {{ include "callpass.selector" (list . (include "callpass.server" .)) }} }
  ports:
    - { port: 50051, protocol: TCP }
    {{- include "callpass.proxyPorts" . | nindent 4 }}
{{- end }}

{{- define "callpass.collectorEgress" -}}
{{- if .Values.telemetry.otlpEndpoint }}
- to:
    - namespaceSelector:
        matchLabels: { kubernetes.io/metadata.name: {{ .Values.networkPolicy.observability.namespace }} }
  ports:
    - { port: {{ .Values.networkPolicy.observability.otlpPort }}, protocol: TCP }
    {{- include "callpass.proxyPorts" . | nindent 4 }}
{{- end }}
{{- end }}
