# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ca_sign: those of all providers, and those of the chosen one.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Provider
from ansible_collections.siptls.cucm.plugins.module_utils._ca.registry import PROVIDERS
from ansible_collections.siptls.cucm.plugins.module_utils._ca.web import unverified
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure, missing_libraries

COMMON = ArgSpec(
    options={
        "provider": {"type": "str", "choices": list(PROVIDERS), "default": "local"},
        "ca": {"type": "dict"},
        "csr": {"type": "str"},
        "path": {"type": "path"},
        "requester": {"type": "dict"},
        "allowed_sans": {"type": "list", "elements": "str"},
        "renew_before": {"type": "int", "default": 30},
        "force": {"type": "bool", "default": False},
        "days": {"type": "int", "default": 730},
        "clock_offset": {"type": "int", "default": 0},
        "eku_policy": {"type": "str", "choices": ["both", "keep"], "default": "both"},
        "kept_eku": {"type": "list", "elements": "str", "default": ["ipsecEndSystem"]},
    },
)
SPEC: ArgSpec = reduce(add, (entry.spec for entry in PROVIDERS.values()), COMMON)
#: options of one request, which `ca` cannot set for all
OF_ONE_REQUEST = ("ca", "csr", "requester", "clock_offset", "force", "tasks_certificate", "tasks_chain")


@dataclass(frozen=True)
class Choice:
    """The provider, its options without their prefix, and all values, those of `ca` among them."""

    provider: Provider
    options: Mapping[str, Any]
    values: Mapping[str, Any]
    warnings: list[str]


def chosen(params: Mapping[str, Any]) -> Choice:
    """Who signs, and with which options. Raises Failure where an option is missing or belongs to another provider."""
    ca, warnings = read_ca(params["ca"] or {})
    values = {**params, **ca}
    provider = PROVIDERS[values["provider"]]
    for name in missing_libraries(provider.libraries):
        raise Failure(
            f"The provider {provider.name} requires the Python package {name.replace('_', '-')}: install it with pip."
        )
    problems = [*_foreign(provider, values), *_missing(provider, values)]
    if problems:
        raise Failure(" ".join(problems))
    prefix = f"{provider.name}_"
    options = {name.removeprefix(prefix): values[name] for name in provider.spec.options}
    return Choice(provider, options, values, warnings)


def read_ca(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options in `ca` by their present names, and warnings about old ones. Raises Failure with every problem."""
    problems = list(ca_problems(given))
    if problems:
        raise Failure(" ".join(f"ca: {text}" for text in problems))
    found = ArgumentSpecValidator(_rules()).validate(dict(given))
    old = {alias: name for name, rule in SPEC.options.items() for alias in rule.get("aliases", ())}
    warnings = [f"The key {name} of the CA's options is deprecated. Use {old[name]}." for name in given if name in old]
    values = {name: value for name, value in found.validated_parameters.items() if name in SPEC.options}
    return {name: value for name, value in values.items() if value is not None}, warnings


def ca_problems(given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the options of a CA as one mapping: unknown keys, secrets, wrong types."""
    rules = _rules()
    names = {alias: name for name, rule in rules.items() for alias in (name, *rule.get("aliases", ()))}
    for key in given:
        name = names.get(str(key))
        if name is None or name in OF_ONE_REQUEST:
            yield f"{key} is not an option of a CA. Remove it."
        elif SPEC.options[name].get("no_log"):
            yield f"{key} is a secret, and these options are shown in logs. Set it by its variable or environment."
    known = {key: value for key, value in given.items() if key in names}
    yield from (f"{str(text).rstrip('.')}." for text in ArgumentSpecValidator(rules).validate(known).error_messages)


def _rules() -> dict[str, dict[str, Any]]:
    """The argument specification without what applies to a whole task: defaults, fallbacks, deprecations."""
    kept = ("type", "elements", "choices", "aliases")
    return {
        name: {part: rule[part] for part in kept if part in rule}
        for name, rule in SPEC.options.items()
        if name not in OF_ONE_REQUEST
    }


def _foreign(provider: Provider, values: Mapping[str, Any]) -> Iterator[str]:
    """Options of other providers that were set: they would have no effect."""
    for other in PROVIDERS.values():
        for name, rule in other.spec.options.items():
            # An environment variable may be set for another task.
            if other is not provider and "fallback" not in rule and values.get(name) not in (None, rule.get("default")):
                yield (
                    f"{name} is an option of the provider {other.name}, and provider is {provider.name}. Remove it, or "
                    f"set provider: {other.name}."
                )


def _missing(provider: Provider, values: Mapping[str, Any]) -> Iterator[str]:
    for group in provider.needs:
        if not any(values.get(name) for name in group):
            stand_ins = [name for option in group for name in _environment(provider, option)]
            hint = f" or the environment variable {' or '.join(stand_ins)}" if stand_ins else ""
            yield f"The provider {provider.name} requires {' or '.join(group)}. Set it{hint}."


def _environment(provider: Provider, option: str) -> list[str]:
    fallback = provider.spec.options.get(option, {}).get("fallback")
    return list(fallback[1]) if fallback else []


def guard_warnings(given: Mapping[str, Any]) -> list[str]:
    """Warnings about what the options of a CA leave unprotected, for runs that sign nothing; none if they are wrong."""
    try:
        values, warnings = read_ca(given)
    except Failure:
        return []
    provider = str(values.get("provider") or "local")
    if values.get(f"{provider}_validate_certs") is False:
        warnings.append(unverified(provider, str(values.get(f"{provider}_url") or "the CA")))
    if provider == "local" and values.get("path") and not values.get("local_ca_certificate"):
        from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder

        warnings += CaFolder(str(values["path"])).weak_places()
    return warnings
