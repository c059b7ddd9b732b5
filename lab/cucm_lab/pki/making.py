# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's certificates and requests hold: subject, names, usages, by release, node and options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from . import material
from .units import Unit

if TYPE_CHECKING:
    from ..world import Lab, Node

_SELF_SIGNED_EKU = ("serverAuth", "clientAuth", "ipsecEndSystem")
_SELF_SIGNED_KU = ("digitalSignature", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign")


@dataclass(frozen=True)
class CsrOptions:
    """What a request may choose where the interface allows it; None: the release's default."""

    key_length: int | None = None
    hash: str | None = None
    alt_names: Sequence[str] | None = None
    common_name: str | None = None
    include_ou: bool | None = None
    multi_server: bool = False


class Maker:
    """Makes the certificates and requests of one node."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._db = node.cluster.db
        self._release = node.cluster.release

    def set_web_security(self, subject: dict[str, str], alternative: Sequence[str]) -> None:
        """Use another subject and more SANs for everything made from now on."""
        value = json.dumps({"subject": subject, "alternative": list(alternative)})
        self._db.set_setting(f"pki/web-security/{self._node.name}", value)

    def self_signed(self, unit: Unit, key: material.PrivateKey) -> x509.Certificate:
        """A self-signed certificate as this release makes it."""
        defaults = self._release.csr
        names: list[str] = []
        if unit.trust == "tomcat":
            names = [self._node.name, self._node.fqdn, *self._web_security().get("alternative", [])]
            if self._lab.inferred["https.tomcat_san_address"]:
                names.append(self._node.address)
        elif defaults.sans != "none":
            names = [self._node.fqdn]
        digest = "sha384" if unit.elliptic else self._release.self_signed[1]
        return material.self_signed(
            self._subject(unit, self._system_name(unit, key), True, False), key, digest, self._node.clock.now(),
            names=list(dict.fromkeys(names)), eku=_SELF_SIGNED_EKU, usages=_SELF_SIGNED_KU,
            days=int(self._lab.inferred["pki.shipped_days"]),
            ca=False if self._release.self_signed_not_ca and unit.name != "CAPF" else None,
        )  # fmt: skip

    def request(
        self, unit: Unit, options: CsrOptions, key: material.PrivateKey, digest: str
    ) -> x509.CertificateSigningRequest:
        """A request as this release makes it, with the choices of `options`."""
        defaults = self._release.csr
        include_ou = defaults.include_ou if options.include_ou is None else options.include_ou
        subject = self._subject(unit, options.common_name, include_ou, options.multi_server)
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        eku = x509.ExtendedKeyUsage([material.EKUS[name] for name in defaults.eku])
        builder = builder.add_extension(eku, False).add_extension(material.key_usage(defaults.key_usage), False)
        names = self._csr_names(options)
        if names:
            builder = builder.add_extension(material.alternative_names(names), False)
        return material.sign_request(builder, key, digest)

    def _system_name(self, unit: Unit, key: material.PrivateKey) -> str | None:
        """The common name of a self-signed certificate that is not named after the node; None for all others.

        Seen in published `show ctl` and phone logs: `CAPF-` and eight hexadecimal digits (10.5 and later),
        `ITLRECOVERY_` and the node's name (12.5). What the digits come from is not known; here it is the key.
        """
        if unit.name == "CAPF":
            return f"CAPF-{material.spki_digest(key)[:8]}"
        return f"ITLRECOVERY_{self._host_name()}" if unit.itl_recovery else None

    def _host_name(self) -> str:
        """The node's name as its certificates have it: with its domain on releases that do so."""
        fqdn = self._release.number >= tuple(self._lab.inferred["pki.cn_is_fqdn_since"])
        return self._node.fqdn if fqdn else self._node.name

    def _subject(self, unit: Unit, common_name: str | None, include_ou: bool, multi_server: bool) -> x509.Name:
        attributes = {**self._node.cluster.subject, **self._web_security().get("subject", {})}
        if common_name is None:
            common_name = self._host_name()
            suffix = "-EC" if unit.elliptic else ""
            if multi_server:
                common_name = f"{self._node.cluster.publisher.name}{suffix}-ms.{self._node.domain}"
            elif unit.elliptic:
                host, dot, domain = common_name.partition(".")
                common_name = f"{host}{suffix}{dot}{domain}"
        return material.name_of(attributes, common_name, include_ou)

    def _csr_names(self, options: CsrOptions) -> list[str]:
        form = self._release.csr.sans
        names: list[str] = []
        if options.multi_server:
            names = [*(node.fqdn for node in self._node.cluster.nodes), self._node.domain]
        elif form == "parent_domain":
            names = [self._node.domain]
        elif form == "parent_domain+host":
            names = [self._node.fqdn, self._node.domain]
        names += list(options.alt_names or ()) + list(self._web_security().get("alternative", []))
        return list(dict.fromkeys(name for name in names if name))

    def _web_security(self) -> dict[str, Any]:
        stored = self._db.setting(f"pki/web-security/{self._node.name}")
        return dict(json.loads(stored)) if stored else {}
