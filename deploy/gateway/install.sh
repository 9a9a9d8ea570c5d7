#!/usr/bin/env bash
# Makes a Kangban gateway of a small Linux box with Bluetooth (Raspberry Pi OS, Debian, Ubuntu). Run it as root:
#   install.sh --server https://care.example.org --code ACDE-3467-HJKM [--name home-wang] [--authority FILE]
#   install.sh                                   only the program; enrol later
#   install.sh --dry-run …                       prints what it would do and does nothing
#   install.sh --root DIR …                      puts all files below DIR and starts nothing (for images)
# Safe to repeat: it brings an installed gateway up to this version; what it has read and its identity stay.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
user=kangban-gateway
home=/opt/kangban-gateway
data=/var/lib/kangban-gateway
server='' code='' name='' authority='' root='' dry=''

usage() { sed -n '2,7s/^# \{0,1\}//p' "$here/install.sh" >&2; exit 2; }
refuse() { echo "install.sh: $1" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --server | --code | --name | --authority | --root)
      [ $# -gt 1 ] || usage
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    --dry-run) dry=yes; shift ;;
    *) usage ;;
  esac
done
[ -z "$server" ] || [ -n "$code" ] || refuse "--server needs the --code that the page shows."
[ -z "$code" ] || [ -n "$server" ] || refuse "--code needs the --server that showed it."
[ -n "$dry" ] || [ -n "$root" ] || [ "$(id -u)" = 0 ] || refuse "start it as root: sudo $0"

# what changes this box goes through here, so that --dry-run can say it instead
run() {
  if [ -n "$dry" ]; then printf 'would run:'; printf ' %q' "$@"; printf '\n'; else "$@"; fi
}
# what only makes sense on the running system, not in an image
live() {
  if [ -n "$root" ]; then printf 'left out below %s:' "$root"; printf ' %q' "$@"; printf '\n'; else run "$@"; fi
}

find_python() {
  for each in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && { echo "$each"; return; }
  done
  refuse "Python 3.11 or newer is needed (Raspberry Pi OS of 2023 and later has it)."
}

packages() {
  local missing=()
  command -v bluetoothctl > /dev/null || missing+=(bluez)
  "$python" -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get > /dev/null || { echo "Install these yourself: ${missing[*]}" >&2; return; }
  live apt-get install --yes --no-install-recommends "${missing[@]}"
}

account() {
  getent passwd "$user" > /dev/null || live useradd --system --home-dir "$data" --shell /usr/sbin/nologin "$user"
  if getent group bluetooth > /dev/null; then live usermod --append --groups bluetooth "$user"; fi
}

copy_source() {
  tar -C "$source" --exclude=./.venv --exclude=./.services --exclude=./.git --exclude=./build -cf - . | tar -C "$copy" -xf -
}

program() {
  run mkdir -p "$root$home" "$root/usr/local/bin"
  [ -x "$root$home/venv/bin/python" ] || run "$python" -m venv "$root$home/venv"
  pip=("$root$home/venv/bin/python" -m pip -q --disable-pip-version-check install)
  run "${pip[@]}" --require-hashes -r "$source/requirements/gateway.txt"
  # built from a copy: building leaves files in the folder that it builds, which may be somebody's checkout
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  run copy_source
  run "${pip[@]}" --no-deps --force-reinstall "$copy"
  run mkdir -p "$root$home/docs"
  run cp "$source/docs/gateway.md" "$root$home/docs/"
  run ln -sfn "$home/venv/bin/kangban" "$root/usr/local/bin/kangban"
  run install -m 755 "$here/kangban-gateway.sh" "$root/usr/local/bin/kangban-gateway"
}

system() {
  run install -D -m 644 "$here/kangban-gateway.service" "$root/etc/systemd/system/kangban-gateway.service"
  run install -D -m 644 "$here/kangban-gateway.dbus.conf" "$root/etc/dbus-1/system.d/kangban-gateway.conf"
  run install -D -m 644 "$here/99-kangban.rules" "$root/etc/udev/rules.d/99-kangban.rules"
  if ! grep -qs '^ *JustWorksRepairing *= *confirm' "$root/etc/bluetooth/main.conf"; then
    echo "Note: set JustWorksRepairing = confirm in /etc/bluetooth/main.conf (deploy/gateway/bluetooth.conf.md says why)."
  fi
  live systemctl daemon-reload
  live systemctl reload dbus
  live udevadm control --reload
  live systemctl enable --now bluetooth
}

enrol() {
  run mkdir -p "$root$data"
  live chown "$user:$user" "$data"
  run chmod 700 "$root$data"
  if [ -e "$root$data/gateway.env" ]; then echo "This box is enrolled already: its identity stays."; return; fi
  if [ -z "$server" ]; then
    echo "Enrol it with: sudo kangban-gateway enrol ADDRESS CODE, then sudo systemctl restart kangban-gateway"
    return
  fi
  local more=()
  [ -z "$name" ] || more+=(--name "$name")
  [ -z "$authority" ] || more+=(--authority "$authority")
  live runuser -u "$user" -- env "KANGBAN_GATEWAY_DATA=$data" "$home/venv/bin/kangban" gateway enrol \
    "$server" "$code" "${more[@]}"
}

start() {
  live systemctl enable kangban-gateway
  if [ -n "$dry" ] || [ -e "$root$data/gateway.env" ]; then live systemctl restart kangban-gateway; fi
  echo "Done. See how it is: sudo kangban-gateway doctor"
}

python=$(find_python)
packages
account
program
system
enrol
start
