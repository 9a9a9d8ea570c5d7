#!/usr/bin/env bash
# Makes what `docker compose up` needs in deploy/secrets: prepare.sh HOST, the name by which gateways call this server.
# Safe to repeat; nothing that exists is overwritten. Start it as root, since each secret is given to the one user who
# reads it: 1883 is mosquitto in its image, 10001 is Kangban in ours.
set -euo pipefail
umask 077
[ $# -gt 0 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/secrets"
export KANGBAN_SECRETS=$PWD

[ -e authority.crt ] || "$here/certificates.sh" authority
[ -e broker.crt ] || "$here/certificates.sh" broker "$@"
[ -e ingest.crt ] || "$here/certificates.sh" ingest
if [ ! -e database_password ]; then
  openssl rand -hex 32 | tr -d '\n' > database_password
  printf 'postgresql://kangban:%s@database:5432/kangban' "$(cat database_password)" > database_url
fi

chmod 644 authority.crt revoked.crl
if [ "$(id -u)" = 0 ]; then
  chown 1883:1883 broker.key
  chown 10001:10001 ingest.key database_url
else
  echo "Not root: give broker.key to user 1883, ingest.key and database_url to user 10001 yourself." >&2
fi
