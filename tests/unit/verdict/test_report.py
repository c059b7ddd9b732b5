# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: its answers and files, and its page in a real browser, on paper, and as axe-core sees it."""

from __future__ import annotations

import hashlib
import html.parser
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import registrations
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import pages
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report import files as report_files

from tests.support.browser import look, needs_chromium, printed


def view(name: str, mark: str, **changes: Any) -> dict[str, Any]:
    made = {
        "subject": f"C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN={name}", "common_name": name,
        "issuer": "C=IN, O=cisco, CN=Lab CA", "serial": mark * 20, "sha256": ":".join([mark] * 32),
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2028-01-01T00:00:00Z",
    }  # fmt: skip
    return {**made, **changes}


LONG = "cluster{}-with-a-rather-long-name"
FOREIGN = "Zürich-北京市朝阳区电话系统集群-مجموعة-{}"


def given(count: int = 2, verdict: str = "secure", name: str = LONG) -> dict[str, Any]:
    """A report's data for so many clusters, with a hostile text in it."""
    names = [name.format(at) for at in range(count)]
    clusters: list[dict[str, Any]] = [
        {
            "name": name, "version": "10.5.2.10000-5",
            "nodes": [
                {
                    "name": f"NODE{at}", "addresses": [f"10.0.0.{at}"], "held": view(f"NODE{at}", "AA"),
                    "issued": view(f"NODE{at}", "AA" if verdict == "secure" else "BB"),
                    "probe": {"chain": [view(f"NODE{at}", "AA")]},
                }
            ],
        }
        for at, name in enumerate(names)
    ]  # fmt: skip
    for cluster in clusters[:1]:
        cluster["phones"] = registrations(
            {"registered": 2, "names": ["SEP1", "SEP2"], "listed": True},
            {"registered": 1, "names": ["SEP1"], "listed": True},
        )
    finding = {"severity": "error", "check": "x", "cause": "<script>alert(1)</script> " + "A" * 200, "source": "probe",
               "remedy": "Do something & more"}  # fmt: skip
    directions = [
        {
            "from": a, "to": b, "verdict": verdict, "reach": "call", "tls_version": "TLSv1.2", "cipher": "AES128-SHA",
            "server_certificate": view("NODE", "AA"), "evidence": [{"check": "c", "source": "call", "text": "seen"}],
            "findings": [] if verdict == "secure" else [{**finding, "cause": f"{finding['cause']} {at}"}],
        }
        for at, (a, b) in enumerate((a, b) for a in names for b in names if a != b)
    ]  # fmt: skip
    steps = [("client", "ClientHello"), ("server", "Certificate"), ("client", "Certificate"), ("server", "Alert")]
    handshake = [
        {"time": f"2026-11-01T10:00:00.00{at}000Z", "frame": at, "from": side, "message": message}
        for at, (side, message) in enumerate(steps)
    ]
    captures = [
        {
            "protocol": "tls", "client": "10.0.0.0:40000", "server": "10.0.0.1:5061", "tls_version": "TLSv1.2",
            "cipher": "AES128-SHA", "mutual": True, "started": "2026-11-01T10:00:00Z", "handshake": handshake,
            "client_certificates": [view("NODE0", "AA")], "server_certificates": [view("NODE1", "AA")],
            "alerts": [{"time": handshake[3]["time"], "from": "server", "level": "fatal", "name": "unknown_ca"}],
        }
    ]  # fmt: skip
    calls = [
        {
            "cluster": names[0] if names else "", "calling": "1018", "called": "9898", "remote_ip": "10.0.0.1",
            "transport": "TLS", "srtp": True, "result": "answered",
            "ladder": [{"time": "2026-11-01T10:00:00", "way": way, "message": word, "srtp": True}
                       for way, word in (("out", "INVITE"), ("in", "100 Trying"), ("in", "200 OK"), ("out", "ACK"))],
        }
    ]  # fmt: skip
    return {
        "title": "Report", "clusters": clusters, "captures": captures if count > 1 else [],
        "traces": [{"cluster": names[0], "calls": calls}] if names else [],
        "verdict": {"verdict": verdict, "summary": [], "directions": directions},
        "changes": [{"cluster": name, "what": "SIP trunk", "actions": ["created"]} for name in names[:1]],
        "files": [{"path": "build/" + "long/" * 30 + "packets.cap", "size": 1, "sha256": "ab" * 32}],
        "about": [{"name": "Inventory", "value": "inventory.yml"}],
    }  # fmt: skip


#: the states of a report: name, clusters, verdict, form of the names
STATES = [
    ("empty", 0, "unproven", LONG), ("one", 1, "unproven", LONG), ("secure", 2, "secure", LONG),
    ("insecure", 2, "insecure", LONG), ("unproven", 3, "unproven", FOREIGN), ("eight", 8, "insecure", FOREIGN),
    ("sixteen", 16, "secure", LONG), ("wide", 16, "insecure", "X" * 90 + "{}"),
]  # fmt: skip


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of each state."""
    folder = tmp_path_factory.mktemp("reports")
    for title, count, verdict, name in STATES:
        report_files.write(str(folder / title), given(count, verdict, name), pretend=False)
        (folder / title / "report.html").rename(folder / f"{title}.html")
    return folder


def opened(folder: Path, jobs: list[tuple[str, int]], *, dark: bool = False, checked: bool = True) -> None:
    """Open states at widths, in light or dark: nothing is wider than the page, and axe finds nothing."""
    found, console = look(folder, [(f"{state}.html", width) for state, width in jobs], dark=dark, checked=checked)
    assert console == ""
    assert len(found) == len(jobs)
    assert {page["paper"] for page in found} == {"rgb(15, 20, 26)" if dark else "rgb(245, 246, 248)"}
    for page in found:
        where = (page["page"], page["width"])
        assert (where, page["wide"]) == (where, [])
        assert (where, page["problems"]) == (where, [] if checked else None)
        assert page["scroll"] <= page["client"] and len(page["text"]) > 500, where
        assert not checked or page["checked"] > 10, where


@needs_chromium
@pytest.mark.xdist_group("report")
def test_every_state_fits_every_width(states: Path) -> None:
    jobs = [(title, width) for title, *_unused in STATES for width in (360, 1200)]
    opened(states, [*jobs, ("insecure", 320)], checked=False)


@needs_chromium
@pytest.mark.xdist_group("report")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(states: Path, dark: bool) -> None:
    small = [(title, 360) for title in ("insecure", "unproven")]
    opened(states, small if dark else [*small, ("empty", 360), ("secure", 1200), ("eight", 360)], dark=dark)


@needs_chromium
@pytest.mark.matrix
@pytest.mark.xdist_group("report")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_in_any_state(states: Path, dark: bool) -> None:
    opened(states, [(title, width) for title, *_unused in STATES for width in (360, 1200)], dark=dark)


@needs_chromium
@pytest.mark.xdist_group("report")
def test_the_policy_of_the_page_stops_nothing_that_it_needs(states: Path) -> None:
    (found,), console = look(states, [("secure.html", 1200)], checked=False)
    assert console == "" and found["problems"] is None
    assert found["svg"] >= 3 and "2 of 2 directions secure between 2 clusters." in found["text"]


@needs_chromium
@pytest.mark.xdist_group("report")
@pytest.mark.parametrize(("state", "sheets"), [("secure", range(3, 8)), ("eight", range(6, 60))])
def test_the_print_has_the_evidence_page_numbers_and_room_to_sign(states: Path, state: str, sheets: range) -> None:
    count, text = printed(states / f"{state}.html")
    assert count in sheets
    for number in range(1, count + 1):
        assert f"Page {number} of {count}" in text
    # Folded on the screen, open on paper.
    assert text.count("seen (call)") == (2 if state == "secure" else 56)
    assert "ab" * 20 in text and "inventory.yml" in text and "siptls.cucm 1.0.0" in text
    assert "checked by" in text and "signature" in text


def test_the_matrix_lists_clusters_with_problems_first_and_leads_to_each_direction(tmp_path: Path) -> None:
    data = given(6, "secure")
    bad = data["verdict"]["directions"][-1]
    bad["verdict"] = "insecure"
    del data["verdict"]["directions"][0]
    report_files.write(str(tmp_path), data, pretend=False)
    page = (tmp_path / "report.html").read_text()
    first, second = page.split('<div class="matrix')[1:3]
    rows = [re.findall(r"<bdi>(.*?)</bdi></th>", matrix) for matrix in (first, second)]
    assert set(rows[0][:2]) == {bad["from"], bad["to"]} and rows[1] == sorted(rows[0])
    cells = re.findall(r'<td class="(\w*)">(?:<a href="#(.*?)".*?>)?(.)?<', first)
    letters = [letter for _unused, _unused, letter in cells]
    assert (letters.count("S"), letters.count("I"), letters.count("–"), len(cells)) == (28, 1, 1, 36)
    for _unused, anchor, _unused in cells:
        assert not anchor or f'id="{anchor}"' in page


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    data = given(3)
    data["clusters"][2]["nodes"] = []
    data["verdict"]["directions"] = data["verdict"]["directions"][:1]
    data["captures"] = data["traces"] = []
    report_files.write(str(tmp_path), data, pretend=False)
    page = (tmp_path / "report.html").read_text()
    name = LONG.format(2)
    for text in (f"Nothing was read from {name}", f"No direction from or to {name} was checked",
                 "No capture was given", "No call was seen"):  # fmt: skip
        assert text in page


def test_what_became_of_the_phones_is_shown_and_what_is_left_to_do(tmp_path: Path) -> None:
    data = given()
    data["clusters"][1]["phones"] = registrations({}, {})
    report_files.write(str(tmp_path), data, pretend=False)
    section = (tmp_path / "report.html").read_text().partition("<h2>Phones</h2>")[2].partition("</section>")[0]
    assert re.findall(r"<dt>(.*?)</dt><dd><bdi>(.*?)</bdi>", section) == [
        ("Before", "2"), ("After", "1"), ("No longer registered", "SEP2"),
        ("Before", "not known"), ("After", "not known"),
    ]  # fmt: skip
    assert "System &gt; Enterprise Parameters" in section and LONG.format(0) in section
    del data["clusters"][0]["phones"], data["clusters"][1]["phones"]
    report_files.write(str(tmp_path), data, pretend=False)
    assert "<h2>Phones</h2>" not in (tmp_path / "report.html").read_text()


def test_the_page_names_the_hash_of_the_data_and_who_made_it(tmp_path: Path) -> None:
    report_files.write(str(tmp_path), given(), pretend=False)
    page, data = (tmp_path / "report.html").read_text(), (tmp_path / "report.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() in page
    made = json.loads(data)["made"]
    assert set(made) == {"on", "by", "host", "versions"} and all(value in page for value in made.values())


class Links(html.parser.HTMLParser):
    """Collects what a page would load, and the scripts it has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            str(value)
            for key, value in attrs
            if key in ("src", "href") and value != "data:," and not str(value).startswith("#")
        ]
        if tag in ("script", "iframe", "object", "embed"):
            self.found.append(tag)


@pytest.mark.parametrize("verdict", ["secure", "insecure", "unproven"])
def test_it_is_complete_in_itself_and_takes_no_code_from_names(tmp_path: Path, verdict: str) -> None:
    data = given(3, verdict)
    data["clusters"][0]["nodes"][0]["name"] = '"><img src=x onerror=alert(1)>'
    report_files.write(str(tmp_path), data, pretend=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == []
    assert "http-equiv" in page
    assert len(page) < 200_000


def test_the_same_evidence_changes_nothing_and_check_mode_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    assert report_files.write(str(folder), given(), pretend=True).changed is True
    assert not folder.exists()
    assert report_files.write(str(folder), given(), pretend=False).changed is True
    first = (folder / "report.html").read_bytes()
    assert report_files.write(str(folder), given(), pretend=False).changed is False
    assert (folder / "report.html").read_bytes() == first
    assert report_files.write(str(folder), given(verdict="insecure"), pretend=False).changed is True
    data = json.loads((folder / "report.json").read_text())
    assert data["verdict"]["verdict"] == "insecure"


def test_nothing_at_all_still_makes_a_page(tmp_path: Path) -> None:
    empty = {"title": "T", "clusters": [], "verdict": {}, "captures": [], "traces": [], "changes": [], "files": [],
             "about": []}  # fmt: skip
    report_files.write(str(tmp_path), empty, pretend=False)
    assert "unproven" in (tmp_path / "report.html").read_text()


def test_the_questions_are_answered_by_what_was_found(tmp_path: Path) -> None:
    data = given(verdict="insecure")
    for direction in data["verdict"]["directions"]:
        direction["evidence"] = [
            {"check": "srtp", "source": "call", "text": "keys"},
            {"check": "wire", "source": "capture", "text": "TLS"},
        ]
        direction["findings"] = [
            {"severity": "error", "check": "server_name", "cause": "another name", "source": "probe"},
            {"severity": "missing", "check": "dates", "cause": "unknown", "source": "probe"},
        ]
    report_files.write(str(tmp_path), data, pretend=False)
    tiles = re.findall(
        r'class="tile (\w+)">.*?class="q">(.*?)</div><div class="a">(.*?)</div><div class="src">(.*?)</div>',
        (tmp_path / "report.html").read_text(),
        re.DOTALL,
    )
    assert {question: (tone, answer, small) for tone, question, answer, small in tiles} == {
        "Is it the right peer?": ("insecure", "no", "another name"),
        "Do both sides prove who they are?": ("unproven", "not proven", "nothing was seen"),
        "Is the signaling encrypted?": ("secure", "yes", "by capture"),
        "Is the media encrypted?": ("secure", "yes", "by call"),
        "Are the certificates valid for this use, and in date?": ("unproven", "not proven", "nothing was seen"),
        "Do calls get through?": ("unproven", "not proven", "nothing was seen"),
    }


def test_what_no_call_has_shown_is_said_to_be_allowed_only(tmp_path: Path) -> None:
    data = given()
    first, second = data["verdict"]["directions"]
    first["evidence"] = [{"check": "srtp", "source": "call", "text": "keys"},
                         {"check": "trunk_status", "source": "status", "text": "up"}]  # fmt: skip
    second["evidence"] = [{"check": "srtp", "source": "configuration", "text": "allowed"},
                          {"check": "destinations", "source": "configuration", "text": "right"}]  # fmt: skip
    report_files.write(str(tmp_path), data, pretend=False)
    page = (tmp_path / "report.html").read_text()
    tiles = dict(re.findall(r'class="q">(.*?)</div><div class="a">(.*?)</div>', page))
    assert tiles["Is the media encrypted?"] == "allowed by configuration, no call seen"
    assert "allowed by configuration, no call seen in 1 of 2 directions; by call, configuration" in page
    assert tiles["Do calls get through?"] in (
        "the trunk is in service, no call seen", "allowed by configuration, no call seen"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "cipher", "said", "tag"),
    [("capture", "capture", "TLS 1.2 · AES128-SHA", "TLS 1.2"),
     ("probe", "probe", "TLS 1.2 · AES128-SHA (the controller's probe)", "no TLS seen"),
     ("probe", "trace", "TLS 1.2 (the controller's probe) · AES128-SHA", "no TLS seen")],
)  # fmt: skip
def test_what_the_probe_negotiated_is_not_shown_as_the_trunks(
    tmp_path: Path, version: str, cipher: str, said: str, tag: str
) -> None:
    data = given()
    for direction in data["verdict"]["directions"]:
        direction |= {
            "tls_version": "TLSv1.2",
            "cipher": "AES128-SHA",
            "tls_version_source": version,
            "cipher_source": cipher,
        }
    report_files.write(str(tmp_path), data, pretend=False)
    page = html.unescape((tmp_path / "report.html").read_text())
    assert f">{said}<" in page
    assert f">{tag}</text>" in page


def test_evidence_in_the_reports_folder_is_named_from_there(tmp_path: Path) -> None:
    data = given()
    data["files"] = [{"path": str(tmp_path / "evidence" / "a.cap"), "size": 1, "sha256": "ab" * 32},
                     {"path": "/elsewhere/b.cap", "size": 1, "sha256": "cd" * 32}]  # fmt: skip
    report_files.write(str(tmp_path), data, pretend=False)
    kept = json.loads((tmp_path / "report.json").read_text())["files"]
    assert [listed["path"] for listed in kept] == ["evidence/a.cap", "/elsewhere/b.cap"]


def test_without_the_templates_a_sentence_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TEMPLATES", tmp_path / "missing")
    with pytest.raises(Failure, match="Run the task without async"):
        report_files.write(str(tmp_path / "made"), given(), pretend=False)
    assert not (tmp_path / "made" / "report.html").exists()
