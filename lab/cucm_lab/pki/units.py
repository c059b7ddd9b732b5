# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The purposes ("units") of certificates on a node, and the trust stores that go with them.

Source: the security guide's table of units; units of elliptic curves from 11, ITLRecovery from 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..release import Release


@dataclass(frozen=True)
class Unit:
    """A purpose of an identity certificate."""

    name: str
    #: the trust store that its certificates are checked against, without "-trust"
    trust: str
    elliptic: bool = False
    #: a CSR can be made for it
    signable: bool = True
    #: only on releases with ITLRecovery
    itl_recovery: bool = False


UNITS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("tomcat", "tomcat"),
        Unit("tomcat-ECDSA", "tomcat", elliptic=True),
        Unit("ipsec", "ipsec"),
        Unit("ITLRecovery", "CallManager", signable=False, itl_recovery=True),
        Unit("CallManager-ECDSA", "CallManager", elliptic=True),
        Unit("CallManager", "CallManager"),
        Unit("CAPF", "CAPF"),
        Unit("TVS", "TVS"),
    )
}

#: trust store (without "-trust") -> a change goes to every node of the cluster
STORES: dict[str, bool] = {
    "tomcat": True,
    "ipsec": False,
    "CallManager": True,
    "CAPF": False,
    "TVS": False,
    "Userlicensing": False,
    "Phone-SAST": True,
    "Phone-CTL": False,
    "Phone-VPN": False,
    "Phone-edge": False,
}

#: a certificate put into the first store is put into the second as well
COPIES = {"CAPF": "CallManager"}


def units(release: Release) -> list[Unit]:
    """The identity units that this release has, in the order in which it lists them."""
    return [
        unit
        for unit in UNITS.values()
        if (not unit.elliptic or release.has_ecdsa) and (not unit.itl_recovery or release.has_itl_recovery)
    ]


def find_unit(release: Release, name: str) -> Unit | None:
    """A unit by name in any case, also written `CallManager/CallManager.pem`; None when the release has none."""
    wanted = name.split("/", maxsplit=1)[0].lower()
    return next((unit for unit in units(release) if unit.name.lower() == wanted), None)


def find_store(name: str) -> str | None:
    """A trust store's name without `-trust`, from `CallManager`, `callmanager-trust` or `CallManager-trust/x.pem`."""
    wanted = name.split("/", maxsplit=1)[0].lower().removesuffix("-trust")
    return next((store for store in STORES if store.lower() == wanted), None)
