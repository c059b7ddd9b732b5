# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""diagnose.yml on clusters in which one thing is broken, or two: the causes are named, and nothing is changed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence

import pytest
import yaml
from cucm_lab import testing as lab_testing

from tests.integration.test_breakings import LOOK
from tests.support.breakings import BREAKINGS, Mend, Pair, settle
from tests.support.operator_site import Site
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(900)]
#: what is broken -> the cause for calls from a to b
CAUSES = {
    "untrusted CA": "ca_missing_at_peer",
    "name mismatch": "name",
    "another certificate is active": "not_active",
    "an expired certificate is active": "not_active",
    "certificates expired": "expired",
    "no mutual authentication": "no_client_authentication",
    "the trunk points elsewhere": "destination",
    "a trunk that only looks like TLS": "profile",
    "SRTP off": "media",
    "calls not routed": "not_routed",
    "Cisco CallManager is stopped": "not_listening",
}
#: rules for the same handshake, of which the lab follows the first; and what only a handshake would show
HANDSHAKE = ("another certificate is active", "an expired certificate is active", "no mutual authentication")
SAME = ({*HANDSHAKE[:2]}, *({one, "Cisco CallManager is stopped"} for one in HANDSHAKE))
TWO = [names for names in itertools.combinations(CAUSES, 2) if set(names) not in SAME]
#: the releases of each pair of clusters of one lab
ENDS = (("9.1", "10.5"), ("10.5", "14"), ("11.5", "12.5"), ("14", "15SU2"), ("15SU2", "15SU4"), ("12.5", "15SU1"),
        ("9.1", "14"), ("14", "14"))  # fmt: skip
BATCHES = [TWO[at : at + len(ENDS)] for at in range(0, len(TWO), len(ENDS))]
FORKS = ("--forks", "8")


Causes = dict[tuple[str, str], list[str]]


def diagnosed(site: Site, broken: Mapping[Pair, Sequence[str]], *options: str) -> Causes:
    """The causes of each direction, first the one that the doctor names, while these things of each pair are broken."""
    folder = site.folder / "diagnosis"
    mends: list[Mend] = []
    try:
        for pair, names in broken.items():
            mends += [BREAKINGS[name](pair) for name in names]
        run = site.play("diagnose", *options, extra=LOOK | {"diagnose_path": str(folder)})
    finally:
        for mend in reversed(mends):
            mend()
        settle(broken)
    assert "Traceback" not in run.output
    assert run.code == 0, run.output[-6000:]
    found = json.loads((folder / "diagnosis.json").read_text())["diagnoses"]
    for one in found:
        if one["cause"]:
            assert one["explanation"] in run.output and one["evidence"] and one["next_step"], one
    return {(one["from"], one["to"]): [one["cause"], *(other["cause"] for other in one["others"])] for one in found}


@pytest.mark.parametrize(
    "name", ["untrusted CA", *(pytest.param(n, marks=pytest.mark.matrix) for n in list(CAUSES)[1:])]
)
def test_the_cause_is_named(set_up: SetUp, name: str) -> None:
    pair = Pair(set_up.site)
    found = diagnosed(set_up.site, {pair: [name]})
    assert found[pair.a, pair.b][0] == CAUSES[name], found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Pair]]:
    """Clusters in pairs, each with a trunk to its partner alone, set up by the main playbook."""
    folder = tmp_path_factory.mktemp("many")
    releases = [release for ends in ENDS for release in ends]
    clusters = [lab_testing.cluster(number, release) for number, release in enumerate(releases, 1)]
    site = Site(folder, lab_testing.write_scenario(folder / "many.yml", clusters))
    names = [one["name"] for one in clusters]
    partners = dict(zip(names[::2], names[1::2], strict=True))
    with site.lab:
        variables = site.lab.state / "host_vars"
        variables.mkdir()
        for name, peer in (*partners.items(), *((b, a) for a, b in partners.items())):
            (variables / f"{name}.yml").write_text(yaml.safe_dump({"cucm_peers": [peer]}))
        run = site.play("sip_tls_trunk", *FORKS)
        assert run.code == 0, run.output[-6000:]
        yield [Pair(site, a, b) for a, b in partners.items()]


@pytest.mark.matrix
@pytest.mark.xdist_group("many")
@pytest.mark.parametrize("batch", range(len(BATCHES)))
def test_of_two_causes_both_are_named(many: list[Pair], batch: int) -> None:
    """Every two, each on a pair of clusters of its own; what is broken on one pair is not blamed on another."""
    broken = dict(zip(many, BATCHES[batch], strict=False))
    found = diagnosed(many[0].site, broken, *FORKS)
    wrong = {
        " and ".join(names): found[pair.a, pair.b]
        for pair, names in broken.items()
        if not {CAUSES[name] for name in names} <= set(found[pair.a, pair.b])
    }
    assert not wrong, json.dumps(wrong, indent=1)
    idle = [pair for pair in many if pair not in broken]
    assert all(found[pair.a, pair.b] == [None] for pair in idle), found


@pytest.mark.matrix
def test_trunks_that_work_have_no_cause(set_up: SetUp) -> None:
    run = set_up.site.play("diagnose")
    assert run.code == 0, run.output[-6000:]
    assert run.output.count("The trunk works.") >= 2
    assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
