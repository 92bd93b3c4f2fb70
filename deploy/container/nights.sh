#!/bin/sh
# One night a day at VIGIE_NIGHT_AT (HH:MM, UTC), for where neither cron nor systemd is at hand.
# A night that fails is not repeated at once: its former release stands, and /healthz says so in time.
set -u
trap 'exit 0' TERM INT
at=${VIGIE_NIGHT_AT:-04:15}
if ! vigie status >/dev/null 2>&1; then vigie nightly --live; fi
while :; do
    now=$(date -u +%s)
    next=$(date -u -d "$(date -u +%F) $at" +%s) || exit 2
    if [ "$next" -le "$now" ]; then next=$((next + 86400)); fi
    sleep $((next - now)) &
    wait $!
    vigie nightly --live
    echo "{\"event\": \"night ended\", \"exit\": $?}" >&2
done
