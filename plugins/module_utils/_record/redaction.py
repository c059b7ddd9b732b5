# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records without the names, addresses and numbers of a site, which behave like the originals. Pure.

Everything is replaced consistently within all records of a run: hosts, domains, addresses, the parts of distinguished
names, serial numbers and digits. Digits are exchanged for digits, 0 and 1 for each other and 2 to 9 among themselves,
so that every pattern, N among them, still matches the numbers that it matched. Replacements follow the order in which
things appear, so a redacted record stays as it is when it is redacted again.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record.document import numbered
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address, leaves

#: AXL's elements that hold numbers and patterns
NUMBER_FIELDS = frozenset({
    "pattern", "calledPartyTransformationMask", "callingPartyTransformationMask", "prefixDigitsOut",
    "callingPartyPrefixDigits", "prefixDn", "callerIdDn", "unknownPrefix", "calledPartyUnknownPrefix", "startDn",
    "endDn", "nextDn", "e164Mask", "externalPresentationNumber", "cgpnIngressDN",
})  # fmt: skip
#: AXL's elements in which people write what they like
FREE_FIELDS = frozenset({"description", "callerName", "externalPresentationName"})
#: what marks the objects that this collection made; removal looks for it, so a twin needs it
OUR_MARK = "siptls.cucm"
#: parts of a distinguished name that identify nobody
_KEPT_ATTRIBUTES = frozenset({"C", "businessCategory"})
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])"
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^A-Za-z0-9]+")
#: pieces of a word that a name may have
_PIECES = 12
#: the part of an e-mail address that names a person
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?=[A-Za-z0-9])")
_SUFFIX = re.compile(r"(?:-EC)?(?:-ms)?\Z", re.IGNORECASE)
_SET = re.compile(r"\[(?P<no>\^?)(?P<members>[^\[\]]*)\]")
_V4, _V6 = ipaddress.ip_address("192.0.2.0"), ipaddress.ip_address("2001:db8::")


def redacted(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records of a run, redacted together: what is one thing in two of them is one thing afterwards."""
    redactor = _Redactor()
    for record in records:
        redactor.learn(record)
    return [redactor.record(record) for record in records]


def _host_and_suffix(label: str) -> tuple[str, str]:
    """A label without, and with only, what CUCM appends to host names in certificates."""
    found = _SUFFIX.search(label)
    at = found.start() if found and found.start() else len(label)
    return label[:at], label[at:]


@dataclass
class _Names:
    """Replacements by order of appearance."""

    form: Callable[[int], str]
    known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The replacement of a name; the same for the same name in any case."""
        return self.known.setdefault(name.lower(), self.form(len(self.known) + 1))


def _address_form(first: Any) -> Callable[[int], str]:
    return lambda number: str(first + number)


@dataclass
class _Redactor:
    hosts: _Names = field(default_factory=lambda: _Names(lambda number: f"host{number:03}"))
    domains: _Names = field(default_factory=lambda: _Names(lambda number: f"domain{number:03}.example"))
    clusters: _Names = field(default_factory=lambda: _Names(lambda number: f"cluster{number:03}"))
    v4: _Names = field(default_factory=lambda: _Names(_address_form(_V4)))
    v6: _Names = field(default_factory=lambda: _Names(_address_form(_V6)))
    attributes: dict[str, _Names] = field(default_factory=dict)
    digits: dict[str, str] = field(default_factory=dict)
    serials: _Names = field(default_factory=lambda: _Names(_serial_form))

    # -- what is to be replaced

    def learn(self, record: Mapping[str, Any]) -> None:
        """Take in the names and digits of a record in its order."""
        cluster = record["cluster"]
        for node in record["nodes"]:
            self._learn_host(str(node["name"]))
        self._learn_domain(str(cluster["parameters"].get("OrganizationTopLevelDomain") or ""))
        for certificate in record["certificates"].values():
            for name in _dns_names(certificate):
                self._learn_host(name)
        for text in leaves(record["objects"]):
            for name in _qualified(text) if isinstance(text, str) else ():
                self._learn_host(name)
        for name in (*_destinations(record), *(str(peer["address"]) for peer in record["peers"])):
            self._learn_host(name)
        if cluster["name"].lower() not in self.hosts.known:
            self.clusters.of(cluster["name"])
        for number in _numbers(record):
            self._learn_digits(number)

    def _learn_host(self, name: str) -> None:
        if is_address(name) or not _WORD.fullmatch(name):
            return
        label, _dot, domain = name.partition(".")
        host, _suffix = _host_and_suffix(label)
        if domain and domain.lower() in self.domains.known:
            self.hosts.of(host)
        elif name.lower() in self.domains.known:
            return
        elif domain and "." in domain:
            self.domains.of(domain)
            self.hosts.of(host)
        elif domain:
            self.domains.of(name)
        else:
            self.hosts.of(host)

    def _learn_domain(self, name: str) -> None:
        if name:
            self.domains.of(name)

    def _learn_digits(self, text: str) -> None:
        for digit in (sign for sign in text if sign in "0123456789"):
            pool = "01" if digit in "01" else "23456789"
            if digit not in self.digits:
                taken = set(self.digits.values())
                self.digits[digit] = next(free for free in pool if free not in taken)

    # -- replacing

    def record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record with everything replaced."""
        cluster = record["cluster"]
        certificates = {key: self._certificate(certificate) for key, certificate in record["certificates"].items()}
        changed = {
            **record,
            "redacted": True,
            "cluster": {
                **cluster,
                "name": self.text(cluster["name"]),
                "parameters": {name: self.text(value) for name, value in cluster["parameters"].items()},
                "local_patterns": [self.number(pattern) for pattern in cluster["local_patterns"]],
            },
            "nodes": [
                {**node, "name": self.text(node["name"]), "address": self.text(node["address"])}
                for node in record["nodes"]
            ],
            "certificates": certificates,
            "stores": {self.text(node): stores for node, stores in record["stores"].items()},
            "lines": [self._line(line) for line in record["lines"]],
            "objects": self._value("", record["objects"]),
            "trunks": [{**trunk, "name": self.text(trunk["name"]), "node": self.text(trunk["node"] or "")}
                       for trunk in record["trunks"]],
            "peers": [self._peer(peer) for peer in record["peers"]],
            "not_recorded": [self.text(sentence) for sentence in record["not_recorded"]],
        }  # fmt: skip
        return self._serials_replaced(numbered(changed))

    def text(self, text: str) -> str:
        """A text with the known names, all addresses, and whoever has an e-mail address replaced."""
        text = _MAIL.sub("someone@", text)
        return _WORD.sub(lambda found: self._word(found[0]), _ADDRESS.sub(lambda found: self._address(found[0]), text))

    def _address(self, text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        names = self.v4 if address.version == 4 else self.v6
        return text if text in names.known.values() else names.of(text)

    def _word(self, word: str) -> str:
        if is_address(word):
            return word
        whole = self.domains.known.get(word.lower())
        if whole:
            return whole
        label, _dot, domain = word.partition(".")
        if domain:
            host, place = self._label(label), self.domains.known.get(domain.lower())
            return f"{host}.{place}" if host and place else word
        return self._label(label) or self._inside(label)

    def _label(self, label: str) -> str:
        """The replacement of a host label or a cluster's name, with its -EC and -ms; empty for other words."""
        host, suffix = _host_and_suffix(label)
        new = self.hosts.known.get(host.lower()) or self.clusters.known.get(host.lower())
        if not new:
            return ""
        return (new.upper() if host.isupper() else new) + suffix

    def _inside(self, word: str) -> str:
        """Host names and clusters within a word, as in the names of objects: SIP-TLS-bern-pub, DP_BernHQ.

        They begin and end at a hyphen, at a change between letters and digits, or at a capital letter.
        """
        pieces, made, at = _PIECE.findall(word), "", 0
        while at < len(pieces):
            ends = range(min(len(pieces), at + _PIECES), at, -1)
            found = ((end, self._label("".join(pieces[at:end]))) for end in ends)
            end, new = next(((end, new) for end, new in found if new), (at + 1, pieces[at]))
            made, at = made + new, end
        return made

    def number(self, text: str) -> str:
        """A number or pattern with its digits exchanged; sets are written out, since a range would have moved."""
        return "".join(self._part(part) for part in re.split(r"(\[[^\[\]]*\])", text))

    def _part(self, part: str) -> str:
        found = _SET.fullmatch(part)
        if found is None:
            return "".join(self.digits.get(sign, sign) for sign in part)
        members = sorted(self.digits.get(sign, sign) for sign in _members(found["members"]))
        return f"[{found['no']}{''.join(members)}]"

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        changed = {key: self.text(value) if isinstance(value, str) else value for key, value in line.items()}
        if "numbers" in line:
            changed["numbers"] = [self.number(number) for number in line["numbers"]]
        return changed

    def _value(self, name: str, value: Any) -> Any:
        """A value of an AXL object by the name of its element."""
        if isinstance(value, Mapping):
            return {key: self._value(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._value(name, inner) for inner in value]
        if not isinstance(value, str):
            return value
        if name in NUMBER_FIELDS:
            return self.number(value)
        if name in FREE_FIELDS:
            return self.text(value) if OUR_MARK in value else ""
        return self.text(value)

    def _certificate(self, certificate: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **certificate,
            "subject": [self._attribute(part) for part in certificate["subject"]],
            "issuer": [self._attribute(part) for part in certificate["issuer"]],
            "sans": [self._alternative(name) for name in certificate["sans"]],
        }

    def _peer(self, peer: Mapping[str, Any]) -> dict[str, Any]:
        names = peer["acceptable_cas"]
        changed = None if names is None else [[self._attribute(part) for part in name] for name in names]
        return {**peer, "address": self.text(peer["address"]), "acceptable_cas": changed}

    def _alternative(self, name: str) -> str:
        kind, _colon, value = name.partition(":")
        return f"{kind}:{self.text(value)}"

    def _attribute(self, part: str) -> str:
        kind, _equals, value = part.partition("=")
        if kind in _KEPT_ATTRIBUTES:
            return part
        if kind == "CN" and re.fullmatch(r"[\w.-]+", value):
            changed = self.text(value)
            if changed != value or self._is_replacement(value):
                return f"CN={changed}"
        names = self.attributes.setdefault(kind, _Names(_attribute_form(kind)))
        return f"{kind}={names.of(value)}"

    def _serials_replaced(self, record: dict[str, Any]) -> dict[str, Any]:
        """Serial numbers lead to a certificate in public logs. A certificate in two records keeps one number."""
        changed = {
            number: {
                **certificate,
                "serial": self.serials.of("\n".join((*certificate["issuer"], certificate["serial"]))),
            }
            for number, certificate in record["certificates"].items()
        }
        return {**record, "certificates": changed}

    def _is_replacement(self, value: str) -> bool:
        """Whether a name is what a host has been replaced by before."""
        return bool(re.match(r"(?:ITLRECOVERY_)?host\d{3}", value, re.IGNORECASE))


def _serial_form(number: int) -> str:
    """In whole bytes, as certificates show it."""
    text = f"{number:X}"
    return text.rjust(len(text) + len(text) % 2, "0")


def _attribute_form(kind: str) -> Callable[[int], str]:
    return lambda number: f"{kind} {number:03}"


def _members(text: str) -> list[str]:
    """The members of a set, its ranges written out."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if (
            text[at + 1 : at + 2] == "-"
            and text[at].isascii()
            and text[at].isdigit()
            and text[at + 2 : at + 3].isdigit()
        ):
            found += [str(digit) for digit in range(int(text[at]), int(text[at + 2]) + 1)]
            at += 3
        else:
            found.append(text[at])
            at += 1
    return list(dict.fromkeys(found))


def _dns_names(certificate: Mapping[str, Any]) -> Iterable[str]:
    """The host names in a certificate: those in its alternative names, and a CN that has the form of one."""
    for name in certificate["sans"]:
        kind, _colon, value = name.partition(":")
        yield from [value] if kind == "DNS" else _qualified(value)
    for part in certificate["subject"]:
        kind, _equals, value = part.partition("=")
        if kind == "CN" and "." in value and _WORD.fullmatch(value):
            yield value


def _destinations(record: Mapping[str, Any]) -> Iterable[str]:
    """The host names to which trunks lead."""
    for trunk in record["objects"].get("SipTrunk", ()):
        rows = trunk.get("destinations")
        for row in rows if isinstance(rows, list) else ():
            if row.get("addressIpv4"):
                yield str(row["addressIpv4"])


def _numbers(record: Mapping[str, Any]) -> Iterable[str]:
    """Every number and pattern of a record, in its order."""
    yield from record["cluster"]["local_patterns"]
    for objects in record["objects"].values():
        yield from _number_values("", objects)
    for line in record["lines"]:
        yield from line.get("numbers", ())


def _qualified(text: str) -> Iterator[str]:
    """The names with a domain in a text; the local part of an e-mail address is none."""
    for found in _WORD.finditer(text):
        name = found[0]
        last = name.rpartition(".")[2]
        person = text[found.end() : found.end() + 1] == "@"
        if "." in name and last.isalpha() and len(last) > 1 and name.lower() != OUR_MARK and not person:
            yield name


def _number_values(name: str, value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _number_values(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _number_values(name, inner)
    elif isinstance(value, str) and name in NUMBER_FIELDS:
        yield value
