# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Basic authentication of application accounts, their lock, and the session cookie."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..scenario import Account
    from ..world import Cluster

COOKIE = "JSESSIONIDSSO"
IDLE_SECONDS = 30 * 60


def basic(header: str | None) -> tuple[str, str] | None:
    """(username, password) of an Authorization header, or None."""
    if not header or not header.lower().startswith("basic "):
        return None
    try:
        username, _unused, password = base64.b64decode(header[6:], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password


@dataclass
class _Attempts:
    failed: int = 0
    locked_until: float = 0.0


class Accounts:
    """The application accounts of a cluster. One object per cluster; the lock is cluster-wide."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._attempts: dict[str, _Attempts] = {}

    def check(self, header: str | None) -> Account | None:
        """The account with these credentials, or None; counts failures and locks."""
        credentials = basic(header)
        if credentials is None:
            return None
        username, password = credentials
        lab = self._cluster.lab
        account = self._cluster.application_accounts.get(username)
        attempts = self._attempts.setdefault(username, _Attempts())
        if attempts.locked_until > lab.clock.time():
            lab.log.write("authentication", cluster=self._cluster.name, account=username, result="locked")
            return None
        if account is not None and hmac.compare_digest(account.password.encode(), password.encode()):
            attempts.failed = 0
            return account
        attempts.failed += 1
        if attempts.failed >= int(lab.inferred["axl.lock_after"]):
            attempts.failed = 0
            attempts.locked_until = lab.clock.time() + 60 * float(lab.inferred["axl.lock_minutes"])
        lab.log.write("authentication", cluster=self._cluster.name, account=username, result="refused")
        return None


class Sessions:
    """The JSESSIONIDSSO cookies of a node: they expire after half an hour without use, and with the node."""

    def __init__(self, cluster: Cluster) -> None:
        self._clock = cluster.lab.clock
        self._used: dict[str, float] = {}

    def known(self, cookie: str) -> bool:
        """Whether the cookie is still valid; each use extends it."""
        used = self._used.get(cookie)
        if used is None or self._clock.time() - used > IDLE_SECONDS:
            self._used.pop(cookie, None)
            return False
        self._used[cookie] = self._clock.time()
        return True

    def new(self) -> str:
        """A new cookie."""
        if len(self._used) > 10_000:
            self._used.clear()
        cookie = secrets.token_hex(16).upper()
        self._used[cookie] = self._clock.time()
        return cookie
