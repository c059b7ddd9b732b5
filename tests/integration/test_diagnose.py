# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""diagnose.yml on clusters in which one thing is broken, or two: the causes are named, and nothing is changed."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from cucm_lab import testing as lab_testing
from cucm_lab.faults import INTERFACES

from tests.integration.test_breakings import LOOK
from tests.support.breakings import BREAKINGS, NEEDS, UNRESET, Mend, Pair, settle, wrong_name
from tests.support.operator_site import Site
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(900)]
#: what is broken -> the cause for calls from a to b
CAUSES = {
    # First, because it restarts Cisco CallManager, which others stop.
    "the peer's certificate was regenerated": "self_signed",
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
    "untrusted CA of the peer": "ca_missing",
    "name mismatch at the peer": "name_at_peer",
    "the peer's trunk points elsewhere": "destination_at_peer",
    "the peer's trunk only looks like TLS": "profile_at_peer",
    "SRTP off at the peer": "media",
    "the trunk points to another port": "destination",
    "the trunk points to an unknown name": "destination",
    "Authenticated is not Encrypted": "profile",
    "a certificate with another name is active": "other_certificate",
    "the peer's clock is behind": "not_yet_valid",
    "the peer's clock is ahead": "expired",
    "connections are reset": "no_handshake",
    "the handshake is refused": "no_handshake",
    "the handshake stalls": "no_handshake",
    "the handshake ends with an alert": "no_handshake",
    "OPTIONS are lost": "no_answer",
    "OPTIONS are answered late": "no_answer",
    "OPTIONS end the connection": "closed",
    "OPTIONS reset the connection": "closed",
    "OPTIONS are answered with rubbish": "closed",
    "OPTIONS are answered in part": "closed",
    "OPTIONS are refused": "peer_refuses",
    "OPTIONS time out behind the peer": "peer_times_out",
    "calls are refused": "call_refused",
    "the peer's phones are in a partition that its trunk does not search": "not_routed",
    "the pattern is in a partition that no phone searches": "not_routed",
    "Cisco CallManager is not activated": "not_activated",
    "the peer's minimum TLS version is too high": "version",
    "the peer's ciphers are too strong": "cipher",
}
#: those that leave the trunk up, so that what comes after a handshake can be seen beside them
LEAVE_UP = {"SRTP off", "SRTP off at the peer", "calls not routed", "no mutual authentication",
            *(name for name in CAUSES if "partition" in name)}  # fmt: skip
#: what is seen only after a handshake that succeeded: anything else hides it
AFTER_HANDSHAKE = {name for name in CAUSES if name.startswith(("OPTIONS", "calls are"))}
#: ways of one place, of which the lab follows the first, or the second replaces the first; and what hides them
_LISTENS = ("Cisco CallManager is stopped", "Cisco CallManager is not activated",
            "the peer's trunk only looks like TLS", "connections are reset")  # fmt: skip
_HANDSHAKES = {name for name in CAUSES if "handshake" in name or name.endswith("is active")}
PLACES = (
    _HANDSHAKES | {"no mutual authentication", *_LISTENS, *NEEDS},
    {name for name in CAUSES if "clock" in name or name == "certificates expired"},
    {name for name in CAUSES if name.startswith("the trunk points")},
    {"a trunk that only looks like TLS", "Authenticated is not Encrypted", *NEEDS},
    {name for name, cause in CAUSES.items() if cause == "not_routed"},
    {name for name in CAUSES if name.startswith("OPTIONS")},
    # A call that is not routed does not come as far as to be refused.
    {"calls not routed", "calls are refused"},
    # A CA cannot sign for a node whose clock shows a day before the CA's first: the run itself says so for that node.
    {"the peer's clock is behind", "the peer's certificate was regenerated"},
    # Without a certificate of a CA nothing shows that the CA is missing.
    {"untrusted CA of the peer", "the peer's certificate was regenerated"},
)
TWO = [names for names in itertools.combinations(CAUSES, 2) if not any(set(names) <= place for place in PLACES)]


def expected(names: Sequence[str]) -> set[str]:
    """The causes that have to be named when these things are broken."""
    hidden = AFTER_HANDSHAKE if any(name not in AFTER_HANDSHAKE | LEAVE_UP for name in names) else set()
    return {CAUSES[name] for name in names if name not in hidden}


#: the releases of each pair of clusters of one lab
ENDS = (("9.1", "10.5"), ("10.5", "14"), ("11.5", "12.5"), ("14", "15SU2"), ("15SU2", "15SU4"), ("12.5", "15SU1"),
        ("9.1", "14"), ("14", "14"))  # fmt: skip
FORKS = ("--forks", "8")


#: number of a pair of clusters -> what is broken there
Batch = dict[int, Sequence[str]]
Causes = dict[tuple[str, str], list[str]]


def batches(broken: Iterable[Sequence[str]]) -> list[Batch]:
    """Each of these on the first pair of clusters that is free and has the releases that it needs."""
    made: list[Batch] = []
    for names in broken:
        allowed = [number for number, ends in enumerate(ENDS) if all(ends in NEEDS.get(name, ENDS) for name in names)]
        places = ((batch, number) for batch in made for number in allowed if number not in batch)
        batch, number = next(places, ({}, allowed[0]))
        if not batch:
            made.append(batch)
        batch[number] = names
    return made


#: those that need certain releases come first, because they have fewer places
SINGLES = batches(sorted(([name] for name in CAUSES), key=lambda names: names[0] not in NEEDS))


def by_causes(names: Sequence[str]) -> tuple[str, ...]:
    """The two causes of what is broken, in alphabetical order."""
    return tuple(sorted(CAUSES[name] for name in names))


_GROUPS = [list(group) for _causes, group in itertools.groupby(sorted(TWO, key=by_causes), by_causes)]
#: of all that have the same two causes, one: another one each time, so that every breaking is among them
ONCE = [group[number % len(group)] for number, group in enumerate(_GROUPS)]
PARTS = {
    "once": batches(sorted(ONCE, key=lambda names: not set(names) & set(NEEDS))),
    "rest": batches(sorted(set(TWO) - set(ONCE), key=lambda names: (not set(names) & set(NEEDS), names))),
}
BATCHES = {f"{part}{number}": batch for part, made in PARTS.items() for number, batch in enumerate(made)}


def diagnosed(
    site: Site, broken: Mapping[Pair, Sequence[Callable[[Pair], Mend]]], *options: str, **variables: Any
) -> Causes:
    """The causes of each direction, first the one that the doctor names, while these things of each pair are broken."""
    folder = site.folder / "diagnosis"
    mends: dict[Pair, list[Mend]] = {pair: [] for pair in broken}

    def breaks(pair: Pair) -> None:
        for breaking in broken[pair]:
            mends[pair].append(breaking(pair))

    def heals(pair: Pair) -> None:
        for mend in reversed(mends[pair]):
            mend()

    with ThreadPoolExecutor() as pool:
        try:
            list(pool.map(breaks, broken))
            run = site.play("diagnose", *options, extra=LOOK | {"diagnose_path": str(folder)} | variables)
        finally:
            list(pool.map(heals, broken))
            settle(broken)
    assert "Traceback" not in run.output
    assert run.code == 0, run.output[-6000:]
    found = json.loads((folder / "diagnosis.json").read_text())["diagnoses"]
    for diagnosis in found:
        if diagnosis["cause"]:
            assert diagnosis["explanation"] in run.output and diagnosis["evidence"] and diagnosis["next_step"], (
                diagnosis
            )
    return {
        (diagnosis["from"], diagnosis["to"]): [diagnosis["cause"], *(other["cause"] for other in diagnosis["others"])]
        for diagnosis in found
    }


def test_the_cause_is_named(set_up: SetUp) -> None:
    pair = Pair(set_up.site)
    found = diagnosed(set_up.site, {pair: [BREAKINGS["untrusted CA"]]})
    assert found[pair.a, pair.b][0] == CAUSES["untrusted CA"], found


def test_each_way_in_which_the_lab_breaks_a_trunk_is_tried() -> None:
    """Every action of the lab's faults at its SIP ports, and every way of breaking a trunk, has its cause."""
    assert set(CAUSES) == set(BREAKINGS)
    partials = [breaking for breaking in BREAKINGS.values() if isinstance(breaking, functools.partial)]
    given = {breaking.keywords["action"] for breaking in partials if "action" in breaking.keywords}
    # `fail` of client-certificate does what `refuse` does; `clock` moves the clock, as the breakings do.
    assert INTERFACES["sip"] - given == {"fail", "clock"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Pair]]:
    """Clusters in pairs, each with a trunk to its partner alone, set up by the main playbook."""
    folder = tmp_path_factory.mktemp("many")
    releases = [release for ends in ENDS for release in ends]
    clusters = [lab_testing.cluster(number, release) for number, release in enumerate(releases, 1)]
    site = Site(folder, lab_testing.write_scenario(folder / "many.yml", clusters))
    names = [cluster["name"] for cluster in clusters]
    partners = dict(zip(names[::2], names[1::2], strict=True))
    with site.lab:
        variables = site.lab.state / "host_vars"
        variables.mkdir()
        for name, peer in (*partners.items(), *((b, a) for a, b in partners.items())):
            (variables / f"{name}.yml").write_text(yaml.safe_dump({"cucm_peers": [peer]}))
        run = site.play("sip_tls_trunk", *FORKS)
        assert run.code == 0, run.output[-6000:]
        yield [Pair(site, a, b) for a, b in partners.items()]


def found_in(many: list[Pair], batch: Batch) -> Causes:
    """The causes of each direction while a batch is broken."""
    broken = {many[number]: [BREAKINGS[name] for name in names] for number, names in batch.items()}
    return diagnosed(many[0].site, broken, *FORKS)


@pytest.mark.matrix
@pytest.mark.xdist_group("many")
@pytest.mark.parametrize("batch", SINGLES, ids=range(len(SINGLES)))
def test_each_cause_is_named_first(many: list[Pair], batch: Batch) -> None:
    found = found_in(many, batch)
    wrong = {names[0]: found[many[number].a, many[number].b] for number, names in batch.items()
             if found[many[number].a, many[number].b][0] != CAUSES[names[0]]}  # fmt: skip
    assert not wrong, json.dumps(wrong, indent=1)


@pytest.mark.matrix
@pytest.mark.xdist_group("many")
@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_of_two_causes_both_are_named(many: list[Pair], batch: Batch) -> None:
    """Every two, each on a pair of clusters of its own; what is broken on one pair is not blamed on another.

    `-k once` runs each two causes once, which takes an hour; the rest takes three more.
    """
    found = found_in(many, batch)
    wrong = {
        " and ".join(names): found[many[number].a, many[number].b]
        for number, names in batch.items()
        if not expected(names) <= set(found[many[number].a, many[number].b])
    }
    assert not wrong, json.dumps(wrong, indent=1)
    idle = [pair for number, pair in enumerate(many) if number not in batch]
    assert all(found[pair.a, pair.b] == [None] for pair in idle), found


@pytest.mark.matrix
@pytest.mark.xdist_group("many")
def test_a_trunk_that_was_not_reset_is_named_first(many: list[Pair]) -> None:
    """Settings that were corrected, or spoiled, without a reset; one trunk is reset, and one is sound."""
    broken = {pair: [change] for pair, change in zip(many, [*UNRESET, wrong_name], strict=False)}
    found = diagnosed(many[0].site, broken, *FORKS, sip_tls_verify_reset="none")
    causes = [found[pair.a, pair.b][0] for pair in many]
    assert causes == ["not_reset"] * len(UNRESET) + ["name"] + [None] * (len(many) - len(broken)), found


@pytest.mark.matrix
def test_trunks_that_work_have_no_cause(set_up: SetUp) -> None:
    run = set_up.site.play("diagnose")
    assert run.code == 0, run.output[-6000:]
    assert run.output.count("The trunk works.") >= 2
    assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
