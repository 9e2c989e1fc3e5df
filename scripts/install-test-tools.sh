#!/usr/bin/env bash
# Installs what the tests need beyond Go, and only what is missing:
#
#   PostgreSQL server programs   every storage test runs on SQLite and on PostgreSQL
#   Chromium                     the browser tests play the portal and the console as a person would
#   a Chinese font               screenshots of the Simplified Chinese pages would show boxes without one
#
# With everything there it prints nothing and changes nothing. It installs with apt-get, as root or through sudo; on any other
# system it says what to install and stops. The tests start their own PostgreSQL on a private directory and socket and never
# touch a server that runs on this machine.
set -euo pipefail

say() { printf 'install-test-tools: %s\n' "$*" >&2; }

# The same places, in the same order, as internal/testkit/postgres looks at.
have_postgres() {
  local dir
  if [[ -n ${PROBITY_POSTGRES_BIN:-} ]]; then
    [[ -x $PROBITY_POSTGRES_BIN/initdb && -x $PROBITY_POSTGRES_BIN/postgres ]]
    return
  fi
  if command -v initdb >/dev/null && command -v postgres >/dev/null; then return 0; fi
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
    /usr/local/pgsql/bin; do
    if [[ -x $dir/initdb && -x $dir/postgres ]]; then return 0; fi
  done
  return 1
}

# The same names, in the same order, as internal/testkit/browser looks at.
have_chromium() {
  local name
  if [[ -n ${PROBITY_CHROMIUM:-} ]]; then
    [[ -x $PROBITY_CHROMIUM ]]
    return
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome headless-shell; do
    if command -v "$name" >/dev/null; then return 0; fi
  done
  [[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" || -x /Applications/Chromium.app/Contents/MacOS/Chromium ]]
}

have_chinese_font() {
  if [[ $(uname -s) == Darwin ]]; then return 0; fi
  if command -v fc-list >/dev/null && [[ -n $(fc-list :lang=zh-cn family 2>/dev/null) ]]; then return 0; fi
  [[ -n $(find /usr/share/fonts /usr/local/share/fonts "${HOME:-/}/.fonts" "${HOME:-/}/.local/share/fonts" \
    \( -iname 'wqy-*' -o -iname '*CJK*' -o -iname 'DroidSansFallback*' -o -iname '*HanSans*' \) -print -quit 2>/dev/null) ]]
}

packages=()
reasons=()
required=0
if ! have_postgres; then
  packages+=(postgresql)
  reasons+=("postgresql: the storage tests run on PostgreSQL too; Debian's package also sets up a server of its own, which the tests do not use")
  required=1
fi
if ! have_chromium; then
  packages+=(chromium)
  reasons+=("chromium: the browser tests need a Chromium")
  required=1
fi
if ! have_chinese_font; then
  packages+=(fonts-wqy-zenhei)
  reasons+=("fonts-wqy-zenhei: screenshots of Chinese pages need a Chinese font")
fi
if [[ ${#packages[@]} -eq 0 ]]; then exit 0; fi

advise() {
  say "$1"
  say "needed: ${packages[*]}"
  say "install them by hand (Debian, Ubuntu: sudo apt-get install ${packages[*]}; macOS: brew install postgresql, and Chrome;"
  say "others: the server programs of PostgreSQL 14 or later, and Chromium or Chrome), then run make test again."
  say "programs in unusual places: PROBITY_POSTGRES_BIN=<folder of initdb and postgres>, PROBITY_CHROMIUM=<path of the browser>."
  say "to leave out the tests that need them: go test ./... skips those, and says so."
  if [[ $required -eq 1 ]]; then exit 1; fi
  exit 0
}

for reason in "${reasons[@]}"; do say "missing: $reason"; done
command -v apt-get >/dev/null || advise "this machine has no apt-get, so nothing was installed"

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || advise "not root, and there is no sudo, so nothing was installed"
  if ! sudo -n true 2>/dev/null && ! [[ -t 0 && -t 2 ]]; then
    advise "not root, and sudo wants a password that nobody is there to type, so nothing was installed"
  fi
  as_root=(sudo)
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -o DPkg::Lock::Timeout=120)
if [[ ${#as_root[@]} -gt 0 ]]; then apt=(sudo env DEBIAN_FRONTEND=noninteractive "${apt[@]}"); fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing with apt-get: ${packages[*]}"
if ! "${apt[@]}" update >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  say "the package lists could not be refreshed; going on with those that are here"
fi
# Ubuntu calls it chromium-browser.
if [[ " ${packages[*]} " == *" chromium "* ]] && ! apt-cache show chromium >/dev/null 2>&1; then
  packages=("${packages[@]/#%chromium/chromium-browser}")
fi
if ! "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  advise "apt-get could not install them (its last lines are above)"
fi
have_postgres || advise "installed, but initdb and postgres are still not found"
have_chromium || advise "installed, but no Chromium is found"
say "installed: ${packages[*]}"
