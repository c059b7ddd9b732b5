# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of AXL objects: their arguments and their service.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.reconcile import run
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource, arguments
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Face, Outcome, Task

_STATE = {"type": "str", "choices": ["present", "absent"]}


def argument_spec(resource: Resource) -> ArgSpec:
    """All options of an object's module."""
    own: dict[str, dict[str, Any]] = dict(arguments(resource))
    if resource.copies:
        own["copy_from"] = {"type": "str"}
    entry = {**own, "state": dict(_STATE), resource.first: {"type": "str", "required": True}}
    options: dict[str, dict[str, Any]] = {
        **own,
        "state": {**_STATE, "default": "present"},
        "aggregate": {"type": "list", "elements": "dict", "options": entry},
    }
    if resource.trunk_option:
        options["reset"] = {"type": "str", "choices": ["on_change", "never", "always"], "default": "on_change"}
        options["reset_journal"] = {"type": "path"}
    if resource.purges:
        options["purge"] = {"type": "dict", "options": {name: {"type": "str"} for name in resource.purges}}
    return APPLICATION + ArgSpec(
        options=options,
        mutually_exclusive=((resource.first, "aggregate"),),
        required_one_of=((resource.first, "aggregate"),),
        required_by={"purge": ("aggregate",)} if resource.purges else {},
    )


def face(resource: Resource) -> Face:
    """The face of the module of one kind of object."""

    def service(task: Task) -> Outcome:
        params = dict(task.params)
        if params["aggregate"] is not None:
            # Without the options that were not given: they would be most of the memory and of the result's invocation.
            params["aggregate"] = task.params["aggregate"] = [
                {option: value for option, value in entry.items() if value is not None} for entry in params["aggregate"]
            ]
        return run(resource, params, task.check_mode)

    return Face(argument_spec(resource), service, needs=("requests", "zeep"))
