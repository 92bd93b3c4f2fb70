#!/bin/sh
# A command of vigie every so many seconds: every.sh 300 outbox deliver
set -u
trap 'exit 0' TERM INT
seconds=$1
shift
while :; do
    vigie "$@"
    sleep "$seconds" &
    wait $!
done
