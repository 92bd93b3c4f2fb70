#!/bin/sh
# What the tests need of the system: a Chromium, the OpenMP library that LightGBM loads, and Java for Spark.
# The browser is the one at hand, else the distribution's, else Playwright's own build.
# Servers and judges for the files of deploy/ are unpacked into .venv/tools and not installed: none starts by itself.
set -eu
tools="$(pwd)/.venv/tools"
PATH="$PATH:$tools/usr/bin:$tools/usr/sbin"
has_browser() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}
has_openmp() { "${PYTHON:-python3}" -c "import lightgbm" >/dev/null 2>&1; }
has_java() { [ -n "${JAVA_HOME:-}" ] || command -v java >/dev/null 2>&1; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
unpack() { # packages
    mkdir -p "$tools" && cd "$tools" && apt-get download -qq "$@" 2>/dev/null || return 1
    for file in *.deb; do dpkg-deb -x "$file" . && rm "$file"; done
}

if ! { has_browser && has_openmp && has_java; }; then
    echo "Installing what the tests need of the system …"
    if command -v apt-get >/dev/null 2>&1; then
        as_root sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core libgomp1 default-jre-headless >/dev/null" || true
    fi
fi
missing=""
for name in nginx caddy promtool docker-compose; do command -v "$name" >/dev/null 2>&1 || missing="$missing $name"; done
# shellcheck disable=SC2086  # several names
if [ -n "$missing" ] && ! ( unpack $missing ); then
    echo "Tests with$missing are left out (Debian: apt-get update, then make test again)." >&2
fi
if ! has_openmp; then echo "Please install the OpenMP library (Debian: libgomp1)." >&2; exit 1; fi
if ! has_java; then echo "Without Java the test of Spark is left out (Debian: default-jre-headless)." >&2; fi
if ! has_browser; then exec "${PYTHON:-python3}" -m playwright install --with-deps chromium; fi
