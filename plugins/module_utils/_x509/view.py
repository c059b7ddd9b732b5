# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as plain dictionaries, for code that has PEM; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb, climb_to_root
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_certificates


def certificate_view(source: str | bytes, *, now: datetime | None = None) -> dict[str, Any]:
    """What a certificate says, in the shape that every module of the collection returns (Certificate.view)."""
    return read_certificate(source).view(now)


def split_chain(data: str | bytes) -> list[str]:
    """Every certificate of a chain in any form, each as PEM, in the order given."""
    return [certificate.pem for certificate in read_certificates(data)]


def order_chain(
    leaf: str | bytes,
    pool: str | bytes | Iterable[str | bytes],
    *,
    complete: bool = True,
) -> list[str]:
    """The chain of a certificate as PEM, leaf first; Failure without a root, unless complete is false."""
    texts = [pool] if isinstance(pool, str | bytes) else list(pool)
    candidates = [certificate for text in texts if text.strip() for certificate in read_certificates(text)]
    start = read_certificate(leaf)
    chain = climb_to_root(start, candidates) if complete else climb(start, candidates)
    return [certificate.pem for certificate in chain.certificates]
