#!/bin/sh
# Installs Vigie's service on a machine with systemd: user, folders, units, log rotation, secrets with their owners.
#
#   deploy/install.sh [--dry-run] [--root DIR] [--enable]
#   deploy/install.sh --uninstall [--dry-run] [--root DIR]
#
# --dry-run   say what would be done, and do nothing
# --root DIR  install below a folder, as packagers and tests do: no user is made, no unit is started
# --enable    start dashboard, health server and timers at once; for all in one service: systemctl enable --now vigie
# --uninstall stop and remove units, cron and rotation; the home folder, backups and secrets stay
#
# Run it from the checkout at /srv/vigie, after `make setup`, as root. Done again, it changes only what differs;
# files in /etc/vigie that are there already are left as they are.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root="" dry="" enable="" remove="" changed=0
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry=1 ;;
        --root) root=${2:?--root needs a folder}; shift ;;
        --enable) enable=1 ;;
        --uninstall) remove=1 ;;
        *) sed -n '2,15s/^# \{0,1\}//p' "$0"; [ "$1" = --help ] && exit 0; exit 2 ;;
    esac
    shift
done
if [ -z "$root$dry" ] && [ "$(id -u)" != 0 ]; then echo "run it as root, or with --dry-run" >&2; exit 1; fi

run() { changed=$((changed + 1)); echo "$*"; [ -n "$dry" ] || "$@"; }
own() { if [ -z "$root" ]; then run chown "$1" "$2"; fi; }
folder() { # owner mode path
    [ -d "$root$3" ] || { run mkdir -p "$root$3"; run chmod "$2" "$root$3"; own "$1" "$3"; }
}
copy() { # mode source target
    cmp -s "$2" "$root$3" || { run mkdir -p "$(dirname "$root$3")"; run cp "$2" "$root$3"; run chmod "$1" "$root$3"; }
}
secrets() { # service, what it needs
    file=/etc/vigie/$1.env
    [ -e "$root$file" ] && return
    echo "write $root$file"; changed=$((changed + 1))
    [ -n "$dry" ] || (
        umask 077
        printf '# Of the service %s alone: %s\n# One VARIABLE=value a line. Read by systemd as root alone.\n' "$1" "$2" > "$root$file"
        # What all services shared before goes on working; nothing is taken away by a machine.
        for former in secrets.env $3; do
            [ ! -r "$root/etc/vigie/$former" ] || cat "$root/etc/vigie/$former" >> "$root$file"
        done
    )
    own root:root "$file"
}
service() { [ -n "$root" ] || run systemctl "$@"; }

services="vigie-dashboard.service vigie-health.service"
timers="vigie-nightly.timer vigie-deliver.timer vigie-backup.timer"
if [ -n "$remove" ]; then
    # shellcheck disable=SC2086  # several names
    service disable --now vigie.service $services $timers
    for unit in "$here"/*.service "$here"/*.timer; do
        [ ! -e "$root/etc/systemd/system/$(basename "$unit")" ] || run rm "$root/etc/systemd/system/$(basename "$unit")"
    done
    for file in /etc/logrotate.d/vigie /etc/cron.d/vigie; do [ ! -e "$root$file" ] || run rm "$root$file"; done
    service daemon-reload
    echo "Left as they are: /var/lib/vigie, /var/backups/vigie, /etc/vigie, the user vigie."
    exit 0
fi

if [ -z "$root" ] && ! id vigie >/dev/null 2>&1; then
    run useradd --system --user-group --home-dir /var/lib/vigie --shell /usr/sbin/nologin vigie
fi
folder vigie:vigie 0750 /var/lib/vigie
folder vigie:vigie 0750 /var/log/vigie
folder vigie:vigie 0700 /var/backups/vigie
folder root:root 0750 /etc/vigie
all="with PostgreSQL VIGIE_JOURNAL_URL and PGPASSWORD"
secrets nightly "keys of publishers and proxies (IDMC_CLIENT_ID, HTTPS_PROXY), passwords and tokens of channels; $all." environment
secrets deliver "passwords and tokens of channels that settings.toml names; $all." ""
secrets dashboard "the two secrets of the login; passwords and tokens of channels, where pages send; $all." ""
secrets health "nothing; $all." ""
secrets backup "nothing; $all." ""
secrets vigie "all of the above, for the service that does everything (vigie serve); $all." ""
for former in secrets.env environment; do
    [ ! -e "$root/etc/vigie/$former" ] ||
        echo "No service reads /etc/vigie/$former any more: take out of /etc/vigie/SERVICE.env what a service does not need, and remove it."
done
for unit in "$here"/*.service "$here"/*.timer; do copy 0644 "$unit" "/etc/systemd/system/$(basename "$unit")"; done
copy 0644 "$here/vigie.logrotate" /etc/logrotate.d/vigie
[ "$changed" = 0 ] || service daemon-reload
if [ -n "$enable" ]; then
    # shellcheck disable=SC2086  # several names
    service enable --now $services $timers
fi
if [ -z "$dry" ] && id vigie >/dev/null 2>&1 && ! runuser -u vigie -- test -x "$here/../.venv/bin/python"; then
    echo "The user vigie may not run the Python of .venv: give make setup one outside /root (make PYTHON=/usr/bin/python3.11 setup)." >&2
fi
if [ "$changed" = 0 ]; then echo "Nothing to do: everything is in place."; fi
echo "Next: /srv/vigie/.venv/bin/vigie home check --home /var/lib/vigie (as vigie), then systemctl start vigie-nightly"
