# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the roles, checked before anything is changed. Pure; private to siptls.cucm.

Ansible checks the options of a role when the role begins, and per host: too late for a run that has made certificates
by then, and a mistake on one cluster would not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._node.restart_times import Window

#: options with bounds that an argument specification cannot say: least, most, and what they are
RANGES: dict[str, tuple[int, int, str]] = {
    "callmanager_certificate_drain": (0, 1440, "a number of minutes"),
    "callmanager_certificate_days": (1, 36500, "a lifetime in days"),
    "callmanager_certificate_port": (1, 65535, "a TCP port"),
    "callmanager_certificate_renew_before": (0, 36500, "a number of days"),
    "callmanager_certificate_phone_wait": (0, 86400, "a number of seconds"),
    "callmanager_certificate_wait_timeout": (1, 86400, "a number of seconds"),
    "preflight_warn_days": (0, 36500, "a number of days"),
    "sip_tls_trunk_options_interval_down": (5, 600, "a number of seconds as a SIP profile takes it"),
    "sip_tls_trunk_port": (1, 65535, "a TCP port"),
    "sip_tls_verify_port": (1, 65535, "a TCP port"),
}
#: options that hold the peer's name, without which two peers would share one object
TEMPLATES = ("name", "profile", "route_group", "route_list")


def check_options(values: Mapping[str, Any], specs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the options of the roles.

    values are all options by their full names, None where nothing is set; specs are the contents of each role's
    meta/argument_specs.yml, by role.
    """
    found: list[str] = []
    for role, spec in specs.items():
        options = spec["argument_specs"]["main"]["options"]
        given = {name: values[name] for name in options if values.get(name) is not None}
        found += [f"Role {role}: {text}." for text in _kinds(options, given)]
    wrong = " ".join(found)
    found += [text for name in RANGES if name not in wrong for text in _range(name, values.get(name))]
    found += _window(values.get("callmanager_certificate_window"))
    if not wrong:
        found += _templates(values)
    return found


def _kinds(options: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Ansible's own words about types and choices."""
    rules = {name: {key: option[key] for key in ("type", "elements", "choices", "options") if key in option}
             for name, option in options.items()}  # fmt: skip
    # The validator copies deeply, which takes templates in Ansible's own containers seconds.
    return [str(text).rstrip(".") for text in ArgumentSpecValidator(rules).validate(plain(given)).error_messages]


def _range(name: str, value: Any) -> Iterator[str]:
    least, most, what = RANGES[name]
    try:
        number = int(value) if value is not None else least
    except (TypeError, ValueError):
        return  # a wrong type, which Ansible reports
    if not least <= number <= most:
        yield f"{name} is {number}: {what} is a whole number from {least} to {most}."


def _window(text: Any) -> Iterator[str]:
    try:
        if text:
            Window.parse(str(text))
    except Failure as failure:
        yield f"callmanager_certificate_window: {failure.msg}"


def _templates(values: Mapping[str, Any]) -> Iterator[str]:
    several = len(values.get("sip_tls_trunk_peers") or ()) > 1
    for option in TEMPLATES:
        name = f"sip_tls_trunk_{option}"
        text = values.get(name)
        if several and text is not None and "{peer}" not in str(text):
            yield (
                f"{name} is {text!r} for every peer: with more than one peer it has to hold {{peer}}, so that each "
                "gets objects of its own."
            )
