# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook while an interface misbehaves: it ends well or in a sentence, and the next run finishes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab import scenario as scenarios

from tests.support import reliability
from tests.support.operator_site import Run, Site
from tests.support.states import summary

pytestmark = [pytest.mark.playbook, pytest.mark.matrix, pytest.mark.timeout(3600)]
#: seconds; a stall lasts longer
TIMEOUT, STALL = 4, 60
EXTRA = {"cucm_timeout": TIMEOUT, "callmanager_certificate_wait_timeout": 15}
CA_ACCOUNT = {"username": "LAB\\enroll", "password": "Ca-Lab-91!enrolling"}


@dataclass(frozen=True)
class Case:
    """A fault, on a scenario; the sentence that the playbook stops with, none when it gets through.

    With `warned` it gets through and says so.
    """

    interface: str
    operation: str
    action: str
    sentence: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    warned: str = ""
    scenario: str = "two-clusters"
    #: run a third time: nothing may change any more
    thrice: bool = False

    @property
    def words(self) -> str:
        """The fault, for people."""
        more = {key: value for key, value in self.more.items() if key in ("status", "rate", "count", "seconds")}
        return ", ".join([self.action.replace("_", " "), *(f"{key} {value}" for key, value in more.items())])

    @property
    def name(self) -> str:
        """For pytest."""
        return re.sub(r"[^a-z0-9.]+", "-", f"{self.interface} {self.operation} {self.words}".lower()).strip("-")


def case(interface: str, operation: str, action: str, sentence: str = "", **more: Any) -> Case:
    """A row; more are the rule's own numbers."""
    own = {key: more.pop(key) for key in ("scenario", "thrice", "warned") if key in more}
    return Case(interface, operation, action, sentence, more, **own)


ONCE: dict[str, Any] = {"count": 1}
YEARS = 86400 * 365
CASES = [
    case("axl", "*", "refuse", rate=0.1, thrice=True),
    case("axl", "add*", "drop", thrice=True),
    case("service", "start*", "fail", "Cisco CallManager on .* is Stopped, not Started, 15 s", node="cucma", **ONCE),
    case("service", "start*", "hang", "Cisco CallManager on .* is Starting, not Started, 15 s", node="cucma", **ONCE),
    case("ssh", "paste", "reset", "closed the connection during 'set cert import .*run again", node="cucm10"),
    case("sip", "handshake", "alert", "presents no CallManager certificate", node="cucm10"),
    case("axl", "addRoutePattern", "stall", "no answer within 4 s.*run again", seconds=STALL, node="cucma"),
    case("axl", "addSipTrunk", "garbage", "whether CUCM acted is (unknown|not known).*run again", node="cucm10"),
    case("https", "connect", "refuse", "connection broke before the answer came .*run again", node="cucma"),
    case("ssh", "connect", "wrong_certificate", "is NOT the one in .*ssh_host_key", node="cucm10"),
    case("ris", "*", "garbage", node="cucma", warned="cucma: .* and no SOAP answer.*run again"),
    case("controlcenter", "soapDo*", "drop", **ONCE),
    case("ssh", "*", "paging"),
    case("certmgr", "import CallManager", "fail", "certificate log|Run ", node="cucma"),
    case("sip", "OPTIONS", "drop", "not secure|unproven|insecure|out of service|UnRegistered", node="cucm10"),
    case("axl", "addSipTrunk", "clock", "not secure|unproven|insecure|expired", seconds=3 * YEARS, **ONCE),
    case("ssh", "set csr*", "clock", "not (yet )?valid", seconds=-2 * YEARS, node="cucma", **ONCE),
    case("ssh", "set csr*", "drop", thrice=True),
    case("axl", "addSipTrunkSecurityProfile", "status", "still answers 503 .*try again later", node="cucma"),
    case("axl", "*", "truncated", "not valid XML.*run again", node="cucma"),
    case("https", "handshake", "alert", "TLS handshake", node="cucm10"),
    case("https", "handshake", "wrong_certificate", "certificate verify failed", node="cucm10"),
    case("ris", "*", "status", status=500, node="cucma", warned="cucma: .* HTTP 500, and no SOAP answer.*run again"),
    case("controlcenter", "soapGet*", "garbage", "not what was asked.*Try again", node="cucm10"),
    case("sip", "handshake", "wrong_certificate", "presents the certificate .*", node="cucm10"),
    case("certmgr", "POST*csr", "drop", scenario="rest"),
    case("certmgr", "POST*", "status", "HTTP 500.*Try again", status=500, scenario="rest", node="cucm150"),
    case("adcs", "submit", "status", "responded with HTTP 503 .*run again", scenario="two-clusters-adcs"),
    case("adcs", "submit", "drop", "may have issued .*run again", scenario="two-clusters-adcs", **ONCE),
]
#: what no output may hold
NEVER = re.compile(r"Traceback \(most recent call last\)|met an error that it does not know")
WORKERS = 3


def scenario_of(name: str, folder: Path) -> str:
    """A scenario of the lab, or two clusters of today, which have the REST interface."""
    if name != "rest":
        return name
    found = yaml.safe_load((Path(scenarios.__file__).parent / "scenarios" / "releases.yml").read_text())
    found["name"] = "rest"
    found["clusters"] = [cluster for cluster in found["clusters"] if cluster["name"] in ("cucm140", "cucm150")]
    path = folder / "rest.yml"
    path.write_text(yaml.safe_dump(found))
    return str(path)


class Place:
    """A site of a scenario, kept as shipped, and what an undisturbed run leaves on it."""

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.site = Site(folder / "site", scenario_of(name, folder))
        with self.site.lab:
            if name == "two-clusters-adcs":
                self.site.extra["sip_tls_ca"] = {**self.site.microsoft_ca(), "path": str(self.site.ca)}
        self.site.keep("shipped")
        with self.site.lab:
            run = self.play()
            assert run.code == 0, run.output[-6000:]
            self.left = summary(self.site)

    @property
    def failures(self) -> Path:
        """Where the last run noted what failed."""
        return self.site.folder / "failures.jsonl"

    def play(self) -> Run:
        """The main playbook."""
        self.failures.unlink(missing_ok=True)
        return self.site.play(
            "sip_tls_trunk", extra=EXTRA, ANSIBLE_CALLBACKS_ENABLED="tell_failures", FAILURES_TO=str(self.failures),
            SIP_TLS_ADCS_USERNAME=CA_ACCOUNT["username"], SIP_TLS_ADCS_PASSWORD=CA_ACCOUNT["password"],
        )  # fmt: skip

    def sentences(self) -> str:
        """Why the last run failed, each sentence once, in the order that they came."""
        rows = [json.loads(line) for line in self.failures.read_text().splitlines()] if self.failures.exists() else []
        return " ".join(dict.fromkeys(row["message"] for row in rows))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """place(scenario) -> Place, made once."""

    @cache
    def made(name: str) -> Place:
        return Place(name, tmp_path_factory.mktemp("faults") / name)

    return made


@pytest.mark.parametrize(
    "number", [pytest.param(number, id=case.name, marks=pytest.mark.xdist_group(f"faults-{number % WORKERS}"))
               for number, case in enumerate(CASES)],
)  # fmt: skip
def test_under_a_fault(place: Any, number: int) -> None:
    given = CASES[number]
    at: Place = place(given.scenario)
    at.site.restore("shipped")
    with at.site.lab as lab:
        rule = {"interface": given.interface, "operation": given.operation, "action": given.action, **given.more}
        lab.ask("fault/add", **rule)
        said = under(given, at)
        lab.ask("fault/clear")
        lab.ask("clock", reset=True)
        following = without(given, at)
    row = {"interface": given.interface, "operation": given.operation, "fault": given.words,
           "end": settled(said, at), "next": following if given.sentence or given.thrice else "not needed"}  # fmt: skip
    reliability.keep(f"playbook-{number:02}", [row])


def under(given: Case, at: Place) -> str:
    """Run the playbook under the fault, and return what it said."""
    run = at.play()
    assert sum(fault["hits"] for fault in at.site.lab.ask("fault/list")), "the fault was never met"
    assert not NEVER.search(run.output), run.output[-6000:]
    said = at.sentences()
    if given.sentence:
        assert run.code != 0 and said, run.output[-6000:]
        assert re.search(given.sentence, said, re.DOTALL), said
    else:
        assert run.code == 0, run.output[-6000:]
    if given.warned:
        said = " ".join(re.findall(r"(?m)^\[WARNING\]: (Not read, and so not weighed: .*)$", run.output))
        assert re.search(given.warned, said), run.output[-6000:]
    return said


def without(given: Case, at: Place) -> str:
    """Finish without the fault, and return in words what that led to."""
    if given.sentence:
        finish = at.play()
        assert finish.code == 0, finish.output[-6000:]
    assert at.site.verdict()["verdict"] == "secure"
    assert summary(at.site) == at.left
    if not given.thrice:
        return "secure, as undisturbed"
    again = at.play()
    assert again.code == 0 and again.total("changed") == 0, again.output[-6000:]
    return "secure, as undisturbed; one more changed nothing"


def settled(text: str, at: Place) -> str:
    """A sentence without what no two runs have in common."""
    text = re.sub(rf"\b{re.escape(at.site.lab.net)}\.\d+\.\d+\b", "NODE", text)
    text = text.replace(str(at.site.lab.state), "LAB").replace(str(at.site.folder), "SITE")
    text = re.sub(r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:…", text)
    text = re.sub(r"\b([0-9A-F]{2}:){31}[0-9A-F]{2}\b", "…", text)
    return re.sub(r"\b\d{4}-\d\d-\d\d[T ][\d:]+\S*", "DATE", re.sub(r"request \d+", "request N", text))
