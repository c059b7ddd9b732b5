# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliberately wrong identities, for the fault `wrong_certificate`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from ..world import Node


def spoiled_identity(node: Node, like: x509.Certificate, how: str) -> tuple[str, str]:
    """(certificate PEM, key PEM) with the installed certificate's subject, self-signed by a throw-away key.

    `how`: `self-signed`; `expired`: no longer valid; `name`: another CN. The same one for the rest of the lab's day.
    """
    return _make(node.cluster.lab.clock.now().date(), like.subject, how)


@lru_cache(maxsize=64)
def _make(today: date, subject: x509.Name, how: str) -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    begin, end = (now - timedelta(days=730), now - timedelta(days=1)) if how == "expired" else (
        now - timedelta(days=1), now + timedelta(days=365))  # fmt: skip
    if how == "name":
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone-else.invalid")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(Encoding.PEM).decode(),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )
