#!/bin/sh
# A Chromium for the browser tests: the one at hand, else the distribution's, else Playwright's own build.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
echo "Installing a browser for the tests …"
if command -v apt-get >/dev/null 2>&1; then
    asroot=""
    if [ "$(id -u)" -ne 0 ]; then asroot="sudo"; fi
    if $asroot sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null"; then exit 0; fi
fi
exec "${PYTHON:-python3}" -m playwright install --with-deps chromium
