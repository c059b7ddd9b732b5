# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typical mistakes in the inventory of a cluster, found before any cluster is contacted.

Pure, but for the inventory files, in which a number is looked up as it was written. Private to siptls.cucm.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain
from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import OF_ONE_REQUEST, ca_problems
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import parse
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import option_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.secrets import SECRETS, secrets_of
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address, leaves

#: variables for reaching a cluster, by account; each with the environment variable that replaces it
APPLICATION = {"cucm_host": "CUCM_HOST", "cucm_username": "CUCM_USERNAME", "cucm_password": "CUCM_PASSWORD"}
PLATFORM = {"cucm_os_username": "CUCM_OS_USERNAME", "cucm_os_password": "CUCM_OS_PASSWORD"}
REQUIRED = {**APPLICATION, **PLATFORM}
CONNECTION = (
    *REQUIRED, "cucm_port", "cucm_validate_certs", "cucm_ca_path", "cucm_tls_fingerprint", "cucm_legacy_crypto",
    "cucm_timeout", "cucm_ssh_port", "cucm_ssh_known_hosts", "cucm_ssh_host_key", "cucm_validate_host_key",
    "cucm_python_interpreter",
)  # fmt: skip
#: the other variables of an inventory that are not options of a role
OTHERS = (
    "cucm_node_addresses", "cucm_local_patterns", "cucm_peers", "cucm_external_peers", "cucm_transit", "cucm_clusters",
    "cucm_revocation",
    "sip_tls_ca", "sip_tls_ca_password", "sip_tls_ca_passphrase", "sip_tls_trusted_cas", "sip_tls_old_cas",
    "sip_tls_vault_token",
    "sip_tls_backup", "sip_tls_confirm", "sip_tls_renewal_enforce",
)  # fmt: skip
#: old names of options, which work until release 3.0.0, with their present names
RENAMED = {
    f"sip_tls_trunk_{name}": f"sip_tls_undo_{name}"
    for name in ("backup", "backup_path", "restore_records", "restore_file", "restore_force", "removed_peers",
                 "removed_chain", "remove_trust")
}  # fmt: skip
PREFIXES = ("cucm_", "sip_tls_", "callmanager_certificate_", "preflight_")
NUMBERS = {"cucm_port": (1, 65535), "cucm_ssh_port": (1, 65535), "cucm_timeout": (1, 3600)}
BOOLEANS = ("cucm_validate_certs", "cucm_validate_host_key", "cucm_legacy_crypto", "cucm_transit")
TRUTHS = ("true", "false", "yes", "no", "on", "off", "1", "0", "y", "n", "t", "f")
#: where a cluster asks for OCSP responders
REVOCATION = ("disabled", "certificate", "configured")
#: keys of sip_tls_ca that are not options of ca_sign
CA_KEYS = ("request_ids",)
_LISTS = ("cucm_local_patterns", "cucm_peers")
_PATTERN = re.compile(r"(?:[0-9A-DX*#+!@.?^\[\]-]|\\\+)+\Z")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\Z")
_TEMPLATE = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")
_INTEGER = re.compile(r"(?<![\w\"'.+-])([+-]?0?[ob_0-9][0-9a-fA-F_:]*)(?![\w\"'.])")


@dataclass(frozen=True)
class Inventory:
    """What the inventory says of one cluster, and what it could say."""

    name: str
    #: all variables of the host; reading one may fail, as its template may
    variables: Mapping[str, Any]
    #: which of the required variables have a value, from wherever
    given: Mapping[str, Any]
    #: the options of the roles by name, and the options of ca_sign
    options: Sequence[str] = ()
    ca_options: Mapping[str, Any] = field(default_factory=dict)
    hosts: Sequence[str] = ()
    #: files that may hold its variables as they were written
    files: Sequence[Path] = ()

    @cached_property
    def ours(self) -> list[str]:
        """The names of its variables that could be meant for us."""
        return [str(name) for name in self.variables if str(name).startswith(PREFIXES)]

    @property
    def known(self) -> list[str]:
        """The names that mean something."""
        return [*CONNECTION, *OTHERS, *self.options, *RENAMED]

    def value(self, name: str) -> Any:
        """A variable's value, None without one or when its template fails."""
        try:
            found = plain(self.variables[name]) if name in self.variables else None
            # Since ansible-core 2.19 a failed template fails when its value is used; before, it is left as written.
            return None if _TEMPLATE.search(str(found)) else found
        except Exception:  # whatever a template raises, by release
            return None

    @cached_property
    def values(self) -> dict[str, Any]:
        """The values of the known variables that have one."""
        found = {name: self.value(name) for name in self.ours if name in self.known}
        return {name: value for name, value in found.items() if value is not None}


def inventory_problems(inventory: Inventory) -> list[str]:
    """A sentence for each mistake: variable and remedy."""
    return list(dict.fromkeys(text for check in CHECKS for text in check(inventory)))


def _undefined(inventory: Inventory) -> Iterator[str]:
    """Variables whose template can't be resolved: a vault file that was not loaded, mostly."""
    for name in inventory.ours:
        if name not in inventory.known:
            continue
        try:
            text = str(plain(inventory.variables[name]))
        except Exception as error:  # whatever a template raises, by release
            missing = re.search(r"'(\w+)' is undefined", str(error))
        else:
            missing = _TEMPLATE.search(text)
            if missing is None:
                continue
        if missing:
            yield (
                f"{name} refers to {missing[1]}, which is not defined. Define it, or load the file that does (a vault "
                "file needs to be in group_vars or given by -e @FILE)."
            )
        else:
            yield f"{name} holds a template that can't be resolved. Correct it."


def _misspelled(inventory: Inventory) -> Iterator[str]:
    for name in inventory.ours:
        meant = None if name in inventory.known else nearest(name, inventory.known)
        # Facts that the roles set are not mistakes, nor are other variables of the user.
        if meant and meant not in inventory.variables and not _kept(inventory, name):
            yield f"the variable {name} is not known. Did you mean {meant}?"


def _kept(inventory: Inventory, name: str) -> bool:
    """Whether a variable is what a task of the roles registered or worked out."""
    return name in KEPT or (isinstance(inventory.value(name), Mapping) and "changed" in inventory.value(name))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelled one is nearest to; None when none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)), None)


def _missing(inventory: Inventory) -> Iterator[str]:
    absent = [name for name in REQUIRED if not inventory.given.get(name)]
    absent = [name for name in absent if name not in inventory.variables]
    if absent:
        variables = ", ".join(absent)
        stand_ins = ", ".join(REQUIRED[name] for name in absent)
        yield (
            f"{variables} {'is' if len(absent) == 1 else 'are'} not set. Set {'it' if len(absent) == 1 else 'them'} in "
            f"the inventory, or in the environment ({stand_ins})."
        )
    empty = [name for name in REQUIRED if name in inventory.values and not str(inventory.values[name]).strip()]
    if empty:
        named = " and ".join(filter(None, (", ".join(empty[:-1]), empty[-1])))
        yield f"{named} is empty. Give a value." if len(empty) == 1 else f"{named} are empty. Give each a value."


def _kinds(inventory: Inventory) -> Iterator[str]:
    """Numbers and booleans that are not options of a role, which the modules would refuse one by one."""
    for name, (least, most) in NUMBERS.items():
        value = inventory.values.get(name)
        if value is not None and not (re.fullmatch(r"\d{1,9}", str(value)) and least <= int(value) <= most):
            yield f"{name} is {value!r}, which is out of range. Give a whole number from {least} to {most}."
    for name in BOOLEANS:
        value = inventory.values.get(name)
        if value is not None and str(value).lower() not in TRUTHS:
            yield f"{name} is {value!r}, which is neither true nor false. Give true or false."


def _revocation(inventory: Inventory) -> Iterator[str]:
    given = inventory.values.get("cucm_revocation")
    if given is None:
        return
    if not isinstance(given, Mapping):
        yield f"cucm_revocation is not a mapping. Give it as {{ocsp: {REVOCATION[0]}, common_criteria: false}}."
        return
    for key, value in given.items():
        if key == "ocsp" and value not in REVOCATION:
            yield f"cucm_revocation: ocsp is {value!r}. Give one of {', '.join(REVOCATION)}."
        elif key == "common_criteria" and str(value).lower() not in TRUTHS:
            yield f"cucm_revocation: common_criteria is {value!r}, which is neither true nor false. Give true or false."
        elif key not in ("ocsp", "common_criteria"):
            yield f"cucm_revocation has the key {key}, which is not known. Give ocsp or common_criteria."


def _host(inventory: Inventory) -> Iterator[str]:
    addresses = inventory.values.get("cucm_node_addresses")
    if addresses is not None and not isinstance(addresses, Mapping):
        yield (
            "cucm_node_addresses is not a mapping. Give the address of each node by its name, as in "
            "{CUCMSUB: 10.1.2.3}."
        )
        addresses = {}
    named = {"cucm_host": inventory.values.get("cucm_host")}
    named |= {f"cucm_node_addresses ({node})": address for node, address in (addresses or {}).items()}
    for name, value in named.items():
        text = "" if value is None else str(value).strip()
        if text and not is_address(text) and not _HOST.match(text):
            yield f"{name} is {text!r}, which is not a host name or an IP address. {_host_advice(text)}"


def _host_advice(text: str) -> str:
    if "://" in text:
        return "Give the host alone, without https:// and path."
    if re.search(r":\d+\Z", text):
        return "Give the host alone; the port goes into cucm_port."
    return "Give the publisher's host name or IP address."


def _lists(inventory: Inventory) -> Iterator[str]:
    for name in _LISTS:
        value = inventory.values.get(name)
        if isinstance(value, Mapping):
            yield f"{name} is a mapping. Give a list, as in {name}: [...]."
        elif isinstance(value, float | bool):
            yield f"{name} is {value}. Give a list of texts, each in quotes."
    for peer in strings(inventory.values.get("cucm_peers")):
        if inventory.hosts and peer not in inventory.hosts:
            meant = nearest(peer, inventory.hosts)
            hint = f" Did you mean {meant}?" if meant else ""
            yield (
                f"cucm_peers names {peer}, which is not a cluster of the inventory.{hint} Peers that you don't manage "
                "belong in cucm_external_peers."
            )
        elif peer == inventory.name:
            yield "cucm_peers names the cluster itself. Take it out."


def strings(value: Any) -> list[str]:
    """A text, a number or a list of them as a list of texts."""
    if value is None or isinstance(value, Mapping):
        return []
    values = value if isinstance(value, list | tuple) else [value]
    return [str(item).strip() for item in values if not isinstance(item, Mapping)]


def _patterns(inventory: Inventory) -> Iterator[str]:
    value = inventory.values.get("cucm_local_patterns")
    values = value if isinstance(value, list | tuple) else [] if value is None else [value]
    for item in values:
        pattern = item.get("pattern") if isinstance(item, Mapping) else item
        if isinstance(pattern, bool | float) or pattern is None:
            yield f"cucm_local_patterns holds {pattern!r}, which is not a pattern. Give each pattern as text in quotes."
        elif isinstance(pattern, int):
            written = _as_written(pattern, inventory.files)
            if written:
                yield (
                    f"cucm_local_patterns holds the number {pattern}, written {written}: YAML reads it as a number in "
                    f'another form. Put it in quotes: "{written}".'
                )
        else:
            problems = [*pattern_problems(str(pattern)), *option_problems(item)]
            yield from (f"cucm_local_patterns holds {pattern!r}: {text}" for text in problems)


def pattern_problems(pattern: str) -> Iterator[str]:
    """What is wrong with a route pattern, whatever the release."""
    if not pattern:
        yield "a pattern can't be empty. Take it out."
    elif re.search(r"\s", pattern):
        yield "a pattern has no blanks. Take them out."
    elif pattern.startswith("+"):
        yield f"a plus sign is written \\+ in a pattern. Write {chr(92) + pattern!r} in single quotes."
    elif not _PATTERN.match(pattern):
        wrong = sorted(set(re.sub(r"[0-9A-DX*#+!@.?^\[\]\\-]", "", pattern)))
        yield f"{' '.join(wrong) or pattern} can't be part of a pattern. Use digits, X, !, [..], *, #, \\+, . and @."
    elif pattern.count(".") > 1:
        yield "a pattern has one dot at most. Take the others out."
    elif re.search(r"\[[^\]]*\Z|\A[^\[]*\]", pattern):
        yield "a bracket has no other end. Close it."
    elif "@" not in pattern and parse(pattern) is None:
        yield "it can't be read as a pattern. Correct it."


def _as_written(number: int, files: Iterable[Path]) -> str:
    """How the inventory files write a number that YAML took another way than it looks; empty when they don't."""
    for path in files:
        try:
            text = path.read_text(encoding="utf-8") if path.stat().st_size < 4 << 20 else ""
        except (OSError, ValueError):
            continue
        for token in set(_INTEGER.findall(text)) | set(re.findall(r"(?<![\w\"'.])(\+\d+)", text)):
            if token != str(number) and _means(token) == number:
                return str(token)
    return ""


def _means(token: str) -> Any:
    # ansible-core brings PyYAML to the controller, where filters run; a module may not have it.
    import yaml

    try:
        return yaml.safe_load(token)
    except (yaml.YAMLError, ValueError):
        return None


def _authority(inventory: Inventory) -> Iterator[str]:
    given = inventory.values.get("sip_tls_ca")
    if given is None:
        return
    if not isinstance(given, Mapping):
        yield "sip_tls_ca is not a mapping. Give it as {provider: local, path: FOLDER}, or the keys of your CA."
        return
    aliases = [name for rule in inventory.ca_options.values() for name in rule.get("aliases", ())]
    known = [name for name in inventory.ca_options if name not in OF_ONE_REQUEST] + [*aliases, *CA_KEYS]
    for key in given:
        if key not in known:
            meant = nearest(str(key), known)
            advice = f"Did you mean {meant}?" if meant else "Remove it."
            yield f"sip_tls_ca has the key {key}, which is not known. {advice}"
    for text in ca_problems({key: value for key, value in given.items() if key in known and key not in CA_KEYS}):
        yield f"sip_tls_ca: {text}"
    if given.get("provider", "local") == "local" and given.get("path"):
        yield from _folder(Path(os.path.expanduser(str(given["path"]))))


def _folder(path: Path) -> Iterator[str]:
    """Whether the CA's folder can be made or written: found out now, and not after the first CSR."""
    there = next((place for place in (path, *path.parents) if place.exists()), Path("/"))
    if not there.is_dir():
        yield f"the CA's folder {path} (sip_tls_ca, path) can't be made: {there} is a file. Name another folder."
    elif not os.access(there, os.W_OK | os.X_OK):
        yield (
            f"the CA's folder {path} (sip_tls_ca, path) can't be written by this user. Name another folder, or change "
            "its owner."
        )


def _secrets(inventory: Inventory) -> Iterator[str]:
    """A password that is part of a name: Ansible masks it in every result, and the mask would reach CUCM."""
    shown = {name: value for name, value in inventory.values.items() if name not in SECRETS and "username" not in name}
    words = {inventory.name: "the cluster's name", **{text: name for name in shown for text in _texts(shown[name])}}
    for secret, value in secrets_of(inventory.values):
        where = next((name for text, name in words.items() if value in text), None)
        if where:
            yield (
                f"the value of {secret} is part of {where}. Ansible masks it wherever it appears, and the masked text "
                f"would be written to CUCM. Change {secret}, or the name."
            )


def _texts(value: Any) -> Iterator[str]:
    """The names and numbers in a variable; certificates and keys have none."""
    for part in leaves(value, keys=True):
        if isinstance(part, str | int) and not isinstance(part, bool) and "-----BEGIN" not in str(part):
            yield str(part)


#: facts of the roles whose names are near to an option
KEPT = (
    "preflight_sites",
    "callmanager_certificate_following",
    "callmanager_certificate_restarted",
    "sip_tls_trunk_profiles",
    "sip_tls_trunk_names",
    "sip_tls_verify_captured",
    "sip_tls_undo_removal",
    "sip_tls_undo_restore",
    "sip_tls_undo_record",
    "sip_tls_undo_backup_done",
)
CHECKS: tuple[Callable[[Inventory], Iterator[str]], ...] = (
    _undefined, _misspelled, _missing, _kinds, _revocation, _host, _lists, _patterns, _authority, _secrets,
)  # fmt: skip
