# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name constraints of CAs, judged as OpenSSL judges them (v3_ncons.c); private to siptls.cucm.

Where OpenSSL departs from RFC 5280, so does this: what counts is whether CUCM follows the chain.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import SEQUENCE, Element
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import AltName, Name, general_name

EMAIL_ADDRESS = "1.2.840.113549.1.9.1"
#: names times constraints; OpenSSL refuses a chain with more, because each is compared with each
MOST_COMPARISONS = 1 << 20
#: kinds of names that OpenSSL can compare; a constraint on another kind makes it refuse every name of that kind
_COMPARED = ("DNS", "IP", "URI", "email", "dirName")
_DIRECTORY_NAME = 0xA4
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class DirectoryName(AltName):
    """An alternative name or constraint of the kind dirName, with its structure."""

    name: Name = field(default=Name(()), compare=False)


class Unjudged(ValueError):
    """OpenSSL refuses to compare a name with a constraint, and so the chain; the text ends a sentence."""


def structured_name(element: Element) -> AltName:
    """From a GeneralName; of a directory name the structure is kept, because it is compared part by part."""
    found = general_name(element)
    if element.tag != _DIRECTORY_NAME:
        return found
    return DirectoryName(found.kind, found.value, Name.read(element.children()[0], "a directory name"))


def subtrees(element: Element | None) -> tuple[AltName, ...]:
    """From GeneralSubtrees; none where there are none."""
    trees: Sequence[Element] = element.children() if element is not None else ()
    return tuple(structured_name(tree.expect(SEQUENCE, "a name constraint").children()[0]) for tree in trees)


def subject_names(subject: Name) -> Iterator[AltName]:
    """The names in a subject that are compared with constraints: all of it, and the addresses of e-mail in it."""
    if subject.rdns:
        yield DirectoryName("dirName", subject.text, subject)
    yield from (AltName("email", address) for address in subject.values(EMAIL_ADDRESS))


def host_names(subject: Name) -> Iterator[AltName]:
    """The common names that can be host names. The constraints on DNS hold for them where no DNS name is given."""
    for common_name in subject.common_names:
        if _is_host(common_name.rstrip("\0")):
            yield AltName("DNS", common_name.rstrip("\0"))


def _is_host(text: str) -> bool:
    """What OpenSSL takes for a host name in a common name (cn2dnsid): two labels or more, underscores allowed."""
    labels = text.split(".")
    return len(labels) > 1 and all(_LABEL.fullmatch(label) and "-" not in (label[0], label[-1]) for label in labels)


def problems(permitted: Sequence[AltName], excluded: Sequence[AltName], names: Sequence[AltName]) -> Iterator[str]:
    """Which of the names the constraints do not allow; each is the rest of a sentence that begins with them."""
    count = len(permitted) + len(excluded)
    if len(names) * count > MOST_COMPARISONS:
        yield (
            f"are {count}, and {len(names)} names are to be compared with them, which is more than OpenSSL does. Have "
            "the certificate issued with fewer names"
        )
        return
    for name in names:
        try:
            allowed = _allowed(name, permitted, excluded)
        except Unjudged as reason:
            yield f"cannot be compared with the name {name.text}, and OpenSSL refuses it: {reason}"
            continue
        if not allowed:
            yield f"do not allow the name {name.text}"


def _allowed(name: AltName, permitted: Iterable[AltName], excluded: Iterable[AltName]) -> bool:
    """Whether a name lies in a permitted subtree, where its kind has any, and in no excluded one."""
    inside = [_within(name, subtree) for subtree in permitted if _same_kind(name, subtree)]
    if inside and not any(inside):
        return False
    return not any(_within(name, subtree) for subtree in excluded if _same_kind(name, subtree))


def _same_kind(name: AltName, base: AltName) -> bool:
    # Constraints on an otherName hold for those of its type.
    return name.kind == base.kind and (name.kind != "otherName" or name.value == base.value)


def _within(name: AltName, base: AltName) -> bool:
    """Whether a name lies in the subtree of a constraint of its kind."""
    match name.kind:
        case "DNS":
            return _dns_within(_plain(name), _plain(base))
        case "IP":
            return _ip_within(name.value, base.value)
        case "URI":
            return _host_within(_uri_host(name), _plain(base))
        case "email":
            return _email_within(name.value, base.value)
        case "dirName":
            return _dn_within(name, base)
    raise Unjudged(f"constraints on names of the kind {name.kind} are not supported")


def _plain(name: AltName) -> str:
    return name.key.partition(":")[2]


def _dns_within(value: str, root: str) -> bool:
    if not root or value == root:
        return True
    # With a leading point the domain itself is outside.
    return value.endswith(root if root.startswith(".") else "." + root)


def _host_within(host: str, root: str) -> bool:
    """The host of a URI or of an e-mail address: it alone, or with a leading point what is below it."""
    return host == root if not root.startswith(".") else host.endswith(root) and host != root


def _uri_host(name: AltName) -> str:
    _scheme, colon, rest = _plain(name).partition(":")
    # OpenSSL ends the host at the first colon of all, and only without one at the first slash.
    host = rest[2:].partition(":")[0] if ":" in rest[2:] else rest[2:].partition("/")[0]
    if not colon or not rest.startswith("//") or not host:
        raise Unjudged("it is not a URI with a host behind //")
    return host


def _email_within(address: str, base: str) -> bool:
    local, at, host = address.rpartition("@")
    if not at:
        raise Unjudged("it is not an e-mail address")
    base_local, base_at, base_host = base.rpartition("@")
    if not base_at and base.startswith("."):
        whole = _plain(AltName("email", address))
        return whole.endswith(_plain(AltName("email", base))) and len(address) > len(base)
    # Before the @ capital letters differ from small ones.
    if base_local and local != base_local:
        return False
    return _plain(AltName("email", host)) == _plain(AltName("email", base_host))


def _dn_within(name: AltName, base: AltName) -> bool:
    whole = name.name.key if isinstance(name, DirectoryName) else ()
    root = base.name.key if isinstance(base, DirectoryName) else ()
    return whole[: len(root)] == root


def _ip_within(address: str, network: str) -> bool:
    """By the bits that the mask sets, which OpenSSL does not require to be the first ones."""
    start, _slash, mask = network.partition("/")
    try:
        host, base, bits = (ipaddress.ip_address(text) for text in (address, start, mask))
    except ValueError:
        raise Unjudged("an address or a range has the wrong length") from None
    return host.version == base.version and int(host) & int(bits) == int(base) & int(bits)
