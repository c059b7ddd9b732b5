# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence as options of a module. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction

DICTS = {"type": "list", "elements": "dict", "default": []}
NODE = {
    "name": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "held": {"type": "dict"},
    "issued": {"type": "dict"},
    "ec_held": {"type": "dict"},
    "ec_issued": {"type": "dict"},
    "probe": {"type": "dict"},
    "trust": {"type": "list", "elements": "dict"},
    "clock": {"type": "dict"},
    "callmanager": {"type": "bool"},
}
OTHER_NODE = {key: NODE[key] for key in ("name", "addresses", "callmanager")}
REVOCATION = {
    "ocsp": {"type": "str", "choices": ["disabled", "certificate", "configured"]},
    "common_criteria": {"type": "bool"},
}
CLUSTER = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str"},
    "security_mode": {"type": "str"},
    "phone_security": {"type": "dict"},
    "revocation": {"type": "dict", "options": REVOCATION},
    "phones": {"type": "dict"},
    "nodes": {"type": "list", "elements": "dict", "required": True, "options": NODE},
    "other_nodes": {"type": "list", "elements": "dict", "options": OTHER_NODE},
}
EXTERNAL = {
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "default": 5061},
    "srtp": {"type": "bool", "default": True},
    "probes": {"type": "dict"},
}
DIRECTION = {
    "from": {"type": "str", "required": True},
    "to": {"type": "str", "required": True},
    "profile": {"type": "dict"},
    "trunk": {"type": "dict"},
    "status": {"type": "dict"},
    "external": {"type": "dict", "options": EXTERNAL},
    "calls": DICTS,
}
#: the options that the doc fragment C(evidence) describes
EVIDENCE = ArgSpec(
    options={
        "clusters": {"type": "list", "elements": "dict", "required": True, "options": CLUSTER},
        "directions": {"type": "list", "elements": "dict", "required": True, "options": DIRECTION},
        "captures": DICTS,
        "traces": DICTS,
    }
)
#: those that the doc fragment C(evidence.checks) describes
CHECKS = ArgSpec(options={"routing": DICTS, "require_srtp": {"type": "bool", "default": True}})


def directions(given: Mapping[str, Any]) -> list[Direction]:
    """The directions that a module's options describe. Failure when a direction begins at an unknown cluster."""
    try:
        return verdict.directions_of(
            given["clusters"],
            given["directions"],
            captures=given["captures"],
            traces=given["traces"],
            srtp_wanted=given.get("require_srtp", True),
            warn_days=given.get("warn_days", 30),
            routing=given.get("routing", ()),
        )
    except ValueError as wrong:
        raise Failure(
            f"The evidence does not fit together: {wrong}. Describe every cluster from which a direction starts, with "
            "its nodes, in the option clusters."
        ) from wrong
