#!/usr/bin/env bash
# The one test command: makes the environment, installs what is missing where it can, runs pytest.
# Arguments go to pytest. PYTHON chooses the interpreter, VENV the environment (default .venv).
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
data=/usr/share/datasets/fashion-mnist

[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt

if [ ! -d "$data" ] && [ -z "${FASHION_MNIST_DIR:-}" ] && [ ! -d data ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq dataset-fashion-mnist >/dev/null ||
            echo "could not install dataset-fashion-mnist: tests of training are skipped" >&2
    else
        echo "no Fashion-MNIST: tests of training are skipped;" \
            "get it with \`sudo apt-get install dataset-fashion-mnist\`" >&2
    fi
fi

[ -d weights/people ] || "$venv/bin/python" -m training.inference.pose_files install ||
    echo "no pose networks: the tests that run them are skipped" >&2

"$venv/bin/python" -m ruff format --check --quiet .
"$venv/bin/python" -m ruff check --quiet .
"$venv/bin/python" -m mypy --no-error-summary
# A process a core, four at most, of one thread each: most tests wait for a program of one thread.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec "$venv/bin/python" -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadgroup \
    --no-loadscope-reorder "$@"
