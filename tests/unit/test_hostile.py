# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CUCM that means harm: bombs, entities, endless answers, escape sequences, Jinja in names, tricks in paths."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_removal import sip_tls_removal
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.document import change_plan
from cucm_lab.testing import LabProcess

from tests.support import scripted_ssh as ssh
from tests.support.module_processes import Ran, ran
from tests.support.scripted_server import Handler, Server, status
from tests.support.scripted_ssh import Script

APPLICATION = {"username": "axladmin", "password": "a-password-of-the-test"}
PLATFORM = {"os_username": "osadmin", "os_password": "another-password"}
#: bytes that a module may need at its worst: what it has imported, and the largest answer that it takes
MODEST, LARGE = 250 << 20, 700 << 20
READERS: dict[str, dict[str, Any]] = {
    "cucm_info": APPLICATION,
    "cucm_service": {**APPLICATION, "name": "Cisco Tftp", "interface": "soap"},
    "cucm_sip_trunk_info": APPLICATION,
    "cucm_trace_info": APPLICATION,
    "cucm_certificate_info": {**PLATFORM, "interface": "rest"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return Server(tmp_path_factory.mktemp("hostile"))


def read(server: Server, module: str, **more: Any) -> Ran:
    """A module that reads from the server, which it trusts."""
    node = {"host": "127.0.0.1", "port": server.http.server_port, "ca_path": str(server.ca), "timeout": 5}
    return ran(module, {**node, **READERS[module], **more})


def refused(done: Ran, memory: int = MODEST) -> str:
    """The sentence with which a module refused what it got; nothing else may have come of it."""
    said = done.sentence
    assert said and "127.0.0.1" in said, done.result
    assert "does not know" not in said and "Traceback" not in done.output, done.output
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", said), repr(said)
    assert done.memory < memory, f"{done.memory >> 20} MiB"
    return said


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a><version>{}</version></a></s:Body>'
    "</s:Envelope>"
)
DOCUMENTS = {
    "billion laughs": f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">{LAUGHS}]>' + SOAP.format("&l9;"),
    "an entity from a file": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + SOAP.format("&x;"),
    "an entity from the net": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "http://127.0.0.1:PORT/x">]>'
    + SOAP.format("&x;"),
    "a type from the net": '<?xml version="1.0"?><!DOCTYPE d SYSTEM "http://127.0.0.1:PORT/d.dtd">' + SOAP.format("1"),
    "a type far down": f'<?xml version="1.0"?><!--{"x" * 9000}--><!DOCTYPE d [<!ENTITY x SYSTEM '
    '"file:///etc/passwd">]>' + SOAP.format("&x;"),
    "deep nesting": "<a>" * 200_000 + "</a>" * 200_000,
    "deep JSON": "[" * 200_000,
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Callable[..., tuple[Script, dict[str, Any]]]]:
    """node(**script) -> (script, platform options) of a scripted node whose host key is known."""
    servers: list[ssh.Server] = []
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)

    def start(**script: Any) -> tuple[Script, dict[str, Any]]:
        made = Script(**script)
        servers.append(ssh.Server(made, key))
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{servers[-1].port} {key.export_public_key().decode().strip()}\n")
        return made, {"host": "127.0.0.1", "ssh_port": servers[-1].port, "os_username": "osadmin",
                      "os_password": made.password, "ssh_known_hosts": str(known), "timeout": 5}  # fmt: skip

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """(port, paths) of a web server that nobody should ask anything."""
    paths: list[str] = []

    class Watch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

    http = HTTPServer(("127.0.0.1", 0), Watch)
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    yield http.server_port, paths
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("module", READERS)
def test_documents_that_do_harm(server: Server, module: str, encoding: str, asked: tuple[int, list[str]]) -> None:
    for name, document in DOCUMENTS.items():
        if encoding == "utf-16" and name not in ("billion laughs", "an entity from a file"):
            continue
        body = document.replace("PORT", str(asked[0])).encode(encoding)
        server.play(status(200, body))
        done = read(server, module)
        refused(done)
        assert "root:x:0" not in done.output and "lollol" not in done.output, name
    assert not asked[1], "an entity was fetched"


def endless(sent: list[int], announced: bool) -> Callable[[Handler], None]:
    """A step that answers with a gigabyte, and notes how much of it went out."""

    def step(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/xml")
        if announced:
            handler.send_header("Content-Length", str(1 << 30))
        else:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        handler.end_headers()
        block = b"<a>" + b"x" * 65533
        try:
            for _unused in range((1 << 30) // len(block)):
                handler.wfile.write(block)
                sent[0] += len(block)
        except OSError:
            pass
        handler.close_connection = True

    return step


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "without-a-length"])
@pytest.mark.parametrize("module", READERS)
def test_a_gigabyte_is_refused_long_before_its_end(server: Server, module: str, announced: bool) -> None:
    sent = [0]
    server.play(endless(sent, announced))
    said = refused(read(server, module))
    assert "larger than" in said
    assert sent[0] < 200 << 20


def test_a_file_of_a_gigabyte_is_refused(server: Server, tmp_path: Path) -> None:
    listing = status(200, listed("/var/log/active/cm/trace/ccm/sdl/SDL001_100_000001.txt.gz"))
    sent = [0]
    server.play(listing, listing, endless(sent, False))
    refused(read(server, "cucm_trace_info", dest=str(tmp_path)), LARGE)
    assert sent[0] < 400 << 20 and not list(tmp_path.iterdir())


def listed(*paths: str) -> bytes:
    """An answer of Log Collection that names files."""
    files = "".join(
        f"<n:File><n:name>{path.rpartition('/')[2]}</n:name><n:absolutepath>{path}</n:absolutepath>"
        f"<n:filesize>10</n:filesize><n:modifiedDate>now</n:modifiedDate></n:File>"
        for path in paths
    )
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n="http://schemas.cisco.com/ast/soap">'
        f"<s:Body><n:selectLogFilesResponse>{files}</n:selectLogFilesResponse></s:Body></s:Envelope>"
    ).encode()


def a_file(handler: Handler) -> None:
    """A step of DIME: a small file."""
    body = (
        b'--b\r\nContent-Type: text/xml\r\n\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        b"<x/></s:Body></s:Envelope>\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nhello\r\n--b--\r\n"
    )
    handler.reply(200, body, Content_Type='multipart/related; boundary="b"')


@pytest.mark.parametrize(
    "path",
    ["../../../evil/SDL001_100_000001.txt", "/a/..", "/a/../../SDL001_100_000001.txt", "SDL001_100_000001.txt",
     "/x/SDL001_100_000001.txt&#10;.ssh", "/x/..\\..\\SDL001_100_000001.txt", "~/SDL001_100_000001.txt"],
)  # fmt: skip
def test_a_path_leads_nowhere_but_into_the_folder(server: Server, tmp_path: Path, path: str) -> None:
    listing = status(200, listed(path))
    server.play(listing, listing, a_file)
    folder = tmp_path / "deep" / "down" / "dest"
    done = read(server, "cucm_trace_info", dest=str(folder))
    assert "does not know" not in done.sentence, done.sentence
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent == folder for path in written), written
    assert not (Path.cwd() / "evil").exists()


EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31mRED\x00"


@pytest.mark.parametrize("module", READERS)
def test_escape_sequences_do_not_reach_the_terminal(server: Server, module: str) -> None:
    for code in (200, 500):
        server.play(status(code, f"<a>{EVIL}</a>".encode()))
        refused(read(server, module))


def test_escape_sequences_in_a_fault_do_not_reach_the_terminal(server: Server) -> None:
    fault = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>x</faultcode>'
        "<faultstring>\u009b31mRED\u0085</faultstring><detail><axlError><axlcode>1</axlcode>"
        "<axlmessage>\u009b31mRED\u0085</axlmessage></axlError></detail></s:Fault></s:Body></s:Envelope>"
    ).encode()
    for module in READERS:
        server.play(status(500, fault))
        assert "RED" in refused(read(server, module))


def test_escape_sequences_of_the_cli_do_not_reach_the_terminal(node: Any) -> None:
    script, options = node(commands={"show cert list own": f"CallManager/CallManager.pem: {EVIL}\n{EVIL}\n",
                                     "show cert own CallManager": EVIL + "\n"})  # fmt: skip
    done = ran("cucm_certificate_info", {**options, "interface": "cli"})
    assert script.typed
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", json.dumps(done.result, ensure_ascii=False)), done.result


def test_jinja_in_names_stays_text(tmp_path: Path) -> None:
    """What CUCM holds is data: ansible-playbook shows it, compares it and keeps it, and never evaluates it."""
    with LabProcess(tmp_path / "lab") as lab:
        names_of_jinja(lab, tmp_path)


def names_of_jinja(lab: LabProcess, tmp_path: Path) -> None:
    """The test itself, while the lab runs."""
    host = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"]["cucm10"]
    options = {name: host[f"cucm_{name}"] for name in ("host", "username", "password", "ca_path", "legacy_crypto")}
    mark = tmp_path / "owned"
    evil = "{{ 7*7 }} {{ lookup('pipe','touch OWNED') }}".replace("OWNED", str(mark.name))
    made = ran("cucm_sip_trunk_profile", {**options, "name": "{{ 7*7 }}", "description": evil,
                                          "copy_from": "Non Secure SIP Trunk Profile"})  # fmt: skip
    assert made.result["changed"], made.result
    play = {
        "hosts": "localhost", "gather_facts": False, "connection": "local",
        "tasks": [
            {"siptls.cucm.cucm_sip_trunk_profile": {**options, "name": {"__ansible_unsafe": "{{ 7*7 }}"},
                                                    "description": "another"},
             "register": "found", "check_mode": True, "diff": True},
            {"ansible.builtin.set_fact": {"kept": "{{ found }}"}},
            {"ansible.builtin.debug": {"var": "kept.diff"}},
            {"ansible.builtin.copy": {"content": "{{ kept.diff | to_json }}", "dest": str(tmp_path / "kept.json")}},
            {"ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": "{{ kept.diff | list }}"},
        ],
    }  # fmt: skip
    text = json.dumps([play]).replace('{"__ansible_unsafe": "{{ 7*7 }}"}', "NAME")
    (tmp_path / "play.yml").write_text(text.replace("NAME", '!unsafe "{{ 7*7 }}"'))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", str(tmp_path / "play.yml"), "-i", "localhost,", "-e",
         f"ansible_python_interpreter={sys.executable}"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "ANSIBLE_HOME": str(tmp_path / "ansible"), "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert evil in json.dumps(json.loads((tmp_path / "kept.json").read_text())), done.stdout
    assert not mark.exists() and "49" not in re.sub(r"\d{3,}", "", (tmp_path / "kept.json").read_text())


def test_an_expired_password_is_called_so(node: Any) -> None:
    script, options = node(keyboard_only=True, expired="You are required to change your password immediately")
    done = ran("cucm_certificate_info", {**options, "interface": "cli"})
    assert "the password has expired" in done.sentence and done.result["reason"] == "account", done.result
    assert script.passwords == [script.password]


def test_a_node_without_a_free_session_is_called_so(node: Any) -> None:
    _script, options = node(full=True, welcome="Maximum number of CLI sessions reached\r\n")
    done = ran("cucm_certificate_info", {**options, "interface": "cli"})
    assert "the maximum number of CLI sessions is open" in done.sentence and done.result["reason"] == "busy", (
        done.result
    )


#: characters that rewrite what a terminal shows, or make one name look like another
MARKS = "\u202egnp\u2066\u200f\u061c\u2028\x85\x1b[2J\x9b"


def test_marks_in_a_certificate_do_not_reach_results(node: Any, tmp_path: Path) -> None:
    name = f"node{MARKS}.example.com"
    subject = tmp_path / "cert.pem"
    # OpenSSL makes it, as whoever attacks would.
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", os.devnull, "-out", str(subject),
         "-days", "9", "-utf8", "-subj", f"/CN={name}/O=a{MARKS}b"],
        check=True, capture_output=True,
    )  # fmt: skip
    _script, options = node(commands={"show cert list own": f"CallManager/CallManager.pem: {MARKS}\n",
                                      "show cert own CallManager": subject.read_text()})  # fmt: skip
    done = ran("cucm_certificate_info", {**options, "interface": "cli", "served_ports": {}})
    assert done.result["certificates"], done.result
    shown = json.dumps(done.result, ensure_ascii=False)
    assert "\\\\u202e" in shown, "the mark is shown as its escape"
    assert not re.search(HARM, shown) and not re.search(HARM, done.output), shown


HARM = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]"


def test_marks_in_a_name_of_an_alarm_do_not_reach_results(tmp_path: Path) -> None:
    trace = tmp_path / "SDL001_100_000001.txt"
    trace.write_text(
        f"00000001.001 |10:00:00.000 |AlarmErr |AlarmName: SIPTrunkOOS, AlarmParameters: DeviceName:t{MARKS}rk,\n",
        encoding="utf-8", newline="",
    )  # fmt: skip
    done = ran("cucm_trace_info", {"files": [str(trace)]})
    shown = json.dumps(done.result)
    assert "u202e" in shown, shown
    assert not re.search(HARM, json.dumps(done.result, ensure_ascii=False)), done.result


def test_marks_in_names_of_objects_do_not_reach_sentences_and_plan(tmp_path: Path) -> None:
    """cucm_object_info returns names exactly as CUCM has them; what people read of them is made harmless."""
    name = f"T{MARKS}runk"
    settings = {
        "name": "T-{peer}", "profile": "P {peer}", "route_group": "", "route_list": "", "sip_profile": "S",
        "sip_profile_copy_from": "", "partition": "", "port": 5061,
    }  # fmt: skip
    user = {"kind": "sip_trunk", "name": name, "partition": "", "description": "", "of_kind": "sip_trunk_profile"}
    found = {
        "objects": [{"kind": "sip_trunk_profile", "name": "P b", "partition": "", "object": {"name": "P b"}}],
        "users": [{**user, "of": "P b"}], "trunks": [],
    }  # fmt: skip
    kept = sip_tls_removal(["b"], settings=settings, peers=["b"], found=found)["kept"]
    assert "u202e" in str(kept) and not re.search(HARM, json.dumps(kept, ensure_ascii=False)), kept
    facts = {"preflight_cluster": {"version": "14", "warnings": [name]}, "sip_tls_trunk_objects": {"offers": [name]}}
    for form in ("", "html", "markdown"):
        plan = json.dumps(change_plan({"west": facts}, form=form), ensure_ascii=False)
        assert "u202e" in plan and not re.search(HARM, plan), plan


def test_guards_that_are_down_are_reported(server: Server) -> None:
    server.play(status(500, b"<a/>"))
    warned = read(server, "cucm_info", validate_certs=False).output
    assert "validate_certs is false" in warned
    pinned = read(server, "cucm_info", validate_certs=False, tls_fingerprint="0" * 64).output
    assert "validate_certs is false" not in pinned
    assert "validate_host_key is false" in read(server, "cucm_certificate_info", validate_host_key=False).output
