# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names in a certificate, as a SIP trunk security profile takes them. Pure; private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def common_name(certificate: Mapping[str, Any]) -> str:
    """The CN of a certificate's subject, or nothing."""
    found = re.search(r"(?:^|[,/+])\s*CN\s*=\s*((?:\\.|[^,/+\\])+)", str(certificate.get("subject") or ""))
    return re.sub(r"\\(.)", r"\1", found[1]).strip() if found else ""


def certificate_names(certificate: Mapping[str, Any]) -> list[str]:
    """CN and DNS names, without the parent domain, which is no name of the node and may be shared by clusters."""
    first = common_name(certificate)
    sans = [re.sub(r"^(?:DNS|IP):", "", str(san)) for san in certificate.get("sans") or ()]
    domains = {name.split(".", 1)[1].lower() for name in [first, *sans] if "." in name}
    names = [name for name in (first, *sans) if name and (name == first or name.lower() not in domains)]
    return list(dict.fromkeys(names))
