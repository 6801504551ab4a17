#!/bin/bash
# Runs the SIMD and codec tests of AVX-512 on an x86-64 processor that has AVX2 alone: tools/avx512/retarget.py
# says how. What it shows is that our vector code is right at this width; the machine code it cannot show.
#
#     tools/test_avx512.sh [arguments of the test programs, such as --gtest_filter=...]
#
# For longer runs build/avx512/tests/cpp/codec_proof is built beside:
#
#     build/avx512/tests/cpp/codec_proof jpeg --only avx512vbmi --random 1000000
set -euo pipefail
cd "$(dirname "$0")/.."
work="$PWD/build/avx512"
mkdir -p "$work"
cmake -G Ninja -S . -B "$work" -DCMAKE_BUILD_TYPE=Release -DMICROTOME_TESTS=ON -DMICROTOME_UNITY=tests \
  -DMICROTOME_OPENJPEG_SOURCE="$(tools/fetch_openjpeg.sh)" \
  -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_CXX_COMPILER_LAUNCHER="$PWD/tools/avx512/retarget.py" \
  > "$work/configure.log" || { cat "$work/configure.log"; exit 1; }
ninja -C "$work" -j "${JOBS:-$(nproc)}" simd_tests codec_tests codec_proof
# The processor itself says that it has no AVX-512.
for tests in simd codec; do
  "$work/src/microtome/$tests/${tests}_tests" \
    --gtest_filter=-Targets.AgreesWithTheCompilersOwnDetection "$@"
done
