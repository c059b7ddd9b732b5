# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How preflight puts what a module said into a list: in the inventory's words. Pure.

Private to siptls.cucm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import DOWN
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster

#: options of the modules whose inventory variable has the same name with cucm_ before it
OPTIONS = ("ca_path", "tls_fingerprint", "legacy_crypto", "os_username", "os_password", "ssh_port", "ssh_known_hosts",
           "ssh_host_key", "validate_certs", "validate_host_key")  # fmt: skip


def in_inventory_words(text: str) -> str:
    """A failure of a module with the names of the inventory's variables in place of the module's options."""
    for option in OPTIONS:
        text = re.sub(rf"(?<![\w-]){option}(?![\w-])", f"cucm_{option}", text)
    text = text.replace("Check username and password", "Check cucm_username and cucm_password")
    return re.sub(r"\b(Check|Give|Check host and) (host|port)\b", r"\1 cucm_\2", text).replace(
        "cucm_host and port", "cucm_host and cucm_port"
    ).replace("cucm_host, port", "cucm_host, cucm_port")  # fmt: skip


def report_failure(cluster: Cluster, result: Mapping[str, Any], otherwise: str) -> None:
    """Note what a module's failed result says: that the cluster is unreachable, or another problem."""
    text = in_inventory_words(str(result.get("msg") or otherwise))
    if result.get("msg"):
        text = f"{cluster.name}: {text}"
    if result.get("reason") in DOWN:
        cluster.unreachable = cluster.unreachable or text
    else:
        cluster.problems.append(text)
