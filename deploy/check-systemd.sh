#!/usr/bin/env bash
# Checks the unit of deploy/systemd with systemd-analyze, if it is installed: no unknown setting, the command exists, and
# at most LOW_EXPOSURE tenths of exposure. Nothing is installed or started. Prints OK at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

LOW_EXPOSURE=20
name=capillary-aep-relay.service

if ! command -v systemd-analyze >/dev/null; then
  echo "skipped: systemd-analyze is not installed"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "s#/opt/capillary-aep-relay#$PWD#" "deploy/systemd/$name" >"$work/$name"

# An unknown setting is only a warning, so any output is a failure.
verify() { systemd-analyze verify --man=no "$work/$name" 2>&1; }
found=$(verify) || true
[ -z "$found" ] || { printf '%s\n' "$found" >&2; exit 1; }
systemd-analyze security --offline=true --threshold="$LOW_EXPOSURE" "$work/$name" | tail -n 1

sed -i 's/^ProtectHome=/ProtectHom=/' "$work/$name"
verify | grep -q ProtectHom || { echo "an unknown setting was accepted" >&2; exit 1; }
echo OK
