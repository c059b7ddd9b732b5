#!/bin/sh
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the Python that makes this repository's environments: the one named, or else the first of those installed that
# is new enough and has venv. Ends with a sentence when there is none.
set -u
named=${1:-}
without_venv=
for python in ${named:-python3 python3.12 python3.13 python3.11 python3.14 python}; do
  # A stand-in of pyenv answers for versions that aren't chosen too, with an error; so each one is asked.
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python"
    exit 0
  fi
  without_venv=${without_venv:-$python}
done
if [ -n "$without_venv" ]; then
  echo "$without_venv can't make environments, because it comes without venv: on Debian install python3-venv." >&2
elif [ -n "$named" ]; then
  echo "$named is not a Python 3.11 or newer; leave PYTHON out, or name a newer one: make PYTHON=python3.12" >&2
else
  echo "No Python 3.11 or newer was found: on Debian install python3 and python3-venv, or name one with PYTHON=." >&2
fi
exit 1
