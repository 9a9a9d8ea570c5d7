#!/bin/sh
# `kangban gateway …` as the gateway's own user, with its own folder: sudo kangban-gateway doctor
set -eu
[ "$(id -u)" = 0 ] || { echo "kangban-gateway: type sudo kangban-gateway $*" >&2; exit 1; }
exec runuser -u kangban-gateway -- env KANGBAN_GATEWAY_DATA=/var/lib/kangban-gateway "LANG=${LANG:-C.UTF-8}" \
  /opt/kangban-gateway/venv/bin/kangban gateway "$@"
