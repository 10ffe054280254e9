{{/* The template of the pods, the same in both modes but for the volume and what a rolling update needs. */}}
{{- define "relay.pod" -}}
metadata:
  labels:
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- include "relay.selectorLabels" . | nindent 4 }}
  annotations:
    # A change restarts the pods, because some keys are read at startup only.
    checksum/config: {{ include "relay.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "relay.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- if eq .Values.mode "replicas" }}
  terminationGracePeriodSeconds: {{ add .Values.terminationGracePeriodSeconds .Values.replicas.preStopSeconds }}
  {{- with .Values.replicas.readinessGates }}
  readinessGates:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- else }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: relay
      image: {{ include "relay.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- with .Values.extraEnv }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: intake
          containerPort: {{ .Values.config.server.port }}
        - name: admin
          containerPort: {{ .Values.config.admin.port }}
      startupProbe:
        httpGet: { path: /livez, port: admin }
        periodSeconds: 5
        timeoutSeconds: 4
        failureThreshold: {{ div (add .Values.startupSeconds 4) 5 }}
      livenessProbe:
        httpGet: { path: /livez, port: admin }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /readyz, port: admin }
        {{- if eq .Values.mode "replicas" }}
        # Often, so that a pod takes webhooks again soon after a fail-over of the database.
        periodSeconds: 2
        timeoutSeconds: 4
        failureThreshold: 3
        {{- else }}
        periodSeconds: 5
        timeoutSeconds: 4
        failureThreshold: 2
        {{- end }}
      {{- if and (eq .Values.mode "replicas") .Values.replicas.preStopSeconds }}
      lifecycle:
        preStop:
          # The pod serves on meanwhile, until nothing sends it webhooks any more.
          exec:
            command: [sleep, {{ .Values.replicas.preStopSeconds | quote }}]
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        {{- if eq .Values.mode "single" }}
        - name: data
          mountPath: /data
        {{- end }}
        - name: config
          mountPath: /etc/relay
          readOnly: true
        # The whole folder, not single files by subPath: those would never be updated.
        - name: secrets
          mountPath: /run/secrets/relay
          readOnly: true
        {{- if include "relay.databaseFiles" . }}
        - name: database
          mountPath: /run/secrets/database
          readOnly: true
        {{- end }}
        {{- if include "relay.egressFiles" . }}
        - name: egress
          mountPath: /run/secrets/egress
          readOnly: true
        {{- end }}
        - name: tmp
          mountPath: /tmp
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "relay.fullname" . }}
    - name: secrets
      secret:
        secretName: {{ include "relay.secretName" . }}
        defaultMode: 288 # 0440: root and the relay's group
    {{- with include "relay.databaseFiles" . }}
    - name: database
      projected:
        defaultMode: 288
        sources:
          {{- . | nindent 10 }}
    {{- end }}
    {{- with include "relay.egressFiles" . }}
    - name: egress
      projected:
        defaultMode: 288
        sources:
          {{- . | nindent 10 }}
    {{- end }}
    - name: tmp
      emptyDir:
        sizeLimit: 256Mi
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if eq .Values.mode "replicas" }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: {{ $.Values.replicas.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "relay.selectorLabels" $ | nindent 10 }}
      # Only pods of one version count, so that those of a rolling update do not push each other away.
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end -}}
