# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request that CUCM would make, as far as the installed certificate tells, for check mode.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._node.store import Wish
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import san_key
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import purpose_of


def stand_in_csr(wish: Wish, installed: Certificate | None) -> str:
    """A PEM request of a key that is thrown away, with the subject and names of the installed certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key: Any
    if (wish.key_type or "rsa") == "ec" or purpose_of(wish.purpose).key == EC:
        key = ec.generate_private_key(
            {521: ec.SECP521R1(), 256: ec.SECP256R1()}.get(wish.key_length or 0, ec.SECP384R1())
        )
    else:
        key = rsa.generate_private_key(65537, wish.key_length or 2048)
    attributes = list(x509.load_der_x509_certificate(installed.der).subject) if installed else []
    if wish.include_ou is False:
        attributes = [one for one in attributes if one.oid != NameOID.ORGANIZATIONAL_UNIT_NAME]
    name, more = _names(wish, installed)
    attributes = [one for one in attributes if one.oid != NameOID.COMMON_NAME]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    names = sorted(
        {
            *(installed.san_keys if installed else ()),
            *(san_key(name) for name in more),
            *(san_key(name) for name in wish.sans or ()),
            *([san_key(wish.parent_domain)] if wish.parent_domain else ()),
        }
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False
    ).add_extension(
        x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=True, data_encipherment=True,
            key_agreement=True, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        ),
        False,
    )  # fmt: skip
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _names(wish: Wish, installed: Certificate | None) -> tuple[str, list[str]]:
    """The common name and, of a multi-server request, the names of all nodes, as CUCM would put them in."""
    own = installed.common_name if installed else ""
    if wish.distribution != "multi_server":
        return wish.common_name or own or wish.purpose, []
    known = [own, *(name.partition(":")[2] for name in sorted(installed.san_keys if installed else ()))]
    domain = next((name.partition(".")[2] for name in known if "." in name), "")
    host = re.sub(r"-ms$", "", own.split(".")[0], flags=re.IGNORECASE) or wish.purpose
    ending = f".{domain}" if domain else ""
    names = [one.lower() if "." in one else f"{one.lower()}{ending}" for one in wish.covers or ()]
    return wish.common_name or f"{host}-ms{ending}", names


def _general(name: str) -> Any:
    from cryptography import x509

    kind, _colon, value = name.partition(":")
    return x509.IPAddress(ipaddress.ip_address(value)) if kind == "IP" else x509.DNSName(value)
