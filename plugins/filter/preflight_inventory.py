# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typical mistakes in the inventory of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_inventory
short_description: List the mistakes in the inventory of a cluster
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Checks the inventory variables of a cluster before any cluster is contacted, and names the cluster, the variable and
    the remedy for each mistake.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The variables of the host, as C(hostvars[inventory_hostname]).
    type: dict
    required: true
  name:
    description: The inventory name of the cluster.
    type: str
    required: true
  given:
    description: Whether each variable of the accounts has a value from any source.
    type: dict
  options:
    description: The names of the options of the roles.
    type: list
    elements: str
  hosts:
    description: The inventory names of all clusters.
    type: list
    elements: str
  sources:
    description: Inventory files and folders, to look up how a number was written.
    type: list
    elements: path
"""

EXAMPLES = r"""
- name: Check the inventory
  ansible.builtin.set_fact:
    mistakes: "{{ hostvars[inventory_hostname] | siptls.cucm.preflight_inventory(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description: Sentences.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain
from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import SPEC
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.inventory import (
    RENAMED,
    Inventory,
    inventory_problems,
)


def preflight_inventory(
    variables: Mapping[str, Any],
    name: str,
    *,
    given: Mapping[str, Any] | None = None,
    options: Iterable[str] = (),
    hosts: Iterable[str] = (),
    sources: Iterable[str] = (),
) -> list[str]:
    """The mistakes in the inventory of a cluster. Ansible shows a deprecation warning for each variable's old name."""
    for old in (name_before for name_before in RENAMED if name_before in variables):
        Display().deprecated(
            f"{old} is an old name of {RENAMED[old]}. Rename the variable in your inventory or play.",
            version="3.0.0", collection_name="siptls.cucm",
        )  # fmt: skip
    return inventory_problems(
        Inventory(
            str(name), variables, plain(given or {}), [str(option) for option in options], SPEC.options,
            [str(host) for host in hosts], _files(sources),
        )
    )  # fmt: skip


def _files(sources: Iterable[str]) -> list[Path]:
    """The files that may hold variables: the sources, and group_vars and host_vars beside them."""
    found: list[Path] = []
    for source in (Path(str(path)) for path in sources if path):
        folder = source if source.is_dir() else source.parent
        found += [source] if source.is_file() else sorted(folder.glob("*.y*ml"))
        found += sorted(path for part in ("group_vars", "host_vars") for path in (folder / part).rglob("*.y*ml"))
    return list(dict.fromkeys(found))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight_inventory": preflight_inventory}
