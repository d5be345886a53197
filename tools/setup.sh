#!/bin/sh
# Installs what invbench needs from the distribution's packages, and only what
# is missing. Debian and Ubuntu are served; elsewhere the names are printed.
set -eu
debian='gcc make pkg-config libopenblas-pthread-dev libpng-dev zlib1g-dev
nettle-dev libcjson-dev libseccomp-dev libcmocka-dev gnuplot-nox
clang-format universal-ctags python3 python3-jsonschema'
fedora='gcc make pkgconf openblas-devel libpng-devel zlib-devel nettle-devel
cjson-devel libseccomp-devel libcmocka-devel gnuplot clang-tools-extra ctags python3'
arch='gcc make pkgconf openblas libpng zlib nettle cjson libseccomp cmocka
gnuplot clang ctags python'

if [ "$(uname -s)" != Linux ] || [ "$(uname -m)" != x86_64 ]; then
    echo "invbench runs on Linux on x86-64; this is $(uname -s) on $(uname -m)," \
        "which is not supported." >&2
    exit 2
fi
if ! grep -qw avx2 /proc/cpuinfo || ! grep -qw fma /proc/cpuinfo; then
    echo "invbench needs a processor with AVX2 and FMA (x86-64-v3)." >&2
    exit 2
fi
if ! command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    for lib in openblas libpng zlib nettle libcjson libseccomp cmocka; do
        pkg-config --exists "$lib" 2>/dev/null || absent="${absent:-} $lib"
    done
    [ -z "${absent:-}" ] && command -v gnuplot >/dev/null && exit 0
    echo "Missing:${absent:-} (or gnuplot). Install with your package manager:" >&2
    echo "  Fedora: dnf install $(echo $fedora)" >&2
    echo "  Arch:   pacman -S $(echo $arch)" >&2
    exit 2
fi
missing=
for p in $debian; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $p"
done
[ -z "$missing" ] && exit 0
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
if [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; then
    echo "Missing packages; as root: apt-get install$missing" >&2
    exit 2
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
