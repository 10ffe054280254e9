#!/usr/bin/env bash
# Runs the steps of the Dockerfile without docker: a build and an installation without development
# packages, each in a clean copy of what .dockerignore includes; then starts the result as the image
# would. Prints OK at the end; any failure exits with the step's code.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# In the image, node comes from the base image. Here it may come from the development package `node`
# of this tree, so that the copies need no install script either.
if [ "$(node -p 'Number.parseInt(process.versions.node)' 2>/dev/null || echo 0)" -lt 24 ]; then
  PATH="$(dirname "$("$root/node_modules/.bin/node" -p process.execPath)"):$PATH"
fi
echo "node $(node -p process.versions.node), npm $(npm --version)"

step() { echo "--- $*"; }

step "build: npm ci --ignore-scripts, npm run build"
mkdir "$work/build"
cp "$root/package.json" "$root/package-lock.json" "$work/build/"
cp -R "$root/build" "$root/src" "$work/build/"
(cd "$work/build" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build)

step "modules: npm ci --omit=dev --ignore-scripts"
mkdir "$work/app"
cp "$root/package.json" "$root/package-lock.json" "$work/app/"
(cd "$work/app" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error)

step "image: /app"
cp "$root/LICENSE" "$root/openapi.yaml" "$work/app/"
cp -R "$work/build/dist" "$work/app/dist"
rm -rf "$work/build"

step "the image contains no development package"
(cd "$work/app" && node -e '
  const { existsSync } = require("node:fs");
  const { packages } = require("./package-lock.json");
  const found = Object.keys(packages).filter((path) => packages[path].dev && existsSync(path));
  if (found.length > 0) throw new Error(`must not be in the image: ${found.join(", ")}`);
')
rm "$work/app/package-lock.json"

relay() { (cd "$work/app" && node --disable-warning=ExperimentalWarning dist/main.js "$@"); }

step "every command loads: --help"
relay --help >/dev/null

step "capillary-relay runs through its symlink"
chmod 0755 "$work/app/dist/main.js"
ln -s "$work/app/dist/main.js" "$work/capillary-relay"
"$work/capillary-relay" --version

step "check with the configuration of docker-compose.yml"
relay check --config "$root/deploy/compose/relay.yaml" | tail -n 1

step "map needs no configuration"
printf '%s' '{"eventName":"customerAdded","eventId":"e1","orgId":1,"createdAt":1767225600000,"data":{"customerIdentifiers":{"customerId":7}}}' |
  relay map - --json >/dev/null

step "serve: ready, healthy, and exits with 0 on SIGTERM"
sed -e "s#path: /data#path: $work/data#" -e 's/port: 808./port: 0/' -e 's/host: 0.0.0.0/host: 127.0.0.1/' \
  "$root/deploy/compose/relay.yaml" >"$work/relay.yaml"
# Started without a function or subshell, so that the signal goes to node itself.
cd "$work/app"
node --disable-warning=ExperimentalWarning dist/main.js serve --config "$work/relay.yaml" >"$work/log" 2>&1 &
relay=$!
trap 'kill -9 "$relay" 2>/dev/null || true; rm -rf "$work"' EXIT
if ! timeout 30 sh -c "until grep -q '\"ready\"' '$work/log'; do kill -0 $relay && sleep 0.1 || exit 1; done"; then
  cat "$work/log" >&2
  exit 1
fi
health=$(sed -n 's/^ *CMD \["node", "-e", "\(.*\)"\]$/\1/p' "$root/Dockerfile")
[ -n "$health" ] || { echo "the HEALTHCHECK of the Dockerfile was not found" >&2; exit 1; }
url=$(sed -n 's/.*"adminUrl":"\([^"]*\)".*/\1/p' "$work/log")
RELAY_HEALTH_URL="$url/livez" node -e "$health"
step "the image contains the API description and its page"
for path in openapi.yaml openapi.json docs/ docs/static/swagger-ui-bundle.js; do
  RELAY_HEALTH_URL="$url/$path" node -e "$health" || { echo "$path is missing" >&2; exit 1; }
done
kill -TERM "$relay"
wait "$relay"

echo OK
