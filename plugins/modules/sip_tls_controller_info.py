#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the controller: Python, ansible-core and the packages that the collection needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_controller_info
short_description: Check the controller's Python packages and the play's strategy before a run
version_added: 1.0.0
description:
  - Shows the versions of Python, ansible-core and the Python packages that the collection runs with, for a problem
    report or an audit.
  - Fails with one sentence if a package is missing, or if the strategy of the play is not suitable, so that a run ends
    before it changes anything.
  - Contacts no system and changes nothing.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes
  - siptls.cucm.attributes.info
attributes:
  platform:
    details: Always runs on the controller, in Ansible's own process. C(async) is not supported.
options:
  packages:
    description: The names of the packages to check, as C(pip) knows them.
    type: list
    elements: str
    default: [asyncssh, cryptography, requests, zeep]
  linear:
    description:
      - Fail if the strategy of the play lets one host run ahead of the others, as V(free) and V(host_pinned) do.
      - The roles of this collection check all clusters before they change any. With such a strategy, one cluster would
        be changed while another is still being checked.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the Python packages of the controller
  siptls.cucm.sip_tls_controller_info:
  delegate_to: localhost
  run_once: true

- name: Check that the strategy of the play is suitable, too
  siptls.cucm.sip_tls_controller_info:
    linear: true
  run_once: true
"""

RETURN = r"""
python:
  description: Version of the Python that runs Ansible.
  type: str
  returned: always
  sample: 3.11.7
executable:
  description: Path of the Python that runs Ansible.
  type: str
  returned: always
  sample: /usr/bin/python3
ansible_core:
  description: Version of ansible-core.
  type: str
  returned: always
  sample: 2.19.14
strategy:
  description: Strategy of the play; null if the module runs in a process of its own.
  type: str
  returned: always
  sample: linear
packages:
  description: Version of each package by its name; null if it is missing.
  type: dict
  returned: always
  sample: {"asyncssh": "2.22.0", "cryptography": "46.0.3", "requests": "2.32.5", "zeep": "4.3.2"}
"""

import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Failure, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

PACKAGES = ["asyncssh", "cryptography", "requests", "zeep"]
#: strategies, without their collection, in which a host does not wait for the others after each task
AHEAD = ("free", "host_pinned", "mitogen_free", "mitogen_host_pinned")
SPEC = ArgSpec(
    options={
        "packages": {"type": "list", "elements": "str", "default": PACKAGES},
        "linear": {"type": "bool", "default": False},
    }
)


def service(task: Task) -> Outcome:
    """The versions and the strategy. Failure when a package is missing or the strategy is not suitable."""
    found = {name: _version(name) for name in task.params["packages"]}
    # Only Ansible's own process knows the play.
    strategy = getattr(task, "strategy", None)
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "executable": sys.executable,
        "ansible_core": _version("ansible-core"),
        "strategy": strategy,
        "packages": found,
    }
    missing = [name for name, version in found.items() if version is None]
    if missing:
        raise Failure(
            f"The Python that runs Ansible ({sys.executable}) lacks {', '.join(missing)}. Nothing was changed. "
            f"Run {sys.executable} -m pip install {' '.join(missing)}.",
            **result,
        )
    if task.params["linear"] and strategy and strategy.rpartition(".")[2] in AHEAD:
        raise Failure(
            f"The strategy of this play is {strategy}, so that one cluster would be changed while another is still "
            "being checked. Nothing was changed. Set strategy: linear in the play; without it, Ansible takes the "
            "strategy from ansible.cfg or ANSIBLE_STRATEGY.",
            **result,
        )
    return Outcome(result=result)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


FACE = Face(SPEC, service, controller=True, begins_run=True)


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
