# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table of releases says of a version."""

from __future__ import annotations

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils import _releases
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("9.1.2.10000-28", "9.1(2)"), ("10.5.2.12900-14", "10.5(2)SU2"), ("10.5.2.21900-13", "10.5(2)SU9"),
        ("11.5.1.16900-16", "11.5(1)SU6"), ("12.0.1.23900-9", "12.0(1)SU3"), ("12.5.1.18901-1", "12.5(1)SU8a"),
        ("14.0.1.10000-20", "14"), ("14.0.1.14901-1", "14SU4"), ("15.0.1.12900-234", "15SU2"),
        ("15.0.1.13901-2", "15SU3a"), ("15.0.1.14901-2", "15SU4a"), ("12.5.1.12018-1", None), ("15.0", None),
        ("15.0.1.99900-1", None), ("99.0.1.10000-1", None),
    ],
)  # fmt: skip
def test_a_version_is_named_as_cisco_names_it_or_not_at_all(version: str, name: str | None) -> None:
    assert _releases.name_of(version) == name


def test_the_rows_are_in_order_and_a_version_has_the_last_one_up_to_it() -> None:
    since = [release.since for release in _releases.RELEASES]
    assert since == sorted(since)
    assert _releases.release_of("10.5.2.10000-5").axl == "10.5" and _releases.release_of("99.0.1") is _releases.NEWEST
    with pytest.raises(Failure, match=r"8\.6\.2.*not supported"):
        _releases.release_of("8.6.2.20000-2")


@pytest.mark.parametrize(
    ("row", "newest", "newer", "known"),
    [
        (
            _releases.Release("15.0", (15, 0), {14900: "SU4", 14901: "SU4a"}),
            "15SU4a",
            "15.0.1.15900-1",
            "15.0.1.14901-2",
        ),
        # A release without a service update yet, and a service update with a row of its own.
        (_releases.Release("77.0", (77, 0)), "77", "77.0.1.11900-1", "77.0.1.10000-1"),
        (_releases.Release("15.0", (15, 0, 1, 15900), {15900: "SU5"}), "15SU5", "15.0.1.16900-1", "15.0.1.15901-1"),
    ],
)
def test_a_release_that_the_table_does_not_have_yet_is_noticed(
    monkeypatch: pytest.MonkeyPatch, row: _releases.Release, newest: str, newer: str, known: str
) -> None:
    monkeypatch.setattr(_releases, "NEWEST", row)
    assert _releases.newest() == newest
    assert _releases.newer_than_known(newer) and _releases.newer_than_known("99.0.1.10000-1")
    assert not any(_releases.newer_than_known(version) for version in (known, "15.0", "9.1"))


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("9.1.2.10000-28", ""),
        ("8.6.2", ""),
        ("10.5.2.10000-5", "ctl_by_cli"),
        ("11.5.1.10000-6", "ctl_by_cli ecdsa"),
        ("12.0.1", "ctl_by_cli ecdsa itl_recovery"),
        ("12.5.1.18901-1", "ctl_by_cli ecdsa itl_recovery asks_ocsp expressways"),
        ("14.0", "ctl_by_cli ecdsa itl_recovery asks_ocsp expressways rest haproxy"),
        ("16.0.1", "ctl_by_cli ecdsa itl_recovery asks_ocsp expressways rest haproxy"),
        (None, "ctl_by_cli ecdsa itl_recovery asks_ocsp expressways rest haproxy"),
        ("new", "ctl_by_cli ecdsa itl_recovery asks_ocsp expressways rest haproxy"),
    ],
)
def test_what_a_release_has(version: str | None, has: str) -> None:
    row = _releases.features(version)
    names = ("ctl_by_cli", "ecdsa", "itl_recovery", "asks_ocsp", "expressways", "rest", "haproxy")
    assert [name for name in names if getattr(row, name)] == has.split()
