#!/usr/bin/env bash
# Sees to it that there is a Chromium with Chinese letters, for the tests that open the pages, and a dbus-daemon for those of Bluetooth. Uses the system's; root on a
# machine with apt gets it installed, anybody else is told what to install. Quick when it is there already.
set -euo pipefail

has_browser() {
  for each in chromium chromium-browser google-chrome; do command -v "$each" > /dev/null && return; done
  return 1
}
has_letters() { command -v fc-list > /dev/null && [ -n "$(fc-list :lang=zh family)" ]; }
has_bus() { command -v dbus-daemon > /dev/null; }
has_browser && has_letters && has_bus && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing chromium, Chinese letters and dbus-daemon (once) …"
  log=$(mktemp)
  # one source that does not answer is no reason to give up: whether the install works counts
  apt-get -qq update > "$log" 2>&1 || true
  if DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends \
    chromium fontconfig fonts-noto-cjk dbus-daemon >> "$log" 2>&1; then
    rm "$log"
    exit 0
  fi
  cat "$log" >&2
fi
cat >&2 << 'END'
The page tests need Chromium and a font with Chinese letters, the Bluetooth tests a D-Bus. Install them and start again:
  Debian, Ubuntu:  apt install chromium fonts-noto-cjk dbus-daemon
  Fedora:          dnf install chromium google-noto-sans-cjk-fonts dbus-daemon
  macOS:           brew install --cask chromium
END
exit 1
