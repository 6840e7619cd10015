#!/usr/bin/env bash
# Try tuner with each Python that it names, and with the lowest versions of its packages: install
# the wheel, run the default search, run the fast tests.
#
#   bash tests/try_versions.sh                    3.11, 3.12, 3.13 and 3.11 with the lowest versions
#   bash tests/try_versions.sh 3.12 3.11-lowest   these
#   TESTS="tests/spaces tests/cli" bash ...       these tests instead of all fast ones
#
# A Python is `python3.12` or one of pyenv's; one that is not on this machine is not tried, and the
# script says so. Environments stay in build/versions, for the next time.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD

find_python() {
    local found
    for found in "$HOME/.pyenv/versions/$1".*/bin/python "$(command -v "python$1")"; do
        "$found" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null &&
            echo "$found" && return
    done
    return 1
}

# Every lower bound of pyproject.toml as the one version that is allowed.
lowest() {
    "$1" - <<'PY'
import re, tomllib

project = tomllib.load(open("pyproject.toml", "rb"))["project"]
for rule in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
    name, low = re.match(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", rule).groups()
    print(f"{name}=={low}")
PY
}

try() {
    local case=$1 version=${1%-lowest} python place=$root/build/versions/$1
    python=$(find_python "$version") || { echo "$case: not tried, no Python $version here"; return 1; }
    rm -rf "$place" && mkdir -p "$place" && "$python" -m venv "$place/venv" || return 1
    : >"$place/constraints.txt"
    case $case in *-lowest) lowest "$python" >"$place/constraints.txt" ;; esac
    local run=$place/venv/bin/python
    "$run" -m pip install --quiet --constraint "$place/constraints.txt" "$root[test]" \
        >"$place/install.log" 2>&1 || { tail -20 "$place/install.log"; echo "$case: cannot be installed"; return 1; }
    (cd "$place" && "$place/venv/bin/tuner" optimize --space sgd_decay --progress plain) \
        >"$place/search.log" 2>&1 || { tail -20 "$place/search.log"; echo "$case: the default search fails"; return 1; }
    # shellcheck disable=SC2086
    "$run" -m pytest -n 2 --dist loadfile -q -m "not slow" ${TESTS:-} >"$place/tests.log" 2>&1 ||
        { tail -20 "$place/tests.log"; echo "$case: tests fail"; return 1; }
    echo "$case: $("$run" --version), $(grep '^best' "$place/search.log" | tail -1 | xargs), $(tail -1 "$place/tests.log")"
}

failed=0
for case in "${@:-3.11 3.12 3.13 3.11-lowest}"; do
    for one in $case; do try "$one" || failed=1; done
done
exit $failed
