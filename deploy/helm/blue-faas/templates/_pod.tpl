{{- /* The pod, of a Deployment or a StatefulSet. */ -}}
{{- define "blue-faas.pod" -}}
metadata:
  labels:
    {{- include "blue-faas.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # Another setting is another pod.
    checksum/environment: {{ include "blue-faas.environment" . | sha256sum }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "blue-faas.account" . }}
  # Only who changes SpinApps speaks to Kubernetes. IRSA brings a token of its own.
  automountServiceAccountToken: {{ include "blue-faas.changesSpinApps" . | eq "true" }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add .Values.drainSeconds .Values.stopSeconds }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: blue-faas
      image: {{ include "blue-faas.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      envFrom:
        - configMapRef: {name: {{ include "blue-faas.name" . }}}
      {{- with .Values.secretEnv }}
      env:
        {{- range $name, $from := . }}
        - name: {{ $name }}
          valueFrom:
            secretKeyRef: {name: {{ $from.secret }}, key: {{ $from.key }}}
        {{- end }}
      {{- end }}
      ports:
        - {name: console, containerPort: 3000}
        - {name: functions, containerPort: 3001}
        {{- if .Values.metrics.enabled }}
        - {name: metrics, containerPort: 3002}
        {{- end }}
      # The console answers to names that it knows, and the kubelet would ask for the pod's address.
      startupProbe:
        httpGet: &ask {path: /health/live, port: console, httpHeaders: [{name: Host, value: localhost}]}
        periodSeconds: 2
        # What is deployed may have to be compiled first.
        failureThreshold: 150
      livenessProbe:
        httpGet: *ask
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /health/ready, port: console, httpHeaders: [{name: Host, value: localhost}]}
        # Within the drain, for whoever routes by readiness; a single slow answer takes no pod away.
        # It answers within 1 s, whatever does not answer it.
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      resources: {{ toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 2Gi}
    {{- if eq .Values.mode "cloud" }}
    - name: data
      emptyDir: {sizeLimit: {{ .Values.persistence.cacheSize }}}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .Values.mode "cloud" }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{ include "blue-faas.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end }}
