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

{{/*
relay.yaml: the value `config`, with half of the volume as maxBytes unless it is set. Fails if the store would not fit on the
volume. A size from a placeholder is not known here.
*/}}
{{- define "relay.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $store := $config.store -}}
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
{{- toYaml $config -}}
{{- end -}}
