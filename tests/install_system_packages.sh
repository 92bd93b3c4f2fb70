#!/bin/sh
# What the tests need of the system: a Chromium, the OpenMP library that LightGBM loads, and Java for Spark.
# The browser is the one at hand, else the distribution's, else Playwright's own build.
set -eu
has_browser() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}
has_openmp() { "${PYTHON:-python3}" -c "import lightgbm" >/dev/null 2>&1; }
has_java() { [ -n "${JAVA_HOME:-}" ] || command -v java >/dev/null 2>&1; }

if has_browser && has_openmp && has_java; then exit 0; fi
echo "Installing what the tests need of the system …"
if command -v apt-get >/dev/null 2>&1; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then as_root="sudo"; fi
    $as_root sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core libgomp1 default-jre-headless >/dev/null" || true
fi
if ! has_openmp; then echo "Please install the OpenMP library (Debian: libgomp1)." >&2; exit 1; fi
if ! has_java; then echo "Without Java the test of Spark is left out (Debian: default-jre-headless)." >&2; fi
if ! has_browser; then exec "${PYTHON:-python3}" -m playwright install --with-deps chromium; fi
