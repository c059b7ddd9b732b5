# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typical mistakes of a new user: each ends the main playbook before its first write, in a sentence.

The sentence names the cluster, the variable of the inventory and the remedy. One list names the mistakes of all
clusters, so that two runs, one for the inventory and one for what the clusters say, show them all: a cluster has one
mistake, or several in different variables.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import failure_sentences
from tests.support.operator_site import LIMIT, ROOT, Run, Site, recap_of

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("mistakes"), pytest.mark.timeout(900)]
GONE = object()
LONGEST = 600


@dataclass(frozen=True)
class Mistake:
    """One mistake: what differs from a good inventory, and the sentence that it has to end in."""

    name: str
    says: str
    #: variables of its cluster; GONE takes one away
    variables: dict[str, Any] = field(default_factory=dict)
    #: a number as no YAML dump writes it
    text: str = ""
    #: mistakes that one cluster makes together
    together: str = ""

    @property
    def host(self) -> str:
        """The inventory name of its cluster."""
        return HOSTS.get(self.name) or "c-" + re.sub(r"\W+", "-", self.together or self.name)

    @property
    def touched(self) -> set[str]:
        """The variables in which it lies; one sentence names all that a cluster lacks."""
        lacks = {"what is missing"} if GONE in self.variables.values() else set()
        return {"cucm_local_patterns"} if self.text else {*self.variables, *lacks}


def wrong(name: str, says: str, /, *, text: str = "", together: str = "", **variables: Any) -> Mistake:
    """A mistake in the variables of a cluster."""
    return Mistake(name, says, variables, text, together)


EXTERNAL = {
    "name": "sbc",
    "address": "192.0.2.7",
    "subject_names": ["sbc.example.com"],
    "ca_chain": "@CA@",
    "numbers": ["0.!"],
}


def external(title: str, says: str, /, **keys: Any) -> Mistake:
    """A mistake in an external peer."""
    peer = {
        key: value for key, value in {**EXTERNAL, "name": title.replace(" ", "-"), **keys}.items() if value is not GONE
    }
    return Mistake(title, says, {"cucm_external_peers": [peer]})


#: found in the inventory, before any cluster is contacted
INVENTORY = (
    wrong("bool that is not one", r"cucm_validate_certs is 'perhaps', .*Give true or false",
          cucm_validate_certs="perhaps"),
    wrong("hub that is perhaps one", r"cucm_transit is 'maybe', .*Give true or false", cucm_transit="maybe"),
    wrong("revocation that is not known", r"cucm_revocation: ocsp is 'on'\. Give one of disabled, certificate, conf",
          cucm_revocation={"ocsp": "on"}),
    wrong("revocation as text", r"cucm_revocation is not a mapping", cucm_revocation="disabled"),
    wrong("Common Criteria perhaps", r"cucm_revocation: common_criteria is 'perhaps'.*Give true or false",
          cucm_revocation={"common_criteria": "perhaps"}),
    wrong("misspelled key of revocation", r"cucm_revocation has the key oscp, which is not known",
          cucm_revocation={"oscp": "disabled"}),
    wrong("numbers as a number with a point", r"cucm_local_patterns is 9\.5\. Give a list of texts",
          cucm_local_patterns=9.5),
    wrong("number that is not one", r"cucm_timeout is 'soon', .*Give a whole number", cucm_timeout="soon"),
    wrong("port out of range", r"cucm_ssh_port is 99999, .*from 1 to 65535", cucm_ssh_port=99999),
    wrong("misspelled username", r"the variable cucm_usrname is not known\. Did you mean cucm_username\?",
          cucm_usrname="axladmin", cucm_username=GONE),
    wrong("misspelled password", r"the variable cucm_pasword is not known\. Did you mean cucm_password\?",
          cucm_pasword="x-and-more", cucm_password=GONE),
    wrong("misspelled role option", r"the variable sip_tls_trunk_devicepool .* sip_tls_trunk_device_pool\?",
          sip_tls_trunk_devicepool="Default"),
    wrong("no host", r"cucm_host is not set\. Set it in the inventory", cucm_host=GONE),
    wrong("no username", r"cucm_username is not set\. Set it in the inventory", cucm_username=GONE),
    wrong("no password", r"cucm_password is not set", cucm_password=GONE),
    wrong("empty password", r"cucm_password is empty\. Give a value", cucm_password=""),
    wrong("no platform account", r"cucm_os_username, cucm_os_password are not set",
          cucm_os_username=GONE, cucm_os_password=GONE),
    wrong("no account at all", r"cucm_username, cucm_password, cucm_os_username, cucm_os_password are not set",
          cucm_os_username=GONE, cucm_os_password=GONE, cucm_username=GONE, cucm_password=GONE),
    wrong("undefined vault variable", r"cucm_password refers to vault_axl, which is not defined\. .*vault",
          cucm_password="{{ vault_axl }}"),
    wrong("undefined vault variable for the platform", r"cucm_os_password refers to vault_os, which is not def",
          cucm_os_password="{{ vault_os }}"),
    wrong("broken template", r"cucm_timeout holds a template that can't be resolved\. Correct it",
          cucm_timeout="{{ 30 + }}"),
    wrong("host with port", r"cucm_host is '192\.0\.2\.1:8443', .*the port goes into cucm_port",
          cucm_host="192.0.2.1:8443"),
    wrong("host as URL", r"cucm_host is 'https://cucma.example.com/', .*Give the host alone, without https",
          cucm_host="https://cucma.example.com/"),
    wrong("blank in host", r"cucm_host is 'cucm a', which is not a host name", cucm_host="cucm a"),
    wrong("addresses as a list", r"cucm_node_addresses is not a mapping", cucm_node_addresses=["192.0.2.4"]),
    wrong("node address with port", r"cucm_node_addresses \(CUCMA\) is '192\.0\.2\.4:22'",
          cucm_node_addresses={"CUCMA": "192.0.2.4:22"}),
    wrong("unknown peer as text", r"cucm_peers names cucm11, .*Did you mean cucm10\?", cucm_peers="cucm11"),
    wrong("peers as a mapping", r"cucm_peers is a mapping\. Give a list", cucm_peers={"cucm10": True}),
    wrong("peer of itself", r"cucm_peers names the cluster itself", cucm_peers=["c-peer-of-itself", "cucm10"],
          together="peer of itself"),
    wrong("numbers as a mapping", r"cucm_local_patterns is a mapping", cucm_local_patterns={"1018": "x"}),
    wrong("number as yes", r"cucm_local_patterns holds True", cucm_local_patterns=[True]),
    wrong("number with a point", r"cucm_local_patterns holds 9\.1, which is not a pattern.*in quotes",
          cucm_local_patterns=[9.1]),
    wrong("octal number", r"holds the number 505, written 0771: .*Put it in quotes: \"0771\"",
          text="0771"),
    wrong("plus sign that YAML drops", r"the number 4930, written \+4930: .*quotes",
          text="+4930"),
    wrong("plus sign that is not escaped", r"cucm_local_patterns holds '\+4930': a plus sign is written \\\+",
          cucm_local_patterns=["+4930"]),
    wrong("blank in a number", r"cucm_local_patterns holds '98 98': a pattern has no blanks",
          cucm_local_patterns=["98 98"]),
    wrong("letters in a number", r"cucm_local_patterns holds '10z8': z can't be part",
          cucm_local_patterns=["10z8"]),
    wrong("two dots", r"cucm_local_patterns holds '9\.1\.X': a pattern has one dot",
          cucm_local_patterns=["9.1.X"]),
    wrong("bracket without end", r"cucm_local_patterns holds '10\[12': a bracket has no other end",
          cucm_local_patterns=["10[12"]),
    wrong("number that is no pattern", r"cucm_local_patterns holds '1\^2': it can't be read as a pattern",
          cucm_local_patterns=["1^2"]),
    wrong("number with @", r"cucm_local_patterns holds '9\.@': a pattern with @ needs a dial plan",
          cucm_local_patterns=["9.@"]),
    wrong("misspelled key of a number", r"partitionn is not an option of a route pattern\. Did you mean partition\?",
          cucm_local_patterns=[{"pattern": "5512", "partitionn": "Internal"}]),
    wrong("target of a number", r"gateway follows from the peer\. Take it out",
          cucm_local_patterns=[{"pattern": "5513", "gateway": "SIP-TLS-cucm10"}]),
    wrong("empty number", r"cucm_local_patterns holds '': a pattern can't be empty", cucm_local_patterns=[""]),
    wrong("CA as text", r"sip_tls_ca is not a mapping\. Give it as", sip_tls_ca="local"),
    wrong("unknown provider", r"sip_tls_ca: value of provider must be one of: .*local",
          sip_tls_ca={"provider": "loca"}),
    wrong("misspelled key of the CA", r"sip_tls_ca has the key pth, which is not known\. Did you mean path\?",
          sip_tls_ca={"pth": "ca"}),
    wrong("wrong type in the CA", r"sip_tls_ca: .*ca_days", sip_tls_ca={"path": "ca", "ca_days": "many"}),
    wrong("folder below a file", r"the CA's folder \S+/inventory.yml/ca .*can't be made: \S+ is a file",
          sip_tls_ca={"path": "@FILE@/ca"}),
    wrong("external peers as a mapping", r"cucm_external_peers is not a list",
          cucm_external_peers={"name": "sbc"}),
    external("without address", r"External peer without-address: it has no address", address=GONE),
    external("with a port", r"External peer with-a-port: address .*A port goes into `port`",
             address="192.0.2.7:5061"),
    external("without names", r"External peer without-names: it has no subject_names", subject_names=GONE),
    external("without CA", r"External peer without-CA: it has no ca_chain", ca_chain=GONE),
    external("with a file that is not there", r"External peer with-a-file-that-is-not-there: ca_chain .*cannot be read",
             ca_chain="no-such-file.pem"),
    external("with an unknown key", r"External peer with-an-unknown-key: adress", adress="192.0.2.8"),
    external("with a bad name", r"External peer a b: name 'a b' can't be part of a trunk's name", name="a b"),
    external("without a name", r"External peer number 1: it has no name", name=GONE),
    external("with 17 addresses", r"it has 17 addresses, and a SIP trunk takes 16 destinations",
             address=[f"192.0.2.{number}" for number in range(1, 18)]),
    external("with port 70000", r"port 70000 is not a TCP port", port=70000),
    external("with names in one text", r"subject_names holds 'a, b': spaces, commas", subject_names=["a, b"]),
    external("with mode TLS", r"security_mode 'TLS' is not one of Encrypted", security_mode="TLS"),
    external("with srtp perhaps", r"srtp 'perhaps' is neither true nor false", srtp="perhaps"),
    external("with trunk as text", r"trunk is not a mapping", trunk="fast"),
    external("with a trunk's name", r"trunk may not hold name: it follows", trunk={"name": "X"}),
    external("with an unknown option", r"trunk holds nosuch, which is not an option", trunk={"nosuch": 1}),
    external("with a key", r"ca_chain contains a private key",
             ca_chain="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    wrong("two peers of one name", r"External peer twice: another external peer has this name",
          cucm_external_peers=[{**EXTERNAL, "name": "twice"}, {**EXTERNAL, "name": "twice"}]),
    wrong("two peers of one subject name", r"External peers one and two both have the subject name sbc\.example\.com",
          cucm_external_peers=[{**EXTERNAL, "name": "one", "numbers": []}, {**EXTERNAL, "name": "two", "numbers": []}]),
    wrong("two peers of one number", r"External peers left and right both claim the number 0\.!",
          cucm_external_peers=[{**EXTERNAL, "name": "left"},
                               {**EXTERNAL, "name": "right", "subject_names": ["other.example.com"]}]),
    wrong("peer as text", r"External peer number 1 is not a mapping", cucm_external_peers=["sbc"]),
    external("of a cluster's name", r"External peer cucm10: cucm10 is a cluster", name="cucm10"),
    external("with a known number", r"cucm10 and the external peer with-a-known-number both claim the number",
             numbers=["9898"]),
    wrong("password in a name", r"the value of cucm_password is part of .*Ansible masks it",
          cucm_password="password-in", together="password in a name"),
)  # fmt: skip


def shared_hosts(mistakes: Iterable[Mistake]) -> dict[str, str]:
    """The cluster of each mistake that has none of its own: the first one with no other in the same variables."""
    hosts: dict[str, set[str]] = {}
    found: dict[str, str] = {}
    for mistake in (mistake for mistake in mistakes if not mistake.together):
        free = [host for host, touched in hosts.items() if not touched & mistake.touched]
        found[mistake.name] = host = free[0] if free else f"c-{len(hosts) + 1}"
        hosts.setdefault(host, set()).update(mistake.touched)
    return found


HOSTS = shared_hosts(INVENTORY)
#: found by what the clusters say, or by the options of the roles
CLUSTERS = (
    wrong("host that does not resolve", r"the host name cucma\.invalid does not resolve",
          cucm_host="cucma.invalid"),
    wrong("wrong password", r"refused.*Check cucm_username and cucm_password",
          cucm_password="not the password"),
    wrong("wrong platform password", r"refused.*Check cucm_os_username and cucm_os_password",
          cucm_os_password="not the password"),
    wrong("swapped accounts", r"refused.*cucm_username and cucm_password", cucm_username="osadmin",
          cucm_password="Os-Lab-91!platform-account", cucm_os_username="axladmin",
          cucm_os_password="Axl-Lab-91!reading-and-writing"),
    wrong("account that only reads", r"the application account may only read by AXL", cucm_username="axlread",
          cucm_password="Axl-Lab-91!reading-alone"),
    wrong("account without AXL", r"no AXL role.*Standard AXL API Access", cucm_username="noaxl",
          cucm_password="Axl-Lab-91!without-any-role"),
    wrong("old release without legacy_crypto", r"cucm_legacy_crypto: true", cucm_legacy_crypto=False),
    wrong("CA file that is not there", r"cucm_ca_path /no/such/file", cucm_ca_path="/no/such/file"),
    wrong("fingerprint that is not one", r"cucm_tls_fingerprint", cucm_tls_fingerprint="AB:CD"),
    wrong("unknown host key", r"cucm_ssh_known_hosts", cucm_ssh_known_hosts="/dev/null"),
    wrong("unknown node", r"cucm_node_addresses names CUCMZ, which is not a node.*Its nodes are CUCMA",
          cucm_node_addresses={"CUCMA": "@HOST@", "CUCMZ": "192.0.2.4"}),
    wrong("one-sided peers", r"cucm_peers of c-one-sided-peers names cucm10, but that of cucm10 does not name c-one",
          cucm_peers="cucm10"),
    wrong("number of both", r"cucm10 and c-number-of-both both claim the number 9898", cucm_local_patterns=["9898"]),
    wrong("overlapping numbers", r"the pattern 98XX of c-overlapping-numbers covers 9898 of cucm10 ",
          cucm_local_patterns=["98XX"]),
    wrong("issuer that is no certificate", r"certificate of the CA .*can't be read",
          callmanager_certificate_issuer="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    wrong("name of a trunk", r"sip_tls_trunk_name", sip_tls_trunk_name="to {peer}!"),
    wrong("port of TLS", r"sip_tls_trunk_port is 70000: a TCP port is a whole number",
          sip_tls_trunk_port=70000, together="options"),
    wrong("security mode", r"sip_tls_trunk_security_mode must be one of: Encrypted, Authenticated",
          sip_tls_trunk_security_mode="Very", together="options"),
    wrong("srtp", r"sip_tls_trunk_srtp_allowed", sip_tls_trunk_srtp_allowed="often", together="options"),
    wrong("restart", r"callmanager_certificate_restart", callmanager_certificate_restart="maybe", together="options"),
    wrong("days", r"callmanager_certificate_days", callmanager_certificate_days="many", together="options"),
    wrong("route by", r"sip_tls_trunk_route_by must be one of: trunk, route_list",
          sip_tls_trunk_route_by="list", together="options"),
    wrong("what unreachable means", r"preflight_unreachable must be one of: skip, stop",
          preflight_unreachable="go on", together="options"),
    wrong("no device pool", r"the device pool 'None such' \(sip_tls_trunk_device_pool\)",
          sip_tls_trunk_device_pool="None such", together="objects"),
    wrong("no location", r"the location 'None such' \(sip_tls_trunk_location\)",
          sip_tls_trunk_location="None such", together="objects"),
    wrong("no search space", r"the calling search space 'None' \(sip_tls_trunk_calling_search_space\)",
          sip_tls_trunk_calling_search_space="None", together="objects"),
    wrong("no partition", r"the partition 'None' \(sip_tls_trunk_partition\)",
          sip_tls_trunk_partition="None", together="objects"),
    wrong("no SIP profile", r"the SIP profile 'None such' \(sip_tls_trunk_sip_profile_copy_from\)",
          sip_tls_trunk_sip_profile_copy_from="None such", together="objects"),
    wrong("no profile to copy", r"the SIP trunk security profile 'None such' \(sip_tls_trunk_profile_copy_from\)",
          sip_tls_trunk_profile_copy_from="None such", together="objects"),
    wrong("no SIP profile to use", r"the SIP profile 'None such' \(sip_tls_trunk_sip_profile\).*nothing makes it",
          sip_tls_trunk_sip_profile="None such", sip_tls_trunk_sip_profile_copy_from=""),
    wrong("one name for two peers", r"sip_tls_trunk_name is 'Same' for every peer", sip_tls_trunk_name="Same",
          cucm_peers=["cucm10", "c-objects"]),
    wrong("trusted CA that is not there", r"callmanager_certificate_trusted_cas: gone\.pem cannot be read",
          sip_tls_trusted_cas=["gone.pem"]),
    wrong("no digit discard", r"the digit discard instruction 'PreDto' \(digit_discard_instructions of the number",
          together="an external peer", cucm_external_peers=[{**EXTERNAL, "numbers": [
              {"pattern": "8.X", "digit_discard_instructions": "PreDto"},
              {"pattern": "9.@", "dial_plan": "NANP", "route_filter": "Local"},
              {"pattern": "7.@", "dial_plan": "None such", "blocked_call_percentage": "5"},
              {"pattern": "6.X", "isdn_nsf": {"cic": "1"}}],
              "trunk": {"dtmf_signaling_method": "Morse", "significant_digits": 50, "caller_name": "a\x07",
                        "add_destinations": [{"address": "192.0.2.8"}]},
              "sip_profile": "Theirs", "normalization_script": "Theirs"}]),
    wrong("no dial plan", r"the dial plan 'None such' \(dial_plan of the number 7\.@", together="an external peer"),
    wrong("no route filter", r"the route filter 'Local' \(route_filter of the number 9\.@",
          together="an external peer"),
    wrong("no normalization script", r"the SIP normalization script 'Theirs' \(normalization_script of the external",
          together="an external peer"),
    wrong("no SIP profile of a peer", r"the SIP profile 'Theirs' \(sip_profile of the external peer",
          together="an external peer"),
    wrong("too many significant digits", r"significant_digits of .* is 50; CUCM takes 0 to 32 or 99",
          together="an external peer"),
    wrong("unknown value of a trunk", r"dtmf_signaling_method .* is 'Morse'; CUCM knows", together="an external peer"),
    wrong("no existing trunk", r"the SIP trunk TO-CUCM10 \(sip_tls_trunk_existing, for cucm10\) does not exist",
          sip_tls_trunk_existing={"cucm10": "TO-CUCM10"}, together="objects"),
)  # fmt: skip
EMPTY = "cucm_clusters:\n  hosts: {}\n"
MISNAMED = "cucm_cluster:\n  hosts: {cucma: {}}\n"
#: calls that can't be right: an inventory or none for the good one, options, and the sentence
CALLS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "empty group": (EMPTY, (), r"no host in the group cucm_clusters"),
    "misnamed group": (MISNAMED, (), r"no host in the group cucm_clusters; its groups are cucm_cluster\."),
    "tags": ("", ("--tags", "trunks"), r"can't be run by tags"),
    "skipped tags": ("", ("--skip-tags", "slow"), r"can't be run by tags"),
    "skipped first task": ("", ("--skip-tags", "always"), r"cannot be started at a later task"),
    "start in preflight": ("", ("--start-at-task", "Check the inventory"), r"cannot be started at a later task"),
    "start at the certificates": (
        "",
        ("--start-at-task", "Make a CSR on each node that needs one"),
        r"cannot be started at a later task",
    ),
    "start at the trunks": (
        "",
        ("--start-at-task", "Make a SIP trunk to each peer"),
        r"cannot be started at a later task",
    ),
}


@dataclass
class Ended(Run):
    """A run, and whether the databases of all clusters are the same after it."""

    is_unchanged: bool


class Bench:
    """Runs mistakes on one lab."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.before = site.lab.ask("dump")
        self.good = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))

    def run(self, name: str, mistakes: Iterable[Mistake], **environment: str) -> Ended:
        """The main playbook on an inventory with a host for each mistake, beside a good cluster."""
        path = self.site.folder / f"{name}.yml"
        path.write_text(self._inventory(mistakes), encoding="utf-8")
        return self.play(path, "--forks", "12", **environment)

    def play(self, path: Path, *options: str, **environment: str) -> Ended:
        """The main playbook on an inventory."""
        order = self.site.order("sip_tls_trunk", *options)
        order[order.index("-i") + 1] = str(path)
        order[order.index("-e") + 1] = "{}"
        done = subprocess.run(
            order, cwd=self.site.folder, env=self.site.environment() | environment, text=True, capture_output=True,
            timeout=LIMIT, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        return Ended(done.returncode, output, recap_of(output), self.site.lab.ask("dump") == self.before)

    def _inventory(self, mistakes: Iterable[Mistake]) -> str:
        good = self.good["cucm_clusters"]["hosts"]
        hosts: dict[str, Any] = {
            "cucm10": {**good["cucm10"], "cucm_peers": ["c-objects"], "sip_tls_ca": {"path": str(self.site.ca)}}
        }
        texts: dict[str, str] = {}
        for number, mistake in enumerate(mistakes):
            usual = {
                **good["cucma"], "cucm_peers": ["cucm10"], "cucm_local_patterns": [f"55{number:02}"],
                "sip_tls_ca": {"path": str(self.site.ca)},
            }  # fmt: skip
            host = hosts.setdefault(mistake.host, usual)
            host |= mistake.variables
            for name in [name for name, value in host.items() if value is GONE]:
                del host[name]
            if mistake.text:
                host["cucm_local_patterns"] = [f"55{number:02}"]
                texts[f"'55{number:02}'"] = mistake.text
        text = yaml.safe_dump({"cucm_clusters": {"hosts": hosts}}, sort_keys=False)
        for old, new in texts.items():
            text = text.replace(old, new)
        chain = self.site.lab.inventory.parent / "https-ca.pem"
        text = text.replace("@CA@", str(chain)).replace("@FILE@", str(self.site.lab.inventory))
        return text.replace("@HOST@", good["cucma"]["cucm_host"])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ended]]:
    """All runs."""
    site = Site(tmp_path_factory.mktemp("mistakes"))
    with site.lab:
        bench = Bench(site)
        # The plays name their strategy: that of ansible.cfg would let one cluster begin while another one is checked.
        found = {"inventory": bench.run("inventory", INVENTORY, ANSIBLE_STRATEGY="free")}
        contacts = [event for event in site.lab.events() if event["kind"] not in ("lab", "sip")]
        assert not contacts, "a cluster was contacted"
        found["clusters"] = bench.run("clusters", CLUSTERS)
        rejected = [event for event in site.lab.events() if event.get("result") == "refused"]
        tried = Counter(event["account"] for event in rejected if event["kind"] == "authentication")
        for name, (text, options, _says) in CALLS.items():
            path = site.folder / f"{name}.yml" if text else site.lab.inventory
            if text:
                path.write_text(text, encoding="utf-8")
            found[name] = bench.play(path, *options)
    # Of the platform account once by the CLI, and once by AXL, where it was given for the application account.
    assert tried == {"axladmin": 1, "osadmin": 2}, "a rejected password was tried again"
    yield found


#: options of the modules that the inventory calls otherwise
OPTIONS = re.compile(
    r"(?<![\w-])(os_username|os_password|ca_path|tls_fingerprint|legacy_crypto|ssh_port|ssh_known_hosts|ssh_host_key|"
    r"validate_certs|validate_host_key)(?![\w-])"
)


def flat(output: str) -> str:
    """A run's output on one line."""
    return re.sub(r"\s+", " ", output)


def problems(run: Run) -> list[str]:
    """The sentences of the list; each of them ends the run, for the list has no others."""
    return re.findall(r"^\d+\. (.+)$", run.output, re.MULTILINE)


def about(mistake: Mistake, run: Run) -> list[str]:
    """The sentences that name the mistake's cluster, or its external peer."""
    return [text for text in problems(run) if mistake.host in text or "xternal" in text]


def ended_before_its_first_write(run: Ended) -> bool:
    """Whether a run ended with the exit code of a failed task, and left all databases as they were."""
    return run.code == 2 and run.total("changed") == 0 and run.is_unchanged


@pytest.mark.parametrize("kind", ["inventory", "clusters"])
def test_all_mistakes_end_the_run_before_its_first_write(kind: str, results: dict[str, Ended]) -> None:
    run = results[kind]
    assert ended_before_its_first_write(run) and "Traceback" not in run.output, run.output[-4000:]
    assert "Make a CSR" not in run.output, "it went on to the certificates"
    assert problems(run) and all(len(text) <= LONGEST for text in problems(run))
    ours = [text for text in problems(run) if not text.startswith("External peer ")]
    assert not [text for text in ours if OPTIONS.search(text)], "an option of a module, not of the inventory"
    causes = Counter(re.sub(r", node \w+: ", ": ", text) for text in problems(run))
    assert not [text for text, count in causes.items() if count > 1], "a problem is listed twice"


@pytest.mark.parametrize("mistake", INVENTORY, ids=lambda mistake: mistake.name)
def test_a_mistake_in_the_inventory_is_a_sentence(mistake: Mistake, results: dict[str, Ended]) -> None:
    run = results["inventory"]
    said = about(mistake, run)
    assert any(re.search(mistake.says, text) for text in said), said or run.output[-6000:]
    assert ended_before_its_first_write(run)


@pytest.mark.parametrize("mistake", CLUSTERS, ids=lambda mistake: mistake.name)
def test_a_mistake_that_a_cluster_shows_is_a_sentence(mistake: Mistake, results: dict[str, Ended]) -> None:
    run = results["clusters"]
    said = about(mistake, run)
    assert any(re.search(mistake.says, text) for text in said), said or run.output[-6000:]
    assert ended_before_its_first_write(run)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_can_t_be_right_is_an_error(name: str, results: dict[str, Ended]) -> None:
    run = results[name]
    assert ended_before_its_first_write(run) and re.search(CALLS[name][2], flat(run.output)), run.output[-3000:]
    assert "Read release" not in run.output


#: a domain that holds the password of both accounts
CISCOLAB = """
name: password-in-names
accounts:
  application:
    - {username: axladmin, password: ciscolab, roles: [Standard AXL API Access, Standard CCM Admin Users,
       Standard CCM Server Monitoring, Standard RealtimeAndTraceCollection]}
  platform: [{username: osadmin, password: ciscolab, level: 4}]
clusters:
  - {name: east, release: "14", domain: ciscolab.local, subject: {C: IN}, phones: [{extension: "5001"}],
     nodes: [{name: EAST1, address: 127.0.81.1}]}
  - {name: west, release: "12.5", domain: ciscolab.local, subject: {C: IN}, phones: [{extension: "6001"}],
     nodes: [{name: WEST1, address: 127.0.82.1}]}
  - {name: north, release: "15", domain: lab.local, subject: {C: IN}, phones: [{extension: "7001"}],
     nodes: [{name: NORTH1, address: 127.0.83.1}]}
"""


def test_a_password_in_the_clusters_domain_never_reaches_cucm_as_a_mask(tmp_path: Path) -> None:
    (tmp_path / "scenario.yml").write_text(CISCOLAB, encoding="utf-8")
    site = Site(tmp_path, scenario=str(tmp_path / "scenario.yml"))
    with site.lab:
        before = site.lab.ask("dump")
        for _time in range(2):
            run = site.play("sip_tls_trunk")
            said = problems(run)
            assert run.code != 0 and any("a password is part of a name on the cluster" in text for text in said), said
        assert site.lab.ask("dump") == before
    assert "ciscolab" not in run.output


def test_a_limit_says_what_it_leaves_out_and_what_that_costs(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        run = site.play("sip_tls_trunk", "--limit", "cucma", "--check")
    assert run.code == 0, run.output[-3000:]
    said = flat(run.output)
    assert "--limit leaves out cucm10: this run neither makes nor checks" in said
    assert said.index("--limit leaves out cucm10") < said.index("Make a CSR")
    assert "It was left out by --limit: run for both." in said and "when it answers" not in said


@pytest.mark.matrix
def test_runs_with_nothing_to_do_end_in_a_list_and_a_plan(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        before, good = site.lab.ask("dump"), yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))
        alone = good["cucm_clusters"]["hosts"]["cucma"]
        silent = {name: {**host, "cucm_host": "127.0.250.1", "cucm_timeout": 3} for name, host in
                  good["cucm_clusters"]["hosts"].items()}  # fmt: skip
        for name, hosts, says in (("alone", {"cucma": alone}, "cucma is the only cluster in cucm_clusters"),
                                  ("silent", silent, "2 problems found")):  # fmt: skip
            inventory = tmp_path / f"{name}.yml"
            inventory.write_text(yaml.safe_dump({"cucm_clusters": {"hosts": hosts}}), encoding="utf-8")
            for playbook in ("sip_tls_trunk", "plan"):
                order = site.order(playbook, extra={"plan_path": str(tmp_path / name)})
                order[order.index("-i") + 1] = str(inventory)
                run = ran(site, order)
                assert run.code == 2 and says in run.output, run.output[-3000:]
            assert "Not to be approved" in (tmp_path / name / "plan.md").read_text(encoding="utf-8")
        # A prediction fails for one cluster after preflight: the plan has the other one, and the reason.
        site.lab.ask(
            "fault/add", interface="axl", operation="getPresenceGroup", node="cucm10", action="status", status=500
        )
        run = site.play("plan", extra={"plan_path": str(tmp_path / "fault")})
        plan = (tmp_path / "fault" / "plan.md").read_text(encoding="utf-8")
        assert run.code == 2 and "could not be found out: " in plan and "New CallManager certificate" in plan, plan
        assert site.lab.ask("dump") == before


def own_play(site: Site, role: str, tasks_from: str = "main", **keywords: Any) -> Run:
    """A play of the operator's own with one role; keywords are those of the play."""
    play = {
        "hosts": "cucm_clusters", "connection": "local", "gather_facts": False,
        "module_defaults": {
            "group/siptls.cucm.cucm": "{{ cucm_application_connection }}",
            "group/siptls.cucm.platform": "{{ cucm_platform_connection }}",
        },
        "tasks": [{"import_role": {"name": f"siptls.cucm.{role}", "tasks_from": tasks_from}}], **keywords,
    }  # fmt: skip
    (site.folder / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    order = site.order("verify")
    order[order.index("-i") - 1] = str(site.folder / "play.yml")
    return ran(site, order)


def ran(site: Site, order: list[str]) -> Run:
    """What ansible-playbook left; its output on one line."""
    done = subprocess.run(
        order, cwd=site.folder, env=site.environment(), text=True, capture_output=True, timeout=LIMIT, check=False
    )
    return Run(done.returncode, flat(done.stdout + done.stderr), recap_of(done.stdout))


def test_a_role_alone_ends_in_a_sentence(tmp_path: Path) -> None:
    site, tasks = Site(tmp_path), {"sip_tls_undo": "absent"}
    with site.lab:
        for role, needs in ROLES_NEED.items():
            run = own_play(site, role, tasks.get(role, "main"))
            assert run.code != 0 and f"role {role} needs the facts that role {needs}" in run.output
        # The strategy of an operator's own play: a cluster must not be changed while another is still being checked.
        for strategy in ("free", "ansible.builtin.host_pinned"):
            run = own_play(site, "preflight", strategy=strategy)
            assert run.total("failed") == 2 and f"The strategy of this play is {strategy}, so that" in run.output
        contacts = [event for event in site.lab.events() if event["kind"] not in ("lab", "sip")]
        assert not contacts, "a cluster was contacted"


ROLES_NEED = {
    "callmanager_certificate": "preflight",
    "sip_tls_trunk": "callmanager_certificate",
    "sip_tls_undo": "preflight",
    "sip_tls_verify": "sip_tls_trunk",
}


#: files with the sentences that end a run before its first write
BEFORE = (
    *(f"plugins/module_utils/_roles/{name}.py" for name in (
        "preflight/inventory", "preflight/options", "preflight/cluster", "preflight/node", "preflight/authority",
        "preflight/group", "preflight/objects", "certificates/phones", "certificates/trust", "trunk/external",
        "trunk/peers", "trunk/transit", "nodes", "numbers")),
    "playbooks/tasks/check_tags.yml", "playbooks/tasks/check_group.yml",
)  # fmt: skip
#: sentences that end no run: preflight shows them as warnings
WARNINGS = (
    "--limit leaves out", "cucm_local_patterns is empty", "is newer than siptls.cucm knows",
    "The cluster is in non-secure mode", "does not respond to this machine", "from this machine.",
    "TLS handshake", "presents another certificate", "certificate of <nodes> remains self-signed",
    "neither by a trunk of its own nor through a hub", "signs the CTL and ITL files from release 12.0 on",
)  # fmt: skip
_RARE, _COMPOSITION = "tests/unit/roles/test_rare_problems.py", "tests/unit/roles/test_composition.py"
_SENTENCES, _VALIDATOR = "tests/unit/roles/test_preflight_sentences.py", "tests/unit/roles/test_one_validator.py"
#: sentences about a state that this lab does not have: the test that shows them by the same function, and its words
ELSEWHERE = {
    "can't be written by this user": (_RARE, "can't be written by this user"),
    "is not a host name for a certificate": (_RARE, "is not a host name for a certificate"),
    "certificate is made for <certificate>": (_RARE, "the node is called CUCMA"),
    "not yet valid and refuse it": (_RARE, "not yet valid and refuse it"),
    "is not a CA certificate and cannot sign": (_RARE, "is not a CA certificate and cannot sign"),
    "would be due for renewal at once": (_RARE, "would be due for renewal at once"),
    "which the CLI of release": (_RARE, "which the CLI of release"),
    "(`utils ctl update CTLFile` on the publisher": (_RARE, "(`utils ctl update CTLFile` on the publisher"),
    "has expired, on <not_after>": ("tests/integration/test_preflight.py", "has expired"),
    "The TVS certificate of <node>": ("tests/integration/test_phones.py", "TVS certificate"),
    "so the trunks would run nowhere": ("tests/unit/roles/test_placed_nodes.py", "run nowhere"),
    "a peer's SIP trunk takes at most": ("tests/unit/roles/test_placed_nodes.py", "16 destinations"),
    "no TLS version or cipher in common": ("tests/unit/roles/test_two_identities.py", "in common"),
    "is a hub (cucm_transit), but": ("tests/integration/test_hubs.py", "is a hub (cucm_transit)"),
    "ca_chain is not complete": ("tests/unit/roles/test_external_peers.py", "not complete"),
    "a password is part of a name on the cluster": ("tests/integration/test_mistakes.py", "ciscolab"),
    "both have a node whose certificate is made for": (_COMPOSITION, "tell them apart"),
    "both have the subject name <name>": (_SENTENCES, "subject name"),
    "services can't be restarted nor": (_SENTENCES, "can't be restarted nor"),
    "device of another kind is called": (_SENTENCES, "another kind is called"),
    "exists already and leads to": (_SENTENCES, "exists already and leads to"),
    "uses it too, and this run would change it": (_SENTENCES, "uses it too"),
    "is the only cluster in cucm_clusters": (_SENTENCES, "is the only cluster in cucm_clusters"),
    "It comes from <named by>": (_VALIDATOR, "is not a name that CUCM takes"),
}


def said_by(results: dict[str, Ended]) -> str:
    """All that the runs listed and ended with."""
    listed = (text for run in results.values() for text in problems(run))
    return "\n".join([*listed, *(flat(results[name].output) for name in CALLS)])


def test_every_sentence_of_preflight_ends_a_run_of_the_playbook_or_is_shown_elsewhere(
    results: dict[str, Ended],
) -> None:
    said = said_by(results)
    elsewhere = [part.lower() for part in (*WARNINGS, *ELSEWHERE)]
    sentences, missing = failure_sentences.of_files(ROOT, BEFORE), []
    assert len(sentences) > 90
    for sentence in sentences:
        pattern = ".*".join(map(re.escape, failure_sentences.HOLE.split(sentence.text.rstrip(".?"))))
        if not re.search(pattern, said, re.IGNORECASE) and not any(part in sentence.text.lower() for part in elsewhere):
            missing.append(sentence.text)
    assert not missing
    unused = [part for part in elsewhere if not any(part in sentence.text.lower() for sentence in sentences)]
    assert not unused, "no file has these sentences any more"
    for file, words in ELSEWHERE.values():
        assert words in (ROOT / file).read_text(encoding="utf-8"), f"{file} no longer shows: {words}"


def test_there_are_enough_mistakes() -> None:
    assert len(INVENTORY) + len(CLUSTERS) + len(CALLS) >= 60
