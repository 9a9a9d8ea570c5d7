#!/usr/bin/env bash
# Makes the certificates of one installation, in deploy/secrets (or in $KANGBAN_SECRETS):
#   certificates.sh authority              the installation's own authority, once
#   certificates.sh broker HOST [HOST…]    the broker's, for the names by which gateways call it
#   certificates.sh ingest [SHARDS]        the server's side of the broker
#   certificates.sh gateway NAME           a home's; its name is the only topic tree it may use
#   certificates.sh revoke NAME            shuts a home out: restart the broker afterwards
# Nothing that exists is overwritten. Keep authority.key safe, best away from the server.
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${KANGBAN_SECRETS:-$here/secrets}"
cd "${KANGBAN_SECRETS:-$here/secrets}"

usage() { sed -n '2,8s/^# \{0,1\}//p' "$here/certificates.sh" >&2; exit 2; }
refuse() { echo "$1" >&2; exit 1; }

days=1825  # five years: a home gateway is set up once and then forgotten
curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

authority() {
  [ ! -e authority.crt ] || refuse "There is an authority already: $PWD/authority.crt"
  openssl req -x509 "${curve[@]}" -days 7300 -subj "/O=Kangban/CN=Kangban authority" \
    -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout authority.key -out authority.crt 2> /dev/null
  chmod 644 authority.crt
  : > revoked.index
  write_revoked
}

ca_settings() {
  printf '%s\n' '[ca]' 'default_ca = ours' '[ours]' "database = $PWD/revoked.index" 'default_md = sha256' \
    'default_crl_days = 7300' 'unique_subject = no'
}
write_revoked() {
  openssl ca -config <(ca_settings) -gencrl -keyfile authority.key -cert authority.crt -out revoked.crl 2> /dev/null
}

issue() {  # FILE NAME PURPOSE [ALTERNATIVE NAMES]
  [ -e authority.key ] || refuse "There is no authority yet: $0 authority"
  [ ! -e "$1.crt" ] || refuse "$PWD/$1.crt exists; revoke it and move it away to make another."
  openssl req -new "${curve[@]}" -subj "/O=Kangban/CN=$2" -keyout "$1.key" -out "$1.csr" 2> /dev/null
  openssl x509 -req -in "$1.csr" -CA authority.crt -CAkey authority.key -days "$days" -out "$1.crt" \
    -set_serial "0x$(openssl rand -hex 16 | sed 's/^./1/')" -extfile <(
      printf '%s\n' basicConstraints=critical,CA:false keyUsage=critical,digitalSignature "extendedKeyUsage=$3" \
        ${4:+"subjectAltName=$4"}
    ) 2> /dev/null
  rm "$1.csr"
  chmod 644 "$1.crt"
  echo "$PWD/$1.crt and its key"
}

broker() {
  [ $# -gt 0 ] || usage
  names="DNS:broker,DNS:localhost,IP:127.0.0.1"
  for host in "$@"; do
    [[ $host =~ ^[0-9.]+$|: ]] && names+=",IP:$host" || names+=",DNS:$host"
  done
  # also a client, of itself: that is its health check
  issue broker kangban.broker serverAuth,clientAuth "$names"
}

gateway() {
  # as in vitals/wire.py: what may stand in a topic, and never a dot, which the server's own names have
  [[ ${1:-} =~ ^[a-z0-9][a-z0-9_-]{0,62}$ ]] ||
    refuse "A gateway's name has a-z, 0-9, '-' and '_', at most 63 letters."
  issue "gateway-$1" "$1" clientAuth
}

revoke() {
  [ -e "gateway-${1:-}.crt" ] || refuse "There is no $PWD/gateway-${1:-}.crt"
  openssl ca -config <(ca_settings) -keyfile authority.key -cert authority.crt -revoke "gateway-$1.crt" 2> /dev/null
  write_revoked
  mkdir -p revoked
  mv "gateway-$1.crt" "revoked/$1-$(date +%s).crt"
  rm -f "gateway-$1.key"
  echo "$1 is shut out as soon as the broker has been restarted."
}

case ${1:-} in
  authority) authority ;;
  broker) shift; broker "$@" ;;
  ingest) issue "ingest${2:+-$2}" "kangban.ingest${2:+.$2}" clientAuth ;;
  gateway) gateway "${2:-}" ;;
  revoke) revoke "${2:-}" ;;
  *) usage ;;
esac
