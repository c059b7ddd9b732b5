# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are part of a name. Private to siptls.cucm.

Ansible masks every secret of a module's options wherever it occurs in the module's result. A name that contains one
comes out of the module as another name, and would be written to CUCM like that. The sentences here name the place and
not the text, because a text beside its masked form shows the secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import certificate_names

#: the secrets of an inventory, each with the environment variable that the modules read in its place
ACCOUNTS = {"cucm_password": "CUCM_PASSWORD", "cucm_os_password": "CUCM_OS_PASSWORD"}
SECRETS = {
    **ACCOUNTS, "sip_tls_ca_password": "SIP_TLS_ADCS_PASSWORD", "sip_tls_ca_passphrase": "SIP_TLS_CA_PASSPHRASE",
    "sip_tls_vault_token": "VAULT_TOKEN",
}  # fmt: skip
_SHORT = 4  # characters; a shorter secret is part of too many words


def secrets_of(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The secrets of a cluster by their variables; from the environment where a variable is not set."""
    for name, stand_in in SECRETS.items():
        try:
            value = values.get(name) or os.environ.get(stand_in)
        except Exception:  # whatever a template raises, by release; preflight reports it
            continue
        # YAML reads a password of digits as a number.
        if isinstance(value, str | int) and len(str(value)) >= _SHORT:
            yield name, str(value)


def secret_problems(clusters: Sequence[Cluster], variables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Secrets that are part of a name, an address or a number of a cluster. variables are hostvars."""
    for owner in clusters:
        for secret, value in secrets_of(variables[owner.name]) if owner.name in variables else ():
            for other in clusters:
                # The names of its own cluster reach us masked, which preflight reports.
                if (other is owner and secret in ACCOUNTS) or not any(value in text for text in _texts(other)):
                    continue
                yield (
                    f"{owner.name}: the value of {secret} is part of a name, an address or a number of {other.name}. "
                    f"Ansible masks it wherever it appears, and the masked text would be written to CUCM. Change "
                    f"{secret}, or the name."
                )


def _texts(cluster: Cluster) -> Iterator[str]:
    """What is written into other clusters, or is compared with what they have."""
    yield cluster.name
    yield from map(str, cluster.patterns)
    for node in cluster.nodes:
        yield from (node.name, node.address)
        for view in cluster.identities(node.name):
            yield from (str(view.get("subject") or ""), *certificate_names(view))
    for peer in cluster.external:
        yield from (peer.name, *peer.names, *peer.addresses, *map(str, peer.patterns))
