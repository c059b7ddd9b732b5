# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the validators of AXL objects refuse, preflight reports by the same functions before the first write.

The facts are those of a running lab, read by the modules. Each sentence of the validators has a case here, or a reason
why no inventory can cause it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._axl import info as axl_info
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.cluster import check_cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.group import problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import look_up
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.peers import add_peers
from cucm_lab.testing import LabProcess
from test_composition import SETTINGS

from dev import failure_sentences
from tests.support.module_processes import run_module

ROOT = Path(__file__).resolve().parents[3]
VALIDATORS = ("plugins/module_utils/_axl/rules.py", "plugins/module_utils/_axl/validation.py")
LONG = "x" * 90
#: a profile that somebody made on the first cluster
OTHER = {"name": "Other", "securityMode": "Encrypted", "incomingTransport": "TLS", "outgoingTransport": "TLS",
         "incomingPort": 5061, "x509SubjectName": "sbc.example.com"}  # fmt: skip
#: sentences that nothing in an inventory can cause, with the reason
ELSEWHERE = {
    "nonce_policy_time of": "the role does not set it",
    "security_mode <mode> with": "the role sets mode and transports together",
    "cannot become <security_mode>": "the role makes secure profiles alone",
    "would have <count> destinations": "peers with more than 16 addresses are refused by name before",
    "contains @ and needs a dial_plan": "a number with @ and no dial plan is refused with its pattern before",
    "has port 0": "ports of peers are checked before",
    "is an IPv6 address. Give it as address_ipv6": "the role does so",
    "Purge needs a prefix": "the role does not purge",
    "<both> of <name> exclude each other": "the role sets one target of a pattern",
    "anonymous excludes number and name": "SIP profiles from 12.5 on, whose headers the role does not set",
    "has <entries> entries": "peers with more than 16 addresses are refused by name before",
    "requires at least one entry": "peers without an address are refused by name before",
    "order <place> is given": "the role gives no order",
    "order <place> is below": "the role gives no order",
    "entry <number> names no": "the role names what it makes",
}


@dataclass(frozen=True)
class Case:
    """What an inventory says, and the sentence that preflight reports."""

    says: str
    settings: dict[str, Any] = field(default_factory=dict)
    trunk: dict[str, Any] = field(default_factory=dict)
    peer: dict[str, Any] = field(default_factory=dict)


def trunk(says: str, **options: Any) -> Case:
    """Options of the trunk to an external peer."""
    return Case(says, trunk=options)


def number(says: str, *numbers: Any) -> Case:
    """Numbers of an external peer."""
    return Case(says, peer={"numbers": list(numbers)})


CASES = (
    Case("destination 2001:db8::7 of SIP trunk SIP-TLS-sbc is an IPv6 address alone", peer={"address": "2001:db8::7"}),
    Case("the destination _sips._tcp.b.com of .* is the name of an SRV", peer={"address": "_sips._tcp.b.com"}),
    Case("excludes the IP address 192.0.2.7", peer={"address": "192.0.2.7"}, trunk={"destination_is_srv": True}),
    number("numbers holds '9.@': a pattern with @ needs a dial plan", "9.@"),
    number("blocked_call_percentage of route pattern 8XX needs", {"pattern": "8XX", "blocked_call_percentage": "5"}),
    number("route pattern 8XX is named 2 times", "8XX", {"pattern": "8XX", "urgent_priority": True}),
    Case("SIP TLS sbc and Other cannot both have the X.509 subject name sbc.example.com"),
    Case("cannot share incoming_port 5060", peer={"incoming_port": 5060}),
    Case("A SIP trunk security profile needs a name", {"profile": " "}),
    Case("name 'to sbc!' is not a name that CUCM takes for a SIP trunk", {"name": "to {peer}!"}),
    Case("characters; CUCM release 9.1 takes at most", {"profile": LONG + "{peer}"}),
    Case("takes no spaces and no leading digit there", {"route_by": "route_list", "route_group": "1 {peer}"}),
    trunk("contains a control character", caller_name="a\x07b"),
    trunk("; CUCM knows ", dtmf_signaling_method="Morse"),
    trunk("significant_digits of .* is 50; CUCM takes 0 to 32 or 99", significant_digits=50),
    trunk("which is not a whole number", significant_digits="many"),
    trunk("add_destinations and destinations of .* exclude each other", add_destinations=[{"address": "192.0.2.8"}]),
    number("the digit discard instruction 'PreDto' .digit_discard_instructions of the number 8.X", {
        "pattern": "8.X", "digit_discard_instructions": "PreDto"}),
    number("the dial plan 'Nanp-old' .dial_plan of the number 9.@", {"pattern": "9.@", "dial_plan": "Nanp-old"}),
    number("the route filter 'Local' .route_filter of the number 9.@", {
        "pattern": "9.@", "dial_plan": "NANP", "route_filter": "Local"}),
    number("the partition 'Nowhere' .partition of the number 8XX", {"pattern": "8XX", "partition": "Nowhere"}),
    trunk("the media resource group list 'Gone' .media_resource_group_list of the external peer sbc",
          media_resource_group_list="Gone"),
    trunk("the common device configuration 'V6' .common_device_configuration of the external peer",
          common_device_configuration="V6"),
    Case("the SIP normalization script 'refer-passthru' .normalization_script of the external peer",
         peer={"normalization_script": "refer-passthru"}),
    number("isdn_nsf of route pattern 8XX also needs", {"pattern": "8XX", "isdn_nsf": {"cic": "1"}}),
)  # fmt: skip


@dataclass
class Bench:
    """A lab, and what the modules read of it."""

    lab: LabProcess
    hosts: dict[str, dict[str, Any]]
    certificates: dict[str, list[dict[str, Any]]]
    chain: str

    def info(self, name: str, **asked: Any) -> dict[str, Any]:
        """The result of cucm_info."""
        params = {option: rule.get("default") for option, rule in axl_info.SPEC.options.items()}
        host = self.hosts[name]
        params |= {key: host.get(f"cucm_{key}", params.get(key)) for key in params if f"cucm_{key}" in host} | asked
        result = axl_info.service(SimpleNamespace(params=params, check_mode=True, tmpdir="")).result
        return {**result, "nodes": [{"name": node, "address": at, "role": "Publisher"}
                                    for node, at in host["cucm_node_addresses"].items()]}  # fmt: skip

    def reported(self, case: Case) -> list[str]:
        """The problems of preflight, over both clusters."""
        peer = {"name": "sbc", "address": "sbc.example.com", "subject_names": ["sbc.example.com"], "numbers": [],
                "ca_chain": self.chain, **case.peer, "trunk": case.trunk}  # fmt: skip
        settings = {**SETTINGS, "sip_profile_copy_from": "Standard SIP Profile", **case.settings}
        found = []
        for name, other, external in (("cucma", "cucm10", [peer]), ("cucm10", "cucma", [])):
            given = settings if name == "cucma" else {**SETTINGS, "sip_profile_copy_from": "Standard SIP Profile"}
            asked = look_up([other], given, [], external)
            lists: dict[str, list[Any]] = {key: [] for key in ("sip_trunks", "route_patterns", *axl_info_names())}
            read = self.info(name, gather=["security_profiles", "sip_trunks"], look_up={**lists, **asked})
            facts = check_cluster(
                name, read, self.certificates[name], planned={"peers": [other], "settings": given}, asked=True
            )
            add_peers(facts, [other], external, hosts=list(self.hosts), folders=[])
            found.append(facts)
        return problems(found)


def axl_info_names() -> list[str]:
    """The options of look_up that are lists of names."""
    return list(axl_info.SPEC.options["look_up"]["options"])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("validator")
    shipped = ROOT / "lab" / "cucm_lab" / "scenarios" / "two-clusters.yml"
    scenario = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    scenario["clusters"][0]["config"] = {"SipTrunkSecurityProfile": [OTHER]}
    (folder / "scenario.yml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    with LabProcess(folder / "lab", str(folder / "scenario.yml")) as lab:
        hosts = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["cucm_clusters"]["hosts"]
        certificates = {}
        for name, host in hosts.items():
            given = {key.removeprefix("cucm_"): value for key, value in host.items() if key.startswith("cucm_")}
            given = {key: given[key] for key in ("host", "port", "ca_path", "os_username", "os_password", "ssh_port",
                                                 "ssh_known_hosts", "legacy_crypto") if key in given}  # fmt: skip
            read = run_module("cucm_certificate_info", purposes=["CallManager", "CallManager-trust"], **given)
            (node,) = host["cucm_node_addresses"]
            certificates[name] = [{**read, "item": {"name": node, "address": host["cucm_host"], "role": "Publisher"}}]
        before = lab.ask("dump")
        chain = (lab.inventory.parent / "https-ca.pem").read_text(encoding="utf-8")
        yield Bench(lab, hosts, certificates, chain)
        assert lab.ask("dump") == before, "preflight wrote something"


@pytest.fixture(scope="module")
def results(bench: Bench) -> dict[str, list[str]]:
    """What preflight reports of each case."""
    return {case.says: bench.reported(case) for case in CASES}


def test_without_a_mistake_there_is_no_problem_but_the_profile_of_somebody_else(bench: Bench) -> None:
    assert not [text for text in bench.reported(Case("")) if "and Other cannot both" not in text]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says[:40])
def test_preflight_reports_what_a_task_would_refuse(case: Case, results: dict[str, list[str]]) -> None:
    said = results[case.says]
    assert any(re.search(case.says, text) for text in said), said
    assert all(text.startswith(("cucma: ", "External peer")) and len(text) <= 600 for text in said), said


def test_every_sentence_of_the_validators_has_a_case_or_a_reason(results: dict[str, list[str]]) -> None:
    said = [text for texts in results.values() for text in texts]
    sentences = failure_sentences.of_files(ROOT, VALIDATORS)
    assert len(sentences) > 25
    missing = []
    for sentence in sentences:
        pattern = ".+".join(map(re.escape, failure_sentences.HOLE.split(sentence.text.rstrip("."))))
        reported = any(re.search(pattern, text, re.DOTALL | re.IGNORECASE) for text in said)
        if not reported and not any(part in sentence.text for part in ELSEWHERE):
            missing.append(sentence.text)
    assert not missing
    unused = [part for part in ELSEWHERE if not any(part in sentence.text for sentence in sentences)]
    assert not unused, "no validator says this any more"
