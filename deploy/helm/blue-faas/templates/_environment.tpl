{{- /* The server's settings: what the values say, before what the chart says itself. */ -}}
{{- define "blue-faas.environment" -}}
{{- /* Where a setting comes from is the same to the server. */ -}}
{{- $given := merge (deepCopy .Values.secretEnv) .Values.env -}}
{{- $own := dict
  "ENVIRONMENT" "production"
  "BLUE_FAAS_ADDR" "0.0.0.0:3000"
  "BLUE_FAAS_FUNCTIONS_ADDR" "0.0.0.0:3001"
  "BLUE_FAAS_INSECURE" "yes"
  "BLUE_FAAS_DATA_DIR" "/data"
  "BLUE_FAAS_BUILDER" "snapshot"
  "BLUE_FAAS_PLATFORM" "embedded"
  "BLUE_FAAS_DRAIN" (toString .Values.drainSeconds)
  "BLUE_FAAS_NAMESPACES" (join "," .Values.namespaces)
-}}
{{- if .Values.metrics.enabled }}{{ $_ := set $own "BLUE_FAAS_METRICS_ADDR" "0.0.0.0:3002" }}{{ end }}
{{- if eq .Values.mode "cloud" }}
{{- $cloud := dict
  "BLUE_FAAS_STORE" "dynamodb"
  "BLUE_FAAS_BLOBS" "s3"
  "BLUE_FAAS_BUILDER" "remote"
  "BLUE_FAAS_PLATFORM" "spinapp"
-}}
{{- $own = merge $cloud $own }}
{{- if $given.LOKI_SERVICE_URL }}{{ $_ := set $own "BLUE_FAAS_LOGS" "loki" }}{{ end }}
{{- if $given.PROMETHEUS_SERVICE_URL }}{{ $_ := set $own "BLUE_FAAS_METRICS" "prometheus" }}{{ end }}
{{- end }}
{{- $all := merge (deepCopy .Values.env) $own }}
{{- if eq $all.BLUE_FAAS_BUILDER "remote" }}
{{- $_ := required "env.BUILDER_SERVICE_URL (or secretEnv): mode cloud needs the Builder Service's address" $given.BUILDER_SERVICE_URL }}
{{- end }}
{{- if and (eq .Values.mode "embedded") (eq $all.BLUE_FAAS_STORE "dynamodb") }}
{{- fail "env.BLUE_FAAS_STORE: a table that servers share goes with mode: cloud" }}
{{- end }}
{{- range $name, $value := $all }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Whether the server speaks to Kubernetes: "true" or nothing. */ -}}
{{- define "blue-faas.changesSpinApps" -}}
{{- if eq (include "blue-faas.environment" . | fromYaml).BLUE_FAAS_PLATFORM "spinapp" }}true{{ end }}
{{- end }}
