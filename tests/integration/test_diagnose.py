# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""diagnose.yml on clusters in which one thing is broken: the cause is named, and nothing is changed."""

from __future__ import annotations

import pytest

from tests.integration.test_breakings import BREAKINGS, LOOK, settle
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(900)]
CAUSES = {
    "untrusted CA": "cucm10 does not trust the CA of cucma.",
    "name mismatch": "The profile of cucma does not accept the name in the certificate of cucm10.",
    "another certificate is active": "A certificate is uploaded, but Cisco CallManager still presents the one",
    "the trunk points elsewhere": "The trunk of cucma does not point to the SIP TLS port of cucm10.",
    "a trunk that only looks like TLS": "The trunk of cucma has no security profile that uses TLS with encryption.",
}


@pytest.mark.parametrize(
    "name", ["untrusted CA", *(pytest.param(n, marks=pytest.mark.matrix) for n in list(CAUSES)[1:])]
)
def test_the_cause_is_named(set_up: SetUp, name: str) -> None:
    site, case = set_up.site, BREAKINGS[name]
    case.breaks(site)
    try:
        run = site.play("diagnose", extra=LOOK)
    finally:
        case.mends(site)
        settle(site)
    assert "Traceback" not in run.output
    assert run.code == 0, run.output[-6000:]
    assert CAUSES[name] in run.output, run.output[-3000:]


@pytest.mark.matrix
def test_trunks_that_work_have_no_cause(set_up: SetUp) -> None:
    run = set_up.site.play("diagnose")
    assert run.code == 0, run.output[-6000:]
    assert run.output.count("The trunk works.") >= 2
    assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
