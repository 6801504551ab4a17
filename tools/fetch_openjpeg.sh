#!/usr/bin/env bash
# Places OpenJPEG's source under build/third_party/openjpeg, for cmake -DMICROTOME_OPENJPEG_SOURCE=<that folder>.
#
# It comes from the source package of pylibjpeg-openjpeg, which carries OpenJPEG (BSD-2-Clause) unchanged. pip checks the
# package's hash before it opens it. A second run does nothing.
set -euo pipefail

package=pylibjpeg-openjpeg==2.6.0 # carries OpenJPEG 2.5.4
sha256=ee6630c860263f34088c60b98bb343b1649b78d1299fe9a5c7ef60b88c6626ff
target="$(cd "$(dirname "$0")/.." && pwd)/build/third_party/openjpeg"
python="${PYTHON:-python3}"

if [[ "$(cat "$target/.fetched" 2>/dev/null)" == "$sha256" ]]; then
  echo "$target"
  exit 0
fi
mkdir -p "$(dirname "$target")"
work="$(mktemp -d "$(dirname "$target")/fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT

echo "$package --hash=sha256:$sha256" >"$work/requirements.txt"
"$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
  --no-binary "${package%%==*}" --dest "$work" --requirement "$work/requirements.txt" >&2
mkdir "$work/unpacked"
tar -xzf "$work"/*.tar.gz -C "$work/unpacked" --strip-components=1
mv "$work/unpacked/lib/openjpeg" "$work/openjpeg"
rm -rf "$target"
echo "$sha256" >"$work/openjpeg/.fetched"
mv "$work/openjpeg" "$target"
echo "$target"
