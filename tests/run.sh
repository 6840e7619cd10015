#!/usr/bin/env bash
# Make what the tests need and run them: fast ones first, then slow ones.
#
#   bash tests/run.sh            everything
#   bash tests/run.sh --fast     the fast ones only
#   PYTHON=python3.12 bash ...   with another Python (3.11 or newer)
#
# Makes .venv in the clone if there is none, installs tuner with its test and lint extras, and a
# Chromium for the browser test if the machine has none.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x .venv/bin/python ]; then
    "${PYTHON:-python3}" -m venv .venv
fi
.venv/bin/python -m pip install --quiet --editable '.[test,lint]'

browser_found() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}
if [ "${1:-}" != "--fast" ] && ! browser_found; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "the browser test needs Chromium or Chrome: install it and run this again" >&2
        exit 1
    fi
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root="sudo"
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq chromium >/dev/null
fi

# Two processes for two cores; a file stays in one process, so that it traces its networks once.
run() { .venv/bin/python -m pytest -n 2 --dist loadfile -q "$@"; }
run -m "not slow"
if [ "${1:-}" != "--fast" ]; then
    run -m slow --durations=10
fi
