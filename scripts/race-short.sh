#!/usr/bin/env bash
# Runs the tests of the packages given, with -short, under the race detector. The race detector needs cgo and so a C compiler; a machine
# with only Go, git and make goes without, and is told.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

compiler=$("$go" env CC)
if ! command -v "${compiler%% *}" >/dev/null; then
  echo "== no race run: the race detector needs a C compiler, and $compiler is not here"
  exit 0
fi
patterns=()
for pattern in "$@"; do
  if [[ -d ${pattern%/...} ]]; then patterns+=("$pattern"); fi
done
mapfile -t packages < <("$go" list "${patterns[@]}")
if [[ ${#packages[@]} -eq 0 ]]; then exit 0; fi
echo "== go test -race -short: ${#packages[@]} packages"
CGO_ENABLED=1 "$go" test -race -short -vet=off -timeout 10m "${packages[@]}" | { grep -v -e '^ok ' -e 'no test files' || true; }
