# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates while things go wrong: sessions that break, answers that are lost, texts that nobody has seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._node.restart_times import Window
from cucm_lab.testing import LabProcess

from tests.support.certificate_kit import Authority, openssl
from tests.support.module_processes import ran, run_module

SERVICE: dict[str, Any] = {"username": "axladmin", "password": "Axl-Lab-91!reading-and-writing", "poll_interval": 0.3}
SHELL: dict[str, Any] = {"os_username": "osadmin", "os_password": "Os-Lab-91!platform-account", "ssh_port": 2222}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as lab:
        yield lab


@pytest.fixture
def lab(running: LabProcess) -> Iterator[LabProcess]:
    yield running
    running.ask("fault/clear")


def options(lab: LabProcess, cluster: str, **more: Any) -> dict[str, Any]:
    return {
        "host": lab.address(cluster), **SHELL, "ssh_known_hosts": str(lab.state / "known_hosts"),
        "ca_path": str(lab.state / "https-ca.pem"), **more,
        "legacy_crypto": cluster in ("cucm91", "cucm105", "cucm115"),
    }  # fmt: skip


def typed(lab: LabProcess, start: str) -> int:
    """How many commands that begin so reached the shell."""
    return len([event for event in lab.events() if str(event.get("command", "")).startswith(start)])


def test_a_session_that_breaks_in_the_paste_is_taken_up_again(lab: LabProcess, tmp_path: Path) -> None:
    root = Authority.make(tmp_path, "Paste Root")
    lab.ask("fault/add", interface="ssh", action="reset", operation="paste", node="cucm125", count=1)
    done = run_module("cucm_cert_upload", **options(lab, "cucm125"), chain=[root.pem])
    assert done["changed"] and any("Paste Root" in trusted["subject"] for trusted in done["trust"]), done


def test_a_session_that_always_breaks_ends_in_a_sentence(lab: LabProcess, tmp_path: Path) -> None:
    root = Authority.make(tmp_path, "Never Root")
    lab.ask("fault/add", interface="ssh", action="reset", operation="paste", node="cucm125")
    failed = run_module("cucm_cert_upload", **options(lab, "cucm125"), chain=[root.pem])
    assert failed["failed"] and "closed the connection during 'set cert import trust" in failed["msg"], failed


def test_a_write_whose_answer_is_lost_is_looked_up(lab: LabProcess, tmp_path: Path) -> None:
    root = Authority.make(tmp_path, "Lost Root")
    for cluster, write in (
        ("cucm125", {"interface": "ssh", "operation": "set csr gen*"}),
        ("cucm140", {"interface": "certmgr", "operation": "POST*"}),
    ):
        node = options(lab, cluster)
        before = typed(lab, "set csr gen")
        lab.ask("fault/add", action="drop", node=cluster, **write)
        request = run_module("cucm_csr", **node, issuer=root.pem)
        assert request["changed"] and request["csr"], request
        done = run_module("cucm_cert_upload", **node, certificate=root.sign(request["csr"]), chain=[root.pem])
        assert done["changed"] and len(done["actions"]) == 2, done
        assert typed(lab, "set csr gen") == before + (cluster == "cucm125")
        lab.ask("fault/clear")


def test_a_read_that_breaks_and_pagers_that_come_back(lab: LabProcess) -> None:
    whole = run_module("cucm_certificate_info", **options(lab, "cucm115"))["certificates"]
    lab.ask("fault/add", interface="ssh", action="refuse", operation="show cert list*", node="cucm115", count=1)
    lab.ask("fault/add", interface="ssh", action="paging", operation="show cert own*", node="cucm115")
    assert run_module("cucm_certificate_info", **options(lab, "cucm115"))["certificates"] == whole


@pytest.mark.parametrize(
    "name, value, default",
    [
        pytest.param("shell.cert_trust_has_pem", False, True, marks=pytest.mark.matrix),
        ("shell.delete_asks", True, False),
        ("shell.prompt_needs_newline", True, False),
        ("shell.trust_imported", "ok", "Successfully imported certificate for {unit}."),
    ],
)
def test_texts_that_nobody_has_seen(lab: LabProcess, tmp_path: Path, name: str, value: Any, default: Any) -> None:
    node = options(lab, "cucm91")
    lab.ask("inferred", name=name, value=value)
    root = Authority.make(tmp_path, name.replace(".", " "))
    try:
        assert run_module("cucm_cert_upload", **node, chain=[root.pem])["changed"]
        assert not run_module("cucm_cert_upload", **node, chain=[root.pem])["changed"]
        assert run_module("cucm_csr", **node, regenerate="always")["csr"]
        gone = run_module("cucm_cert_upload", **node, chain=[root.pem], state="absent")
        assert gone["changed"], gone
    finally:
        lab.ask("inferred", name=name, value=default)


def test_services_by_both_interfaces(lab: LabProcess) -> None:
    node = options(lab, "cucm91")
    lab.ask("inferred", name="shell.restart_returns_starting", value=True)
    shell: dict[str, Any] = {"interface": "cli", "poll_interval": 0.3}
    for how in (shell, SERVICE):
        assert not run_module("cucm_service", **node, **how, state="started")["changed"]
        restarted = run_module("cucm_service", **node, **how, state="restarted", serving={}, wait_timeout=30)
        assert not restarted["changed"] and restarted["presented"], restarted
        for state in ("stopped", "started"):
            assert run_module("cucm_service", check=True, **node, **how, state=state, name="Cisco Tftp")["changed"]
            done = run_module("cucm_service", **node, **how, state=state, name="Cisco Tftp", wait_timeout=30)
            assert done["changed"] and done["status"].lower() == state, done
            assert not run_module("cucm_service", **node, **how, state=state, name="Cisco Tftp")["changed"]
    unknown = run_module("cucm_service", **node, **SERVICE, name="Cisco Nothing")
    assert unknown["failed"] and "knows no service Cisco Nothing" in unknown["msg"]


def test_a_restart_that_never_ends_and_an_answer_that_is_lost(lab: LabProcess) -> None:
    node = options(lab, "cucm105")
    lab.ask("fault/add", interface="controlcenter", action="drop", operation="soapDoControl*", node="cucm105", count=1)
    done = run_module("cucm_service", **node, **SERVICE, state="restarted", name="Cisco Tftp", wait_timeout=30)
    assert done["changed"] and done["status"] == "Started", done
    lab.ask("fault/add", interface="service", action="hang", operation="start*", node="cucm105", count=1)
    failed = run_module("cucm_service", **node, **SERVICE, state="restarted", name="Cisco Tftp", wait_timeout=3)
    assert failed["failed"] and "Cisco Tftp" in failed["msg"] and "3 s after it was asked" in failed["msg"], failed


def window_around(moment: datetime, *, before: int = 60, after: int = 60) -> str:
    """A window from so many minutes before a moment to so many after it."""
    return f"{moment - timedelta(minutes=before):%H:%M}-{moment + timedelta(minutes=after):%H:%M}"


def restarts(lab: LabProcess, node: str, since: int) -> list[str]:
    """The services of a node that were started since an event of the lab."""
    return [
        event["service"] for event in lab.events()[since:]
        if event.get("kind") == "service" and event.get("node") == node and event["status"] == "Started"
    ]  # fmt: skip


def test_outside_the_window_nothing_is_restarted_and_the_services_are_pending(lab: LabProcess) -> None:
    """The window is by the node's clock, not by the controller's."""
    node = {**options(lab, "cucm91"), **SERVICE, "wait_timeout": 30}
    lab.ask("clock", node="CUCM91", shift=5 * 3600)
    here = datetime.now(UTC) + timedelta(hours=5)
    closed, now = window_around(here, before=180, after=-60), window_around(here)
    also = {"services": ["Cisco CTIManager", "Cisco Tftp"]}
    since = len(lab.events())
    for check in (True, False):
        left = run_module("cucm_service", check=check, **node, state="restarted", window=closed, also=also)
        assert not left["changed"] and left["pending"] == ["Cisco CallManager", *also["services"]], left
        assert f"the window for restarts is {closed}" in str(left["warnings"]), left
    assert restarts(lab, "CUCM91", since) == []
    alone = run_module(
        "cucm_service", **node, state="restarted", serving={}, window=closed, also={**also, "needed": True}
    )
    assert not alone["changed"] and alone["pending"] == also["services"], alone
    done = run_module("cucm_service", **node, interface="cli", state="restarted", window=now, also=also)
    assert done["changed"] and done["pending"] == [], done
    assert restarts(lab, "CUCM91", since) == ["Cisco CallManager", *also["services"]]
    lab.ask("clock", node="CUCM91", reset=True)


def test_only_what_runs_since_before_a_moment_is_restarted_and_others_are_looked_at_only(lab: LabProcess) -> None:
    node = {**options(lab, "cucm125"), **SERVICE, "wait_timeout": 30}
    task: dict[str, Any] = {**node, "state": "restarted", "name": "Cisco Tftp"}
    hour = timedelta(hours=1)
    since, now = len(lab.events()), datetime.now(UTC)
    assert not run_module("cucm_service", **task, started_before=(now - 24 * hour).isoformat())["changed"]
    wrong = run_module("cucm_service", **task, started_before="yesterday")
    assert wrong["failed"] and "started_before is 'yesterday'; give a date" in wrong["msg"], wrong
    also = {"services": ["Cisco CTIManager", "Cisco Tftp"], "restart": False}
    looked = run_module("cucm_service", **{**node, "state": "restarted"}, serving={}, also=also)
    assert not looked["changed"] and [service["status"] for service in looked["also"]] == ["Started"] * 2, looked
    assert all(abs(datetime.fromisoformat(service["since"]) - now) < hour for service in looked["also"]), looked
    assert restarts(lab, "CUCM125", since) == []
    assert run_module("cucm_service", **task, started_before=(now + hour).isoformat())["changed"]
    assert restarts(lab, "CUCM125", since) == ["Cisco Tftp"]
    assert run_module("cucm_service", **{**task, "state": "stopped"})["changed"]
    left = run_module("cucm_service", **task, started_before=(now + hour).isoformat())
    assert not left["changed"] and left["status"] == "Stopped" and not left.get("warnings"), left
    assert run_module("cucm_service", **{**task, "state": "started"})["changed"]


def test_a_restart_waits_for_calls_until_the_drain_is_over(lab: LabProcess) -> None:
    node = {**options(lab, "cucm125"), **SERVICE, "wait_timeout": 30, "state": "restarted"}
    with ThreadPoolExecutor() as pool:
        short = pool.submit(lab.ask, "call", cluster="cucm125", calling="1125", called="1125", hold=2.5)
        time.sleep(0.5)
        done = run_module("cucm_service", **node, drain=1)
        assert done["changed"] and done["calls_left"] == 0, done
        assert short.result()["result"] == "answered", "the restart ended a call for which there was time"
        long = pool.submit(lab.ask, "call", cluster="cucm125", calling="1125", called="1125", hold=20)
        time.sleep(0.5)
        done = run_module("cucm_service", **node, drain=0.02)
        assert done["changed"] and done["calls_left"] == 1, done
        assert "1 call was still active" in str(done["warnings"]), done
        assert long.result()["result"] == "lost", long.result()
    lab.ask("fault/add", interface="perfmon", action="status", status=403, node="cucm125")
    since = len(lab.events())
    unread = run_module("cucm_service", **node, drain=1)
    assert unread["failed"] and "PerfMon" in unread["msg"], unread
    assert restarts(lab, "CUCM125", since) == []


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"window": "1-4"}, "such as 01:00-04:00"),
        ({"window": "04:00-04:00"}, "such as 01:00-04:00"),
        ({"window": "01:00-24:30"}, "such as 01:00-04:00"),
        ({"window": "01:00-04:00", "os_username": None, "os_password": None}, "window requires the platform account"),
        ({"drain": -1}, "drain is -1"),
        ({"drain": 1, "username": None, "password": None}, "drain requires the application account"),
    ],
)
def test_a_window_or_a_drain_that_cannot_be_kept(lab: LabProcess, given: dict[str, Any], expected: str) -> None:
    node = {**options(lab, "cucm125"), **SERVICE, **given}
    since = len(lab.events())
    failed = run_module("cucm_service", **node, state="restarted", name="Cisco Tftp")
    assert failed["failed"] and expected in failed["msg"], failed
    assert restarts(lab, "CUCM125", since) == []


@pytest.mark.parametrize(
    "window, inside, outside",
    [
        ("01:00-04:00", ("01:00", "03:59"), ("00:59", "04:00", "13:00")),
        ("22:30-04:00", ("22:30", "00:00", "03:59"), ("04:00", "22:29")),
        ("9:00 - 09:01", ("09:00",), ("08:59", "09:01")),
        ("23:00-00:00", ("23:59",), ("00:00", "22:59")),
    ],
)
def test_what_a_window_holds(window: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    parsed = Window.parse(window)
    for expected, moments in ((True, inside), (False, outside)):
        for moment in moments:
            assert parsed.holds(datetime.strptime(moment, "%H:%M")) is expected, (window, moment)


def test_the_port_presents_another_certificate(lab: LabProcess, tmp_path: Path) -> None:
    other = Authority.make(tmp_path, "Other")
    failed = run_module(
        "cucm_service", **options(lab, "cucm150"), **SERVICE, state="started", serving={"certificate": other.pem},
        wait_timeout=1,
    )  # fmt: skip
    assert failed["failed"] and "presents the certificate" in failed["msg"], failed


def test_impersonators_are_refused(lab: LabProcess, tmp_path: Path) -> None:
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "k"), "-out",
            str(tmp_path / "other.pem"), "-subj", "/CN=other")  # fmt: skip
    node = options(lab, "cucm140", ca_path=str(tmp_path / "other.pem"))
    by_rest = run_module("cucm_csr", **node, regenerate="never", **{"interface": "rest"})
    assert by_rest["failed"] and "certificate verify failed" in by_rest["msg"], by_rest
    empty = tmp_path / "known"
    empty.write_text("")
    by_cli = run_module("cucm_csr", **{**options(lab, "cucm140"), "ssh_known_hosts": str(empty), "interface": "cli"})
    assert by_cli["failed"] and "host key is not trusted" in by_cli["msg"], by_cli


def seen(lab: LabProcess, service: str, *statuses: str) -> int:
    """How often a service of any node has come into one of these states."""
    events = [event for event in lab.events() if event["kind"] == "service" and event.get("service") == service]
    return sum(1 for event in events if event.get("status") in statuses)


def test_two_runs_restart_a_service_once(lab: LabProcess) -> None:
    task: dict[str, Any] = {**options(lab, "cucm105"), **SERVICE, "state": "restarted", "name": "Cisco Tftp"}
    lab.ask("fault/add", interface="service", action="stall", operation="start*", node="cucm105", seconds=8, count=1)
    down, started = seen(lab, "Cisco Tftp", "Stopping", "Starting"), seen(lab, "Cisco Tftp", "Started")
    with ThreadPoolExecutor(1) as another:
        first = another.submit(run_module, "cucm_service", **task, wait_timeout=60)
        latest = time.monotonic() + 60
        while seen(lab, "Cisco Tftp", "Stopping", "Starting") == down and time.monotonic() < latest:
            time.sleep(0.1)
        second = run_module("cucm_service", **task, wait_timeout=60)
        assert first.result(120)["changed"]
    assert not second["changed"] and second["status"] == "Started", second
    assert seen(lab, "Cisco Tftp", "Started") - started == 1


@dataclass
class Controller:
    """A controller with a home, a folder for temporary files and a CA of its own."""

    folder: Path
    node: dict[str, Any]

    def task(self, module: str, **options: Any) -> dict[str, Any]:
        """A module in a process of its own, which shares nothing with those of other controllers."""
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        environment = {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp")}
        return ran(module, {**self.node, **options}, environment=environment).result

    def found(self) -> str:
        """The fingerprint of the CallManager certificate, as preflight reads it when a run begins."""
        shown = self.task("cucm_certificate_info", purposes=["CallManager"], served_ports={})
        return str(shown["certificates"][0]["sha256"])

    @cached_property
    def root(self) -> Authority:
        """The CA of this controller."""
        folder = self.folder / "ca"
        folder.mkdir(parents=True)
        return Authority.make(folder, f"Root of {self.folder.name}")

    def request(self, **options: Any) -> str:
        """A request for a certificate of this controller's CA."""
        return str(self.task("cucm_csr", issuer=self.root.pem, **options)["csr"])

    def signed(self, csr: str) -> dict[str, Any]:
        """The options of an upload with what the CA made of a request."""
        return {"certificate": self.root.sign(csr), "chain": [self.root.pem], "csr": csr}


@pytest.mark.parametrize("cluster", ["cucm125", "cucm140"])
def test_of_two_runs_on_two_controllers_the_second_ends_before_it_writes(
    lab: LabProcess, tmp_path: Path, cluster: str
) -> None:
    node = options(lab, cluster)
    here, elsewhere = Controller(tmp_path / "one", node), Controller(tmp_path / "other", node)
    seen_by_both = {here.found(), elsewhere.found()}
    assert len(seen_by_both) == 1
    known = seen_by_both.pop()
    # Both get the same pending CSR, and each has its own CA sign it.
    request = here.request(replaces=known)
    assert elsewhere.request(replaces=known) == request
    ours, theirs = here.signed(request), elsewhere.signed(request)
    upload = here.task("cucm_cert_upload", **ours, replaces=known)
    assert upload["changed"], upload
    since, trusted = len(lab.events()), lab.ask("dump")
    second = elsewhere.task("cucm_cert_upload", **theirs, replaces=known)
    assert second["failed"] and "another run, or a person, replaced the CallManager certificate" in second["msg"], (
        second
    )
    assert "Nothing was written there. Wait until the other run has ended, then run again." in second["msg"]
    assert second["replaced"]["sha256"] == upload["certificate"]["sha256"]
    # One that comes later still makes no CSR, which would make the certificate of the first useless.
    third = elsewhere.task("cucm_csr", replaces=known, regenerate="always")
    assert third["failed"] and "Making a CSR for CallManager on" in third["msg"], third
    # The restart of a run that does not know the certificate on the node is not made.
    restart = {**SERVICE, "state": "restarted", "serving": {"certificate": theirs["certificate"]}}
    late = elsewhere.task("cucm_service", **restart)
    assert late["failed"] and "Nothing was restarted there." in late["msg"], late
    assert restarts(lab, cluster.upper(), since) == [] and lab.ask("dump") == trusted
    again = here.task("cucm_cert_upload", **ours, replaces=known)
    assert not again["changed"] and not again.get("failed"), "a run that goes on knows its own certificate"


def test_a_restart_that_another_controller_makes_meanwhile_is_not_made_again(lab: LabProcess, tmp_path: Path) -> None:
    node = options(lab, "cucm150")
    here, elsewhere = Controller(tmp_path / "one", node), Controller(tmp_path / "other", node)
    upload = here.task("cucm_cert_upload", **here.signed(here.request()))
    task = {**SERVICE, "state": "restarted", "serving": {"certificate": upload["certificate"]["sha256"]}}
    started = seen(lab, "Cisco CallManager", "Started")
    # The second has checked the port, and is about to restart, when the first restarts.
    lab.ask("fault/add", interface="certmgr", action="stall", operation="*", node="cucm150", seconds=3, count=1)
    since = len(lab.events())
    with ThreadPoolExecutor(1) as another:
        second = another.submit(elsewhere.task, "cucm_service", **task)
        latest = time.monotonic() + 60
        while not any(event["kind"] == "fault" for event in lab.events()[since:]) and time.monotonic() < latest:
            time.sleep(0.05)
        first = Controller(tmp_path / "one", {**node, "os_username": None, "os_password": None}).task(
            "cucm_service", **task
        )
        assert first["changed"] and not second.result(120)["changed"], (first, second.result())
    assert seen(lab, "Cisco CallManager", "Started") - started == 1
