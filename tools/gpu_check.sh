#!/usr/bin/env bash
# What a GPU gives, in at most eight minutes: tests marked `cuda`, then `python -m tools.gpu_check`, which writes
# gpu_check.json and prints a table. Without a GPU it says so in one line and exits with 2. From the repository's root:
#
#     tools/gpu_check.sh [--out gpu_check.json]
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}

if ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "no GPU was found by torch; nothing was measured" >&2
    exit 2
fi
began=$SECONDS
tests=passed
timeout 150 "$PYTHON" -m pytest -q -p no:cacheprovider -m cuda tests/test_gpu.py || tests="failed ($?)"
echo "tests marked cuda: $tests"
timeout $((480 - SECONDS + began)) "$PYTHON" -m tools.gpu_check --device cuda "$@"
[ "$tests" = passed ]
