#!/usr/bin/env bash
# Measures the app on a graphics card within ten minutes:
#
#     tests/benchmarks/gpu.sh [--dry-run] [--out DIR] [--seconds N] [--rows NAME ...] [--clip FILE]
#
# FILE is a clip with people: the demo shows none. DIR/gpu.json and DIR/gpu.md are written after each
# row (DIR: $OUT/gpu, or ./gpu). PYTHON chooses the interpreter. What it finds installed is used; the
# rest comes from wheels in .whl (or $WHEELS), which a machine that reaches a registry fills beforehand
# for one that reaches none, here for Python 3.12:
#
#     pip download --no-deps --only-binary=:all: --python-version 3.12 \
#         --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
#         --platform manylinux2014_x86_64 -d .whl av platformdirs filelock certifi tqdm onnx
#
# Folders of packages as .tar.xz are taken as well: PyAV's wheel of 36 MB, unzipped, its modules
# stripped (`find av -name '*.abi3.so' -exec strip --strip-unneeded {} +`) and packed by `tar -cJf`, has
# 20 MB. The card's machine brings torch with CUDA, which is too large to carry, OpenCV and NumPy. With
# OpenVINO (59 MB) keypoints are used as well; with ultralytics, `yolo predict` runs beside the app.
# Data-centre cards (H100, H200) decode by NVDEC and have no NVENC: x264 encodes there.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
wheels=${WHEELS:-.whl}
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH}
if compgen -G "$wheels/*.whl" >/dev/null; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$wheels"/*.whl
fi
for packed in "$wheels"/*.tar.xz; do
    [ ! -e "$packed" ] || tar -xJf "$packed" -C "$site"
done
"$python" tests/benchmarks/gpu.py "$@"
