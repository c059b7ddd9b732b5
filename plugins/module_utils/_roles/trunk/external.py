# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that are not managed here (cucm_external_peers): reading and checking them. Private to siptls.cucm.

Pure but for the files that ca_chain may name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.trust import source_data
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import entries, option_problems, routes
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import rules
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates

#: key of a peer -> other spellings that are understood
KEYS: dict[str, tuple[str, ...]] = {
    "name": (), "address": ("addresses", "host"), "port": (),
    "subject_names": ("subject_name", "x509_subject_names", "x509_subject_name"),
    "ca_chain": ("ca", "chain", "ca_path", "ca_file", "ca_certificate"), "numbers": ("patterns",),
    "srtp": ("srtp_allowed",), "security_mode": (), "sip_profile": (),
    "normalization_script": (), "calling_search_space": (), "incoming_port": (), "trunk": (), "legacy_crypto": (),
}  # fmt: skip
MODES = ("Encrypted", "Authenticated")
#: what the role itself decides of a trunk, so that a peer's `trunk` may not
_OURS = {
    "name", "new_name", "description", "security_profile", "sip_profile", "srtp_allowed", "destinations",
    "normalization_script", "calling_search_space",
}  # fmt: skip
_MOST_ADDRESSES = 16
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}\Z")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_SEPARATORS = re.compile(r"[\s,;:]")
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_peers(
    given: Any, *, hosts: Iterable[str] = (), folders: Iterable[str] = ()
) -> tuple[list[dict[str, Any]], list[str]]:
    """The peers in one form, and a sentence for all that is wrong with them.

    A peer is {name, addresses, port, incoming_port, names, chain (PEM, issuers first), patterns, legacy_crypto, and
    what it sets otherwise than the role: security_mode, trunk}. One that is wrong is left out.
    """
    if given in (None, ""):
        return [], []
    if isinstance(given, Mapping) or not isinstance(given, Sequence) or isinstance(given, str):
        return [], ["cucm_external_peers is not a list. Give a list of peers, each with name, address, subject_names, "
                    "ca_chain and numbers."]  # fmt: skip
    peers: list[dict[str, Any]] = []
    problems: list[str] = []
    clusters = {str(host).lower(): str(host) for host in hosts}
    taken: set[str] = set()
    for number, entry in enumerate(given, 1):
        peer, wrong = _one(entry, number, [Path(folder) for folder in folders if folder])
        name = str(peer.get("name") or "")
        if name.lower() in clusters:
            wrong.append(
                f"External peer {name}: {clusters[name.lower()]} is a cluster of the inventory, and their trunks would "
                "have one name. Give the peer another name, or leave it out when it is this cluster."
            )
        elif name and name.lower() in taken:
            wrong.append(f"External peer {name}: another external peer has this name. Give each its own.")
        taken.add(name.lower())
        problems += wrong
        if not wrong:
            peers.append(peer)
    return peers, problems + _clashes(peers)


def _one(given: Any, number: int, folders: list[Path]) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(given, Mapping):
        return {}, [f"External peer number {number} is not a mapping. Give name, address, subject_names and ca_chain."]
    spelt = {other: key for key, others in KEYS.items() for other in (key, *others)}
    named = {spelt[key]: value for key, value in given.items() if key in spelt}
    name = str(named.get("name") or "").strip()
    who = f"External peer {name}" if name else f"External peer number {number}"
    wrong = [
        f"{who}: {key} is not a key of an external peer. Its keys are {', '.join(KEYS)}."
        for key in given
        if key not in spelt
    ]
    if not _NAME.match(name):
        wrong.append(f"{who}: name {name!r} can't be part of a trunk's name." if name else f"{who}: it has no name.")
        wrong[-1] += " Use 1 to 40 letters, digits, full stops, hyphens and underscores."
    chain, problems = _chain(named.get("ca_chain"), folders)
    wrong += [f"{who}: {text}" for text in problems]
    wrong += [
        f"{who}: {text}" for text in (*_addresses(named), *_subject_names(named), *_settings(named), *_numbers(named))
    ]
    peer = {
        "name": name,
        "addresses": _listed(named.get("address")),
        "port": _number(named.get("port", 5061)),
        "incoming_port": _number(named.get("incoming_port")),
        "names": _listed(named.get("subject_names")),
        "chain": chain,
        "patterns": [route["pattern"] for route in routes(named.get("numbers"))],
        "routes": routes(named.get("numbers")),
        "legacy_crypto": bool(_truth(named.get("legacy_crypto", False))),
        "security_mode": named.get("security_mode"),
        "trunk": {
            **(named["trunk"] if isinstance(named.get("trunk"), Mapping) else {}),
            **{key: named[key] for key in ("sip_profile", "normalization_script", "calling_search_space") if
               named.get(key) is not None},
            **({} if named.get("srtp") is None else {"srtp_allowed": _truth(named["srtp"])}),
        },
    }  # fmt: skip
    return peer, wrong


def _numbers(named: Mapping[str, Any]) -> Iterator[str]:
    for entry in entries(named.get("numbers")):
        pattern = entry.get("pattern") if isinstance(entry, Mapping) else entry
        yield from (f"numbers holds {pattern!r}: {text}" for text in option_problems(entry))


def _addresses(named: Mapping[str, Any]) -> Iterator[str]:
    addresses = _listed(named.get("address"))
    if not addresses:
        yield "it has no address. Give the name or address of its SIP port, or a list of them."
    if len(addresses) > _MOST_ADDRESSES:
        yield f"it has {len(addresses)} addresses, and a SIP trunk takes {_MOST_ADDRESSES} destinations."
    for address in addresses:
        if not _HOST.match(address) and not is_address(address):
            yield f"address {address!r} is not a host name or an IP address. A port goes into `port`."
    for key in ("port", "incoming_port"):
        if named.get(key) is not None and not 0 < (_number(named[key]) or 0) < 65536:
            yield f"{key} {named[key]!r} is not a TCP port. Use 1 to 65535."


def _subject_names(named: Mapping[str, Any]) -> Iterator[str]:
    names = _listed(named.get("subject_names"))
    if not names:
        yield (
            "it has no subject_names. Give the common name, or the alternative names, of the certificate that it "
            "presents; without them the cluster accepts no call from it."
        )
    for name in names:
        if _SEPARATORS.search(name):
            yield f"subject_names holds {name!r}: spaces, commas, semicolons and colons separate names. Give a list."


def _settings(named: Mapping[str, Any]) -> Iterator[str]:
    mode = named.get("security_mode")
    if mode is not None and mode not in MODES:
        yield f"security_mode {mode!r} is not one of {', '.join(MODES)}."
    for key in ("srtp", "legacy_crypto"):
        if named.get(key) is not None and _truth(named[key]) is None:
            yield f"{key} {named[key]!r} is neither true nor false."
    trunk = named.get("trunk")
    if trunk is None:
        return
    if not isinstance(trunk, Mapping):
        yield "trunk is not a mapping. Give options of cucm_sip_trunk, such as normalization_script_parameters."
        return
    for key in trunk:
        if key in _OURS:
            yield f"trunk may not hold {key}: it follows from the peer's own keys."
        elif key not in SIP_TRUNK.options:
            yield f"trunk holds {key}, which is not an option of cucm_sip_trunk."


def _chain(given: Any, folders: list[Path]) -> tuple[list[str], list[str]]:
    """The PEMs of ca_chain, and what is wrong with it; never a word of a key that was given by mistake."""
    sources = _listed(given)
    if not sources:
        return [], ["it has no ca_chain. Give the CA certificates of its own certificate, as PEM or as a file."]
    found: dict[Certificate, None] = {}
    wrong: list[str] = []
    for source in sources:
        what = "ca_chain" if len(source) >= 256 or "\n" in source else f"ca_chain ({source})"
        try:
            data = source_data(source, folders)
            if "PRIVATE KEY-----" in (data if isinstance(data, str) else data.decode("ascii", "replace")):
                wrong.append(f"{what} contains a private key. Give only certificates, and keep the key where it was.")
                continue
            found |= dict.fromkeys(read_certificates(data, what))
        except Failure as failure:
            wrong.append(failure.msg)
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or "it is neither PEM nor the path of a file"
            wrong.append(f"{what} cannot be read: {said}. A relative path starts at the inventory or the playbook.")
    wrong += _chain_problems(list(found))
    return [certificate.pem for certificate in found], wrong


def _chain_problems(chain: Sequence[Certificate]) -> Iterator[str]:
    """What CUCM would refuse of a chain, and what would leave it incomplete."""
    for certificate in chain:
        # A peer whose certificate is self-signed is its own CA.
        problems = (
            rules.date_problems(certificate) if certificate.self_signed else rules.authority_problems(certificate)
        )
        yield from (f"{certificate.subject.text} of ca_chain: {text}." for text in problems)
        above = climb(certificate, chain)
        if not above.complete and above.top is certificate:
            yield (
                f"ca_chain is not complete: {certificate.subject.text} was issued by {certificate.issuer.text}, and no "
                "certificate given has signed it. Add the certificates up to the self-signed root."
            )


def _clashes(peers: Sequence[Mapping[str, Any]]) -> list[str]:
    """What two peers of one cluster may not share: subject names on a port, numbers, common names of CAs."""
    found: list[str] = []
    names: dict[tuple[str, Any], str] = {}
    numbers: dict[str, str] = {}
    for peer in peers:
        for name in peer["names"]:
            other = names.setdefault((name.lower(), peer["incoming_port"]), peer["name"])
            if other != peer["name"]:
                found.append(
                    f"External peers {other} and {peer['name']} both have the subject name {name}; a cluster can't "
                    "tell them apart by it on one port. Give one of them another incoming_port, or make them one peer."
                )
        for number in peer["patterns"]:
            other = numbers.setdefault(number, peer["name"])
            if other != peer["name"]:
                found.append(
                    f"External peers {other} and {peer['name']} both claim the number {number}; it can be routed to "
                    "one of them only."
                )
    return found


def _listed(value: Any) -> list[str]:
    """A text or a list of them as a list, each once; nothing else."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return list(dict.fromkeys(text for item in values if item is not None and (text := str(item).strip())))


def _number(value: Any) -> int | None:
    return int(value) if re.fullmatch(r"\d{1,6}", str(value)) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
