#!/usr/bin/env bash
# Finds a Python that is new enough and hands over to bootstrap.py: start.sh COMMAND [ARGUMENTS]
set -euo pipefail
launch=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
for python in python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        exec "$python" "$launch/bootstrap.py" "$@"
    fi
done
echo "✗ Python 3.11, 3.12 or 3.13 is needed and none was found: install python3 (and python3-venv), then start again." >&2
exit 1
