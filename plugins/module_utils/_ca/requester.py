# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names a node may have in its certificate: its own, and none of another cluster; private to siptls.cucm.

A peer accepts a SIP trunk by the names in the certificate. Whoever administers a cluster decides what its requests
contain, so that a CA that signs every name lets one cluster pass as another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import AltName, printable

#: what CUCM adds to a host name: -ms of a multi-server certificate, -EC of an ECDSA one, or both
_SUFFIX = re.compile(r"(-ec)?(-ms)?\Z")
_MULTI_SERVER = re.compile(r"-ms\Z")


@dataclass(frozen=True)
class Owner:
    """What belongs to a cluster or an external peer. hosts: host names without domain; names: FQDNs and addresses."""

    hosts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Owner:
        """From the option."""
        return cls(_lowered(given.get("hosts")), _lowered(given.get("names")))


@dataclass(frozen=True)
class Requester:
    """The node that asks. title: the cluster and the node, for sentences.

    own: the node's host names, FQDNs and addresses; cluster: those of all nodes of its cluster, which a multi-server
    certificate has; named: names that the operator's inventory gives to the cluster; others: owners by title.
    """

    title: str
    own: Owner
    cluster: Owner = Owner()
    named: frozenset[str] = frozenset()
    others: Mapping[str, Owner] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any] | None) -> Requester | None:
        """From the option; None without one."""
        if not given:
            return None
        own = Owner.read(given)
        return cls(
            str(given.get("title") or "this node"),
            own,
            Owner.read(given.get("cluster") or {}),
            _lowered(given.get("named")),
            {str(title): Owner.read(other) for title, other in (given.get("others") or {}).items()},
        )

    def problems(self, holder: Request | Certificate, allowed: Iterable[str] = ()) -> Iterator[str]:
        """Names of a request or certificate that the node may not have; each the end of a sentence.

        allowed are patterns of the operator. One without wildcard allows a name whoever else has it.
        """
        patterns = [pattern.lower() for pattern in allowed]
        names = [*(AltName("DNS", common_name) for common_name in holder.subject.common_names), *holder.extensions.sans]
        values = list(dict.fromkeys(name.value.lower() for name in names if name.value))
        own = self._owner(values[0] if values else "")
        left: list[str] = []
        for value in values:
            if value in patterns:
                continue
            owner = self._other(value)
            if owner:
                yield _sentence(value, f"belongs to {owner}")
            elif not self._is_own(value, own) and not any(fnmatchcase(value, pattern) for pattern in patterns):
                left.append(value)
        yield from (
            _sentence(name, f"is not a name of {self.title}") for name in self._without_domain(left, values, own)
        )

    def _owner(self, common_name: str) -> Owner:
        """Whose names are allowed: the node's, or those of the whole cluster for a multi-server certificate."""
        shared = _MULTI_SERVER.search(common_name.partition(".")[0]) and _hosts(common_name) & self.cluster.hosts
        return self.cluster if shared else self.own

    def _is_own(self, value: str, own: Owner) -> bool:
        return value in own.names or value in self.named or bool(_hosts(value) & own.hosts)

    def _other(self, value: str) -> str | None:
        """Who else has a name; what others have takes precedence over what a cluster says about itself."""
        if value in self.named:
            return None
        for title, owner in self.others.items():
            if value in owner.names or self._by_host(value, owner):
                return title
        return None

    def _by_host(self, value: str, owner: Owner) -> bool:
        """Whether a name is that of another owner's host. Only known FQDNs distinguish two hosts of the same name."""
        hosts = _hosts(value) & owner.hosts
        if not hosts or not hosts <= self.own.hosts | self.cluster.hosts or "." not in value:
            return bool(hosts)
        return not any("." in name and _hosts(name) & hosts for name in owner.names)

    def _without_domain(self, left: list[str], values: list[str], own: Owner) -> list[str]:
        """The names left, without the parent domain, which CUCM puts into every request.

        It is the domain of an FQDN of the request. A request of an old release has no FQDN; there one name may be it.
        """
        domains = {name.partition(".")[2] for name in values if _hosts(name) & own.hosts} - {""}
        alone = not domains and len(left) == 1 and "." in left[0] and not is_address(left[0])
        if alone and not _hosts(left[0]) & self.cluster.hosts:
            domains = {left[0]}
        return [name for name in left if name not in domains]


def _sentence(name: str, said: str) -> str:
    return (
        f"the name {printable(name)} {said}. Find out who put it into the request, and make a new one on the node "
        f"without it. If it has to be there, list {printable(name)} in allowed_sans of this cluster's sip_tls_ca"
    )


def _lowered(given: Any) -> frozenset[str]:
    return frozenset(str(name).lower() for name in given or () if str(name))


def _hosts(name: str) -> frozenset[str]:
    """The host name in a name, as it is and without what CUCM adds to it; an address has none."""
    host = name.partition(".")[0]
    return frozenset() if is_address(name) else frozenset({host, _SUFFIX.sub("", host)})
