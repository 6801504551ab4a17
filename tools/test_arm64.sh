#!/bin/bash
# Builds the SIMD and codec tests for 64-bit ARM and runs them here, under qemu's user mode: NEON and the portable
# vectors against ARM's own build of libjpeg-turbo. Debian on x86-64.
#
#     apt-get install g++-aarch64-linux-gnu qemu-user
#     tools/test_arm64.sh [arguments of the test programs, such as --gtest_filter=...]
#
# ARM's libraries are unpacked under build/arm64/root, by a package list of their own: nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$PWD/build/arm64"
root="$work/root"
libraries="$root/usr/lib/aarch64-linux-gnu"

if [ ! -e "$libraries/libjpeg.so" ]; then
  mkdir -p "$work"/{lists/partial,archives/partial,packages} "$root"
  touch "$work/status"
  cat > "$work/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::Cache "$work";
CONF
  export APT_CONFIG="$work/apt.conf"
  apt-get update -qq
  (cd "$work/packages" && apt-get download -qq libjpeg62-turbo libjpeg62-turbo-dev libhwy1 libhwy-dev libgtest-dev \
    libfmt9 libfmt-dev libdeflate0 libdeflate-dev libopenjp2-7 libopenjp2-7-dev libzstd1 libzstd-dev liblzma5 \
    liblzma-dev libwebp7 libwebp-dev libjxl0.7 libjxl-dev liblcms2-2 liblcms2-dev libbrotli1 libbrotli-dev liblerc4 \
    liblerc-dev libexpat1 libexpat1-dev)
  for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$root"; done
  unset APT_CONFIG
fi

cat > "$work/toolchain.cmake" <<CMAKE
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH "$root")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CXX_FLAGS_INIT "-isystem $root/usr/include/aarch64-linux-gnu")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,$libraries")
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-L;/usr/aarch64-linux-gnu;-E;LD_LIBRARY_PATH=$libraries")
CMAKE

export PKG_CONFIG_LIBDIR="$libraries/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
cmake -G Ninja -S . -B "$work/build" -DCMAKE_TOOLCHAIN_FILE="$work/toolchain.cmake" -DCMAKE_BUILD_TYPE=Release \
  -DMICROTOME_TESTS=ON > "$work/configure.log" || { cat "$work/configure.log"; exit 1; }
ninja -C "$work/build" -j "${JOBS:-$(nproc)}" simd_tests codec_tests
for tests in simd codec; do
  qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$libraries" \
    "$work/build/src/microtome/$tests/${tests}_tests" "$@"
done
