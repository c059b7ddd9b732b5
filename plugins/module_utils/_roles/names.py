# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the certificates in the roles' facts. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def common_name(certificate: Mapping[str, Any]) -> str:
    """The CN of a certificate as a module returned it, or nothing."""
    return str(certificate.get("common_name") or "")


def certificate_names(certificate: Mapping[str, Any]) -> list[str]:
    """The names that peers write into their security profiles; none where the certificate was not shown."""
    return [str(name) for name in certificate.get("profile_names") or ()]
