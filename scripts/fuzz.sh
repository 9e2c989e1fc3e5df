#!/usr/bin/env bash
# Runs every fuzz target of the module, one after another, each for FUZZTIME. A failing input is written by go test itself to the
# package's testdata/fuzz, where it stays a regression test; commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
fuzztime=${FUZZTIME:-20s}

mapfile -t targets < <(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's/^(.*)\/[^/]+:[0-9]+:func (Fuzz.*)$/\1 \2/' | sort)
if [[ ${#targets[@]} -eq 0 ]]; then
  echo 'fuzz: no fuzz target found' >&2
  exit 1
fi
failed=()
for target in "${targets[@]}"; do
  read -r folder name <<<"$target"
  echo "== $folder $name for $fuzztime"
  "$go" test -vet=off -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" -fuzzminimizetime 20x "$folder" || failed+=("$target")
done
if [[ ${#failed[@]} -gt 0 ]]; then
  printf 'fuzz: failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "fuzz: ${#targets[@]} targets passed"
