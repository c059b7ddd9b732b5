# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of CUCM in one table: what each is called, and what it has and can do.

A version is what CUCM reports: major.minor.maintenance.build-spin, 15.0.1.13901-2. Cisco's supported-versions tables
map builds to service updates: NN900 is the update, NN901 a respin of it. Engineering specials have other builds; they
can do at least what the last row up to their build can, and their service update is not known.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

Version = tuple[int, ...]


def _updates(last: int, **more: str) -> dict[int, str]:
    """Builds 11900, 12900 … of service updates 1, 2 … up to the last one, and those that break the rule."""
    return {**{10900 + 1000 * n: f"SU{n}" for n in range(1, last + 1)}, **{int(b[1:]): su for b, su in more.items()}}


@dataclass(frozen=True)
class Release:
    """A release, or a service update from which on a release has or can do something more."""

    axl: str  # the AXL version, which also names the release: 10.5, 14.0
    since: Version  # the first build
    updates: Mapping[int, str] = field(default_factory=dict)  # build: service update
    legacy_crypto: bool = False  # HTTPS, SSH and SIP speak TLS 1.0, SHA-1 and RSA 1024 alone
    node_roles: bool = False  # listProcessNode has processNodeRole
    originator_space: bool = False  # a translation pattern can keep the caller's search space (useOriginatorCss)
    ctl_by_cli: bool = False  # the CLI updates the CTL file; before, the CTL client does
    ecdsa: bool = False  # SIP TLS ports have a CallManager-ECDSA certificate beside that of CallManager
    itl_recovery: bool = False  # the ITLRecovery certificate signs the CTL and ITL files; before, that of CallManager
    asks_ocsp: bool = False  # as a TLS client for SIP it asks OCSP responders
    expressways: bool = False  # AXL lists Expressway-C servers (listExpresswayCConfiguration)
    rest: bool = False  # the certificate REST API
    haproxy: bool = False  # Cisco HAProxy serves the HTTPS ports

    def title(self, version: Version) -> str:
        """As Cisco writes it, without a service update: 10.5(2); from 14 on 14, 15."""
        major, minor, maintenance = (*version, 0, 0, 0)[:3]
        return str(major) if major >= 14 else f"{major}.{minor}({maintenance})"


#: what came with a release, and what later ones have too
_FROM_10 = {"node_roles": True, "ctl_by_cli": True, "originator_space": True}
_FROM_11 = {**_FROM_10, "ecdsa": True}
_FROM_12 = {**_FROM_11, "itl_recovery": True}
_FROM_12_5 = {**_FROM_12, "asks_ocsp": True, "expressways": True}
_FROM_14 = {**_FROM_12_5, "rest": True, "haproxy": True}

RELEASES = (
    Release("9.1", (9, 1), _updates(4), legacy_crypto=True),
    Release("10.0", (10, 0), _updates(2), legacy_crypto=True, **_FROM_10),
    Release("10.5", (10, 5), _updates(8, b21900="SU9", b22900="SU10"), legacy_crypto=True, **_FROM_10),
    Release("11.0", (11, 0), {}, **_FROM_11),
    Release("11.5", (11, 5), _updates(8, b21900="SU9", b22900="SU10", b23900="SU11"), **_FROM_11),
    Release("12.0", (12, 0), {21900: "SU1", 22900: "SU2", 23900: "SU3"}, **_FROM_12),
    Release("12.5", (12, 5), _updates(8, b18901="SU8a"), **_FROM_12_5),
    Release("14.0", (14, 0), _updates(6, b14901="SU4"), **_FROM_14),
    Release("15.0", (15, 0), _updates(4, b13901="SU3a", b14901="SU4a"), **_FROM_14),
)
OLDEST, NEWEST = RELEASES[0], RELEASES[-1]
#: the first release with the certificate REST API
FIRST_WITH_REST = next(release.axl for release in RELEASES if release.rest)
#: the build of a release without a service update
FIRST_BUILD = 10_000
#: the releases that need the option legacy_crypto, in words
LEGACY = f"up to {[release.axl for release in RELEASES if release.legacy_crypto][-1]}"


def numbers(version: str) -> Version:
    """A version as numbers that compare, without the spin: 10.5 comes after 9.1. ValueError for anything else."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    if match is None:
        raise ValueError(f"{version!r} is not a version of CUCM")
    return tuple(int(part) for part in match[0].split("."))


def release_of(version: str) -> Release:
    """The last row up to a version; the newest one for a release that is newer than the table.

    Failure for a release before the first row.
    """
    found = [release for release in RELEASES if release.since <= numbers(version)]
    if not found:
        known = f"{OLDEST.axl} to {NEWEST.title(NEWEST.since)}"
        raise Failure(f"CUCM release {version} is not supported: siptls.cucm knows releases {known}.")
    return found[-1]


def features(version: object) -> Release:
    """The row of a version for what a release can do; the newest one where the version is not known."""
    try:
        return release_of(str(version or ""))
    except ValueError:
        return NEWEST
    except Failure:
        return OLDEST


def name_of(version: str) -> str | None:
    """A version as Cisco names it: 15SU3a, 10.5(2)SU2, 14; None when its service update is not known."""
    release, parts = release_of(version), numbers(version)
    if len(parts) < 4 or parts[:2] != release.since[:2]:
        return None
    update = "" if parts[3] == FIRST_BUILD else release.updates.get(parts[3])
    return None if update is None else release.title(parts) + update


def newer_than_known(version: str) -> bool:
    """True for a release, or a service update of the newest one, that the table does not have yet."""
    known = (*NEWEST.since[:2], 1, max(NEWEST.updates, default=FIRST_BUILD) // 1000)
    parts = numbers(version)
    return (*parts[:3], *(build // 1000 for build in parts[3:4])) > known


def newest() -> str:
    """The newest service update of the table."""
    return NEWEST.title(NEWEST.since) + NEWEST.updates.get(max(NEWEST.updates, default=FIRST_BUILD), "")
