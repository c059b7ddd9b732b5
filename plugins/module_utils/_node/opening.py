# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which transport serves a node's certificate store.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._node.cli import CliStore
from ansible_collections.siptls.cucm.plugins.module_utils._node.rest import RestStore, speaks_rest
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import CertificateStore


def open_store(params: Mapping[str, Any]) -> CertificateStore:
    """The store behind the option interface; auto asks the node whether it has the REST interface (14 and later)."""
    choice = params.get("interface") or "auto"
    if choice == "cli":
        return CliStore.from_params(params)
    if choice == "auto":
        answer = speaks_rest(params)
        if not answer.yes:
            store = CliStore.from_params(params)
            store.warnings.extend([answer.warning] if answer.warning else [])
            store.known_clock = answer.clock
            return store
    return RestStore.from_params(params)
