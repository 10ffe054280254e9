{{- define "relay.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* 52: leaves room within 63 characters for the pods' controller label and "-headless". */}}
{{- define "relay.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "relay.selectorLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of the pod of `helm test`. Not the selector labels: the Services would send it webhooks. */}}
{{- define "relay.testLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "relay.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "relay.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "relay.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "relay.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "relay.secretName" -}}
{{- default (include "relay.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{- define "relay.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Names of the secret files that the configuration refers to, as {"names": […]}. */}}
{{- define "relay.secretFiles" -}}
{{- $names := list -}}
{{- range regexFindAll "\\$\\{file:/run/secrets/relay/[^}]+\\}" (toYaml .Values.config) -1 -}}
{{- $names = append $names (. | trimPrefix "${file:/run/secrets/relay/" | trimSuffix "}") -}}
{{- end -}}
{{- dict "names" ($names | uniq | sortAlpha) | toJson -}}
{{- end -}}

{{/* A size in bytes: a quantity of Kubernetes (20Gi), or a size as in relay.yaml (10GiB). */}}
{{- define "relay.bytes" -}}
{{- $units := dict "m" 0.001 "" 1 "B" 1 "k" 1e3 "KB" 1e3 "M" 1e6 "MB" 1e6 "G" 1e9 "GB" 1e9 "T" 1e12 "Ki" 1024 "KiB" 1024
  "Mi" 1048576 "MiB" 1048576 "Gi" 1073741824 "GiB" 1073741824 "Ti" 1099511627776 -}}
{{- $unit := regexFind "[A-Za-z]*$" . -}}
{{- printf "%.0f" (mulf (. | trimSuffix $unit | trim | float64) (get $units $unit | float64)) -}}
{{- end -}}

{{/* The files in /run/secrets/database, as sources of a projected volume; nothing if there is none. */}}
{{- define "relay.databaseFiles" -}}
{{- if eq .Values.mode "replicas" -}}
{{- with .Values.database -}}
{{- if .passwordSecret }}
- secret:
    name: {{ .passwordSecret }}
    items: [{ key: {{ .passwordKey }}, path: password }]
{{- end }}
{{- include "relay.caFile" . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The file ca.crt of a Secret or a ConfigMap, as a source of a projected volume; nothing if none is named. */}}
{{- define "relay.caFile" -}}
{{- if .caSecret }}
- secret:
    name: {{ .caSecret }}
    items: [{ key: {{ .caKey }}, path: ca.crt }]
{{- else if .caConfigMap }}
- configMap:
    name: {{ .caConfigMap }}
    items: [{ key: {{ .caKey }}, path: ca.crt }]
{{- end }}
{{- end -}}

{{/* The file in /run/secrets/egress; fails if the configuration refers to it and nothing provides it. */}}
{{- define "relay.egressFiles" -}}
{{- $files := include "relay.caFile" .Values.egress -}}
{{- $ca := dig "egress" "ca" "" .Values.config -}}
{{- if and (contains "/run/secrets/egress/ca.crt" $ca) (not $files) -}}
{{- fail "config.egress.ca refers to the file /run/secrets/egress/ca.crt: name its Secret or ConfigMap in egress.caSecret or egress.caConfigMap" -}}
{{- end -}}
{{- if and $files (not (contains "/run/secrets/egress/ca.crt" $ca)) -}}
{{- fail "egress.caSecret or egress.caConfigMap is set, but nothing reads the file: set config.egress.ca to ${file:/run/secrets/egress/ca.crt}" -}}
{{- end -}}
{{- $files -}}
{{- end -}}

{{/* The port of config.egress.proxy if it is not 443, which is allowed anyway; nothing if it is not written there. */}}
{{- define "relay.proxyPort" -}}
{{- $proxy := dig "egress" "proxy" "" .Values.config | trimSuffix "/" -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $proxy) -}}
{{- if and (not $port) (hasPrefix "http://" $proxy) (not (hasSuffix "}" $proxy)) -}}
{{- $port = "80" -}}
{{- end -}}
{{- if ne $port "443" -}}
{{- $port -}}
{{- end -}}
{{- end -}}

{{/* The least number of pods. */}}
{{- define "relay.leastReplicas" -}}
{{- if .Values.autoscaling.enabled -}}
{{- .Values.autoscaling.minReplicas -}}
{{- else -}}
{{- .Values.replicas.count -}}
{{- end -}}
{{- end -}}

{{/* Fails for values of mode replicas that contradict each other. */}}
{{- define "relay.checkReplicas" -}}
{{- $url := .Values.config.store.url -}}
{{- $least := include "relay.leastReplicas" . | int -}}
{{- $unavailable := .Values.podDisruptionBudget.maxUnavailable -}}
{{- if and .Values.podDisruptionBudget.enabled (gt $least 1) (or (eq (toString $unavailable) "100%") (and (not (contains "%" (toString $unavailable))) (ge (int $unavailable) $least))) -}}
{{- fail (printf "podDisruptionBudget.maxUnavailable (%v) must be less than the number of pods (%d), or all of them may be evicted at once" $unavailable $least) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (lt (int .Values.autoscaling.maxReplicas) $least) -}}
{{- fail (printf "autoscaling.maxReplicas (%v) must not be less than minReplicas (%d)" .Values.autoscaling.maxReplicas $least) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not (or .Values.autoscaling.cpuPercent .Values.autoscaling.pendingAgeSeconds .Values.autoscaling.metrics)) -}}
{{- fail "autoscaling has no metric: set cpuPercent, pendingAgeSeconds or metrics" -}}
{{- end -}}
{{- if and (contains "/run/secrets/database/password" $url) (not .Values.database.passwordSecret) -}}
{{- fail "config.store.url refers to the file /run/secrets/database/password: name its Secret in database.passwordSecret" -}}
{{- end -}}
{{- if and (contains "/run/secrets/database/ca.crt" $url) (not (or .Values.database.caSecret .Values.database.caConfigMap)) -}}
{{- fail "config.store.url refers to the file /run/secrets/database/ca.crt: name its Secret or ConfigMap in database.caSecret or database.caConfigMap" -}}
{{- end -}}
{{- end -}}

{{/*
relay.yaml: the value `config`. In mode single with half of the volume as maxBytes unless it is set; fails if the store would not
fit on the volume. A size from a placeholder is not known here. In mode replicas without the chart's values for a volume.
*/}}
{{- define "relay.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $store := $config.store -}}
{{- if eq .Values.mode "replicas" -}}
{{- $_ := set $config "store" (omit $store "path" "minFree" "expect") -}}
{{- else -}}
{{- $size := .Values.persistence.size -}}
{{- $bytes := include "relay.bytes" $size | float64 -}}
{{- if not $store.maxBytes -}}
{{- $_ := set $store "maxBytes" (printf "%dMiB" (int64 (divf $bytes 2097152))) -}}
{{- end -}}
{{- $minFree := default "512MiB" $store.minFree -}}
{{- if not (contains "${" (print $store.maxBytes $minFree)) -}}
{{- if ge (addf (include "relay.bytes" $store.maxBytes | float64) (include "relay.bytes" $minFree | float64)) $bytes -}}
{{- fail (printf "config.store.maxBytes (%s) plus minFree (%s) must be less than persistence.size (%s): the store would fill the volume before it refuses events. Raise persistence.size, or lower maxBytes or minFree; without maxBytes it is half of the volume" $store.maxBytes $minFree $size) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}
