#!/bin/sh
# Finds a Python new enough and hands over to bootstrap.py. It is shell because the only Python at hand may be
# too old to read that file, or missing. Run by the Makefile; $PYTHON, when set, is tried first.
set -eu

found="no Python at all"
for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        exec "$candidate" "$(dirname "$0")/bootstrap.py"
    fi
    found="Python $version (as $candidate)"
done

cat >&2 <<MESSAGE
Bowline needs Python 3.11 or newer; found $found.
  Debian 12, Ubuntu 24.04 or newer:  apt install python3 python3-venv    (with sudo, unless you are root)
  macOS with Homebrew:               brew install python@3.12
  one that is not on the PATH:       make setup PYTHON=/path/to/python3.12
MESSAGE
exit 2
