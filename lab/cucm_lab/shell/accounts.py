# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform accounts of a node, and their lock after bad passwords.

The shell and the certificate REST API share them.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .texts import LOCK_AFTER, LOCK_MINUTES

if TYPE_CHECKING:
    from ..scenario import Account
    from ..world import Lab, Node


class PlatformAccounts:
    """Checks passwords, counts failures and locks the account on this node (lab clock)."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._bad: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def check(self, username: str, password: str, interface: str) -> Account | None:
        """The account with these credentials, or None: unknown, wrong password, or locked."""
        account = self._node.cluster.platform_accounts.get(username)
        if self._until.get(username, 0.0) > self._lab.clock.time():
            result = "locked"
        elif account is not None and hmac.compare_digest(account.password.encode(), password.encode()):
            self._bad.pop(username, None)
            result = "accepted"
        else:
            result = "refused"
            self._bad[username] = self._bad.get(username, 0) + 1
            if self._bad[username] >= int(self._lab.inferred[LOCK_AFTER]):
                self._until[username] = self._lab.clock.time() + 60 * float(self._lab.inferred[LOCK_MINUTES])
                self._bad[username] = 0
        self._lab.log.write(
            "authentication", node=self._node.name, account=username, interface=interface, result=result
        )
        return account if result == "accepted" else None


_ACCOUNTS: WeakKeyDictionary[Node, PlatformAccounts] = WeakKeyDictionary()


def accounts_of(lab: Lab, node: Node) -> PlatformAccounts:
    """The one object of this node."""
    if node not in _ACCOUNTS:
        _ACCOUNTS[node] = PlatformAccounts(lab, node)
    return _ACCOUNTS[node]
