#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml, for Python 3.11 to 3.13 on Linux and macOS: names, versions and hashes,
# no addresses of a registry. Pins that still fit stay; `launch/lock.sh --upgrade` takes the newest of all,
# `launch/lock.sh --upgrade-package NAME` of one. Needs the environment that `bin/test` or `bin/run` sets up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="${STATE_DIR:-.state}/venv/bin/python"

lock() {
    local file="$1"
    shift
    "$python" -m uv pip compile --output-file "$file" "$@" \
        --universal --python-version 3.11 --generate-hashes --no-annotate --quiet \
        --no-emit-index-url --no-emit-find-links --custom-compile-command launch/lock.sh
}

lock requirements.txt pyproject.toml "$@"
# What the tests and benchmarks share with the product has the product's versions.
lock tests/requirements.txt pyproject.toml --extra test --constraints requirements.txt "$@"
lock benchmarks/requirements.txt pyproject.toml --extra bench --constraints requirements.txt "$@"
# The forecasts run in an environment of their own, without the product's libraries.
lock forecasting/requirements.txt --group forecast --constraints requirements.txt "$@"
