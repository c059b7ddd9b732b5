# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a path means that an inventory or a command line gives."""

from __future__ import annotations

DOCUMENTATION = r"""
name: absolute_path
short_description: Get the absolute path of a file or folder on the controller
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Ansible resolves a relative path against the folder of the playbook, which for a playbook of a collection is the
    installed collection. This filter resolves it against the folder of the inventory, if the path exists there, and
    otherwise against the working directory in which Ansible was started.
options:
  _input:
    description: The path. C(~) is the home folder. An empty path stays empty.
    type: str
    required: true
  inventory_dir:
    description: The folder of the inventory, if there is one.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show where the report goes
  ansible.builtin.debug:
    msg: "{{ 'report' | siptls.cucm.absolute_path }}"
"""

RETURN = r"""
_value:
  description: The absolute path, or an empty text.
  type: str
"""

import os
from collections.abc import Callable


def absolute_path(path: str, inventory_dir: str = "") -> str:
    """See the documentation above."""
    if not path:
        return ""
    expanded = os.path.expanduser(str(path))
    beside_inventory = os.path.join(str(inventory_dir or ""), expanded)
    if inventory_dir and os.path.exists(beside_inventory):
        return os.path.abspath(beside_inventory)
    return os.path.abspath(expanded)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """The filters of this file, by name."""
        return {"absolute_path": absolute_path}
