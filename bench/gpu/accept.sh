#!/bin/sh
# The acceptance table of the GPU path, A1 to A21, on a machine with an NVIDIA GPU:
#
#     bench/gpu/accept.sh [--rows A3,A7] [--rivals] [--results FOLDER]
#     bench/gpu/accept.sh --dry-run        each row's steps, small, on the tests' fake driver: nothing is measured
#
# Installs Microtome with NVIDIA's wheels of CUDA 13 into build/venvs/gpu (with --rivals cuCIM, nvImageCodec and PyTorch into
# build/venvs/gpu-rivals too), probes, runs the rows and writes bench/results/gpu-<name>-<date>.json. Ends with 0 if no
# row failed, 1 if one did, 2 if it could not begin: no GPU, and then it says what is missing.
set -eu
cd "$(dirname "$0")/../.."
dry=no rivals=no
for argument in "$@"; do
  case "$argument" in
    --dry-run) dry=yes ;;
    --rivals) rivals=yes ;;
  esac
done
if [ "$dry" = yes ]; then
  exec "${MICROTOME_PYTHON:-.venv/bin/python}" bench/gpu/accept.py "$@"
fi
if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L >/dev/null 2>&1; then
  echo "accept.sh: there is no NVIDIA GPU that can be used: nvidia-smi lists none. --dry-run runs each row's steps on a fake driver" >&2
  exit 2
fi
tools/install_package.py build/venvs/gpu --extras test demo
build/venvs/gpu/bin/python -m pip install --quiet "nvidia-cufile>=1.15" "nvidia-nvjpeg>=13" nvidia-nvjpeg2k-cu13
if [ "$rivals" = yes ]; then
  python3 -m venv build/venvs/gpu-rivals
  for package in numpy cupy-cuda13x cucim-cu13 nvidia-nvimgcodec-cu13 torch torchvision; do
    build/venvs/gpu-rivals/bin/python -m pip install --quiet "$package" || echo "accept.sh: $package cannot be installed: its part of A8 is not measurable"
  done
fi
exec build/venvs/gpu/bin/python bench/gpu/accept.py "$@"
