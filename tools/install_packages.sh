#!/bin/sh
# Installs the Debian packages of tools/debian-packages.txt that the named purposes need and that are missing:
#   tools/install_packages.sh build [demo] [bench] [test]
# One quick look at dpkg's database when nothing is missing. Elsewhere than on Debian it only says what is needed.
set -eu
list="$(dirname "$0")/debian-packages.txt"

wanted=""
for purpose in "$@"; do
  wanted="$wanted $(awk -v p="$purpose" '!/^#/ && $2 == p { print $1 }' "$list")"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "Not a Debian system: please install what corresponds to:" $wanted >&2
  exit 0
fi

missing=""
for package in $wanted; do
  status="$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)"
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  echo "Missing packages, and neither root nor sudo to install them. Please run: apt-get install$missing" >&2
  exit 1
fi
echo "Installing:$missing"
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
