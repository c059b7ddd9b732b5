# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's admin: shell, driven by OpenSSH's client; its certificates and requests judged by openssl."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from cucm_lab.testing import LabProcess

READER = ("osread", "Os-Lab-91!platform-reading")
#: connects OpenSSH's client; see conftest.py
Connect = Callable[..., Any]
RELEASES = ["cucm91", "cucm105", "cucm115", "cucm125", "cucm140", "cucm150"]


def openssl(*arguments: str, text: str = "") -> str:
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=True)
    return done.stdout


def sign(csr: str, folder: Path, days: int = 365) -> tuple[str, str]:
    """(leaf, root) by openssl, with the request's extensions."""
    root, key = folder / "root.pem", folder / "root.key"
    if not root.exists():
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(root), "-days", "999",
                "-subj", "/O=Test/CN=Test Root CA")  # fmt: skip
    request = folder / "leaf.csr"
    request.write_text(csr)
    authority = ("-CA", str(root), "-CAkey", str(key), "-days", str(days))
    leaf = openssl("x509", "-req", "-in", str(request), *authority, "-copy_extensions", "copy")
    return leaf, root.read_text()


@pytest.mark.parametrize("cluster", RELEASES)
def test_openssh_walks_through_a_certificate(cluster: str, ssh: Connect, tmp_path: Path) -> None:
    shell = ssh(cluster).login()
    shell.send("set csr gen CallManager\r")
    if cluster in ("cucm140", "cucm150"):
        shell.expect(r"Include OU in CSR \(yes\|no\)\? $")
        shell.send("no\r")
    assert re.search(r"Successfully Generated CSR\s+for CallManager\.?", shell.expect("admin:$"))
    assert "CallManager/CallManager.csr" in shell.command("show csr list own")
    csr = shell.command("show csr own CallManager")
    openssl("req", "-noout", "-verify", text=csr)
    leaf, root = sign(csr, tmp_path)

    def paste(command: str, pem: str) -> str:
        shell.send(command + "\r")
        shell.expect("Paste the Certificate and Hit Enter\r\n$")
        shell.send(pem.strip().replace("\n", "\r") + "\r")
        return shell.expect("-----END CERTIFICATE-----\r\n") and shell.expect("admin:$")

    assert "CA certificate is not available in the trust-store" in paste("set cert import own CallManager", leaf)
    assert "Successfully imported certificate" in paste("set cert import trust CallManager", root)
    assert "Please restart services related to CallManager" in paste("set cert import own CallManager", leaf)
    own = shell.command("show cert own CallManager")
    assert leaf.strip() in own.replace("\r", "")
    assert ("]-----BEGIN CERTIFICATE-----" in own) == (cluster not in ("cucm140", "cucm150"))
    assert "CallManager/CallManager.pem: Certificate Signed by Test Root CA" in shell.command("show cert list own")
    listed = shell.command("show cert list trust")
    name = re.search(r"CallManager-trust/(Test_Root_CA\S*\.pem)", listed)
    assert name
    assert root.strip() in shell.command(f"show cert trust CallManager-trust/{name[1]}")
    assert shell.command("show csr own CallManager") == "CSR for CallManager does not exist"
    shell.command(f"set cert delete CallManager {name[1]}")
    assert name[1] not in shell.command("show cert list trust")


def test_printed_text_of_the_source_document(ssh: Connect) -> None:
    text = ssh("cucm91").login().command("show cert own ipsec")
    pem = text[text.index("-----BEGIN") :]
    assert "  SignatureAlgorithm: SHA1withRSA (1.2.840.113549.1.1.5)\n" in text
    assert "  Issuer Name: CN=CUCM91, OU=cisco, O=cisco, L=cisco, ST=cisco, C=IN\n" in text
    serial = openssl("x509", "-noout", "-serial", text=pem).strip().removeprefix("serial=")
    assert f"  Serial Number: {serial.lstrip('0')}\n" in text


def test_old_release_speaks_nothing_newer(ssh: Connect) -> None:
    session = ssh("cucm91", modern=True)
    session.process.wait(20)
    assert "Unable to negotiate" in session.errors()


def test_keyboard_interactive_only_on_15(ssh: Connect) -> None:
    refused = ssh("cucm150", ("osadmin", "Os-Lab-91!platform-account"), "-o", "PreferredAuthentications=password")
    refused.process.wait(20)
    assert "Permission denied (keyboard-interactive)" in refused.errors()
    ssh(
        "cucm150", ("osadmin", "Os-Lab-91!platform-account"), "-o", "PreferredAuthentications=keyboard-interactive"
    ).login()
    ssh("cucm125", ("osadmin", "Os-Lab-91!platform-account"), "-o", "PreferredAuthentications=password").login()


def test_no_command_without_a_shell(lab: LabProcess, ssh: Connect) -> None:
    session = ssh("cucm125")
    session.login()
    command = [*session.process.args[:-1], session.process.args[-1], "show version active"]  # type: ignore[index,list-item]
    assert subprocess.run(command, capture_output=True, timeout=20, check=False).returncode != 0


def test_pagination_waits_for_keys(ssh: Connect) -> None:
    shell = ssh("cucm115")
    shell.expect("admin:$")
    assert shell.command("show cli pagination") == "Automatic Pagination : On."
    shell.send("show cert own CallManager\r")
    first = shell.expect(r"\x1b\[1mPress <enter> for 1 line, <space> for one page, or <q> to quit\x1b\[0m$")
    assert "BEGIN CERTIFICATE" not in first
    shell.send("\r")
    assert shell.expect(r"quit\x1b\[0m$").count("\r\n") == 1
    shell.send(" ")
    assert shell.expect(r"quit\x1b\[0m$").count("\r\n") > 10
    shell.send("q")
    shell.expect(r"\r\x1b\[Kadmin:$")
    shell.command("set cli pagination off")
    assert "-----END CERTIFICATE-----" in shell.command("show cert own CallManager")


def test_account_of_level_0_reads_no_certificates(ssh: Connect) -> None:
    shell = ssh("cucm105", READER).login()
    assert "Insufficient privilege" in shell.command("set csr gen CallManager")
    assert "Active Master Version: 10.5.2" in shell.command("show version active")


def test_service_restart_streams_its_states(ssh: Connect) -> None:
    shell = ssh("cucm105").login()
    text = shell.command("utils service restart Cisco CallManager")
    assert re.search(r"CallManager\[STOPPING\]\n.*\[STARTING\]\n.*\[STARTED\]$", text)
    shell.command("utils service stop Cisco CTIManager")
    assert "Cisco CTIManager[STOPPED]  Commanded Out of Service" in shell.command("utils service list")
    shell.command("utils service start Cisco CTIManager")
    assert "Cisco CTIManager[STARTED]" in shell.command("utils service list")
    assert "does not exist" in shell.command("utils service restart Cisco Nothing")


def test_the_fips_mode_is_shown(ssh: Connect) -> None:
    assert ssh("cucm125").login().command("utils fips status") == "The system is operating in NON-FIPS mode."


def test_the_minimum_tls_version_is_shown_set_and_kept_to(lab: LabProcess, ssh: Connect) -> None:
    """From 11.5(1)SU3 on; by OpenSSL on port 5061."""

    def accepted() -> bool:
        port = f"{lab.address('cucm115')}:5061"
        order = ["openssl", "s_client", "-connect", port, "-tls1", "-cipher", "ALL:@SECLEVEL=0"]
        ran = subprocess.run(order, input=b"", capture_output=True, timeout=20, check=False)
        return b"BEGIN CERTIFICATE" in ran.stdout

    shell = ssh("cucm115").login()
    assert "minimum" not in ssh("cucm105").login().command("show tls min-version")
    assert "1.0" in shell.command("show tls min-version") and accepted()
    for answer, version in (("no", "1.0"), ("yes", "1.2")):
        _set_tls_minimum(shell, "1.2", answer)
        assert version in shell.command("show tls min-version")
    assert not accepted()
    _set_tls_minimum(shell, "1.0", "yes")
    assert accepted()


def _set_tls_minimum(shell: Any, version: str, answer: str) -> None:
    """Set it, and wait until Cisco CallManager has restarted."""
    shell.send(f"set tls min-version {version}\r")
    shell.expect(r"\(yes/no\) \? $")
    shell.send(answer + "\r")
    shell.expect("admin:$")
    while "Cisco CallManager[STARTED]" not in shell.command("utils service list"):
        time.sleep(0.2)


def test_services_are_activated_and_deactivated(ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    shell.command("utils service deactivate Cisco Tftp")
    assert "Cisco Tftp[STOPPED]  Service Not Activated" in shell.command("utils service list")
    assert shell.command("utils service start Cisco Tftp").endswith("Service Not Activated")
    shell.command("utils service activate Cisco Tftp")
    assert "Cisco Tftp[STARTED]" in shell.command("utils service list")
    refused = shell.command("utils service deactivate Cisco Tomcat")
    assert "Cisco Tomcat" in refused and "Cisco Tomcat[STARTED]" in shell.command("utils service list")


def test_regenerate_asks_and_replaces(ssh: Connect) -> None:
    shell = ssh("cucm140").login()
    before = shell.command("show cert own TVS")
    for answer, changed in (("no", False), ("yes", True)):
        shell.send("set cert regen TVS\r")
        shell.expect(r"Proceed with regeneration \(yes\|no\)\? $")
        shell.send(answer + "\r")
        shell.expect("admin:$")
        assert (shell.command("show cert own TVS") != before) == changed


def test_web_security_adds_names_to_the_csr(ssh: Connect) -> None:
    shell = ssh("cucm115").login()
    shell.send("set web-security unit organisation place state sip.example.com\r")
    shell.expect(r"\(yes\|no\)\? $")
    shell.send("yes\r")
    shell.expect("admin:$")
    shell.command("set csr gen CallManager")
    text = openssl("req", "-noout", "-text", text=shell.command("show csr own CallManager"))
    assert "DNS:sip.example.com" in text
    assert "O = organisation" in text


def test_capture_to_a_file_until_control_c(lab: LabProcess, ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    shell.send("utils network capture eth0 file packets count 100000 size all port 5060\r")
    shell.expect("Executing command with options:\r\n(.*\r\n){3}")
    with socket.create_connection((lab.address("cucm125"), 5060), 20) as peer:
        peer.sendall(b"no SIP at all\r\n\r\n" * 10)
        peer.settimeout(2)
        with contextlib.suppress(OSError):
            peer.recv(100)
    shell.send("\x03")
    shell.expect("admin:$")
    listed = shell.command("file list activelog platform/cli/* detail")
    assert "packets.cap" in listed
    assert "dir count = 0, file count = 1" in listed
    data = next(lab.state.glob("cucm125/*/var/log/active/platform/cli/packets.cap")).read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    assert len(data) > 24 + 3 * 16
    shell.command("file delete activelog platform/cli/packets.cap noconfirm")
    assert shell.command("file list activelog platform/cli/packets.cap") == "no such file or directory can be found"


def test_files_outside_of_the_log_are_out_of_reach(ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    for path in ("../../../../cluster.db", "platform/../../../../*", "/../../ssh_host_rsa_key"):
        assert shell.command(f"file list activelog {path}") == "no such file or directory can be found"


def test_faults(lab: LabProcess, ssh: Connect) -> None:
    lab.ask("fault/add", interface="ssh", action="paging", operation="show cert own*", count=1)
    shell = ssh("cucm91").login()
    shell.send("show cert own CallManager\r")
    shell.expect("<q> to quit")
    shell.send("q")
    shell.expect("admin:$")
    lab.ask("fault/add", interface="ssh", action="reset", operation="paste", count=1)
    shell.send("set cert import trust CallManager\r")
    shell.expect("Hit Enter\r\n")
    shell.send("-----BEGIN CERTIFICATE-----\rAAAA\rAAAA\rAAAA\rAAAA\r-----END CERTIFICATE-----\r")
    shell.process.wait(20)
    lab.ask("fault/add", interface="ssh", action="refuse", operation="connect", count=1)
    ssh("cucm91").process.wait(20)
    lab.ask("fault/add", interface="ssh", action="drop", operation="set csr gen*", count=1)
    shell = ssh("cucm91").login()
    shell.send("set csr gen TVS\r")
    shell.process.wait(20)
    assert "TVS/TVS.csr" in ssh("cucm91").login().command("show csr list own")
    lab.ask("fault/clear")


def test_unknown_commands_and_parameters(ssh: Connect) -> None:
    shell = ssh("cucm105").login()
    assert "No valid command entered" in shell.command("do something")
    assert "Incorrect number of parameters" in shell.command("set csr gen")
    assert "Invalid certificate type" in shell.command("set csr gen CallManager-ECDSA")


def test_bad_passwords_lock_the_account_on_its_node(lab: LabProcess, ssh: Connect) -> None:
    for _unused in range(5):
        ssh("cucm125", ("osread", "wrong"), "-o", "PreferredAuthentications=password").process.wait(20)
    session = ssh("cucm125", READER)
    session.process.wait(20)
    assert "Permission denied" in session.errors()
    ssh("cucm115", READER).login()
    lab.ask("clock", shift=301)
    ssh("cucm125", READER).login()
    lab.ask("clock", reset=True)
    text = (lab.state / "lab.log").read_text()
    assert READER[1] not in text
    assert "locked" in text


def test_typed_ahead_commands_are_carried_out_in_turn(ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    shell.send("show cli pagination\r\nshow version active\nexit\r")
    shell.expect("Automatic Pagination : Off.")
    shell.expect("Active Master Version")
    deadline = time.monotonic() + 10
    while shell.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shell.process.poll() == 0


def test_file_get_pushes_by_sftp(lab: LabProcess, ssh: Connect, tmp_path: Path) -> None:
    folder = next(lab.state.glob("cucm125/*/var/log/active/platform/cli"))
    (folder / "pushed.cap").write_bytes(b"packets" * 1000)
    received = tmp_path / "received"
    received.mkdir()

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("mark", "Sftp-Secret-1")

    async def serve(ready: threading.Event, ended: threading.Event) -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Server, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=bytes(received)),
        )  # fmt: skip
        ports.append(acceptor.get_port())
        ready.set()
        await asyncio.to_thread(ended.wait, 60)
        acceptor.close()

    ports: list[int] = []
    ready, ended = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve(ready, ended)))
    thread.start()
    try:
        assert ready.wait(20)
        shell = ssh("cucm125").login()
        for password, end in (("wrong", "SFTP transfer failed: "), ("Sftp-Secret-1", "Transfer completed.")):
            shell.send("file get activelog platform/cli/pushed.cap\r")
            answers = ("y", "127.0.0.1", str(ports[0]), "mark", password, "/")
            questions = (r"\[y/n\]\? $", "IP: $", r"\[22\]: $", "ID: $", "Password: $", "directory: $")
            for question, answer in zip(questions, answers, strict=True):
                shell.expect(question)
                shell.send(answer + "\r")
            said = shell.expect("admin:$")
            assert end in said
            assert password not in said
    finally:
        ended.set()
        thread.join(20)
    assert (received / "pushed.cap").read_bytes() == b"packets" * 1000


def test_a_service_that_never_starts_again_frees_the_shell_of_a_client_that_left(lab: LabProcess, ssh: Connect) -> None:
    lab.ask("fault/add", interface="service", action="fail", operation="start Cisco Tftp", count=1)
    shell = ssh("cucm115").login()
    # It did not come up, which is not the same as being stopped by order.
    assert shell.command("utils service restart Cisco Tftp").endswith("Cisco Tftp[STOPPED]  Component is not running")
    lab.ask("fault/add", interface="service", action="hang", operation="start Cisco Tftp", count=1)
    shell.send("utils service start Cisco Tftp\r")
    shell.expect(r"Cisco Tftp\[STARTING\]")
    shell.close()
    assert "Cisco Tftp[STARTING]" in ssh("cucm115").login().command("utils service list")
    lab.ask("fault/clear")


@pytest.mark.parametrize("cluster", ["cucm91", "cucm150"])
def test_5061_presents_the_upload_after_the_restart_and_not_before(
    lab: LabProcess, cluster: str, ssh: Connect, tmp_path: Path
) -> None:
    def presented() -> str:
        rsa = ["-cipher", "DEFAULT:@SECLEVEL=0", "-sigalgs", "RSA+SHA256:RSA-PSS+SHA256:RSA+SHA1"]
        order = ["openssl", "s_client", "-connect", f"{lab.address(cluster)}:5061", "-min_protocol", "TLSv1", *rsa]
        ran = subprocess.run(order, input=b"", capture_output=True, timeout=20, check=False)
        done = ran.stdout.decode(errors="replace")
        found = re.search(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", done, re.DOTALL)
        assert found, done
        return found[0]

    shell = ssh(cluster).login()
    before = presented()
    shell.send("set csr gen CallManager\r")
    if cluster == "cucm150":
        shell.expect(r"\(yes\|no\)\? $")
        shell.send("no\r")
    shell.expect("admin:$")
    leaf, root = sign(shell.command("show csr own CallManager"), tmp_path)
    for kind, pem in (("trust", root), ("own", leaf)):
        shell.send(f"set cert import {kind} CallManager\r")
        shell.expect("Hit Enter\r\n$")
        shell.send(pem.strip().replace("\n", "\r") + "\r")
        shell.expect("Successfully imported")
        shell.expect("admin:$")
    assert presented() == before
    assert "[STARTED]" in shell.command("utils service restart Cisco CallManager")
    assert presented() == leaf.strip()


def test_session_timeout_asks_and_takes_a_key(lab: LabProcess, ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    for key, answered in (("n", False), ("y", True)):
        shell.send("set cli session timeout 45\r")
        shell.expect(r"Continue \(y/n\)\?$")
        shell.send(key)
        assert ("45 minutes" in shell.expect("admin:$")) == answered
    lab.ask("inferred", name="shell.session_timeout_asks", value=False)
    assert "30 minutes" in shell.command("set cli session timeout 30")
    lab.ask("inferred", name="shell.session_timeout_asks", value=True)


def test_import_own_with_a_ca_that_the_store_does_not_hold(ssh: Connect, tmp_path: Path) -> None:
    shell = ssh("cucm125").login()
    shell.command("set csr gen ipsec")
    leaf, root = sign(shell.command("show csr own ipsec"), tmp_path)
    shell.send("set cert import trust ipsec\r")
    shell.expect("Hit Enter\r\n$")
    shell.send(root.strip().replace("\n", "\r") + "\r")
    shell.expect("Successfully imported")
    shell.expect("admin:$")
    name = re.search(r"ipsec-trust/(Test_Root_CA\S*\.pem)", shell.command("show cert list trust"))
    assert name
    for ca, said in (("Other.pem", "Certificate Other.pem does not exist"), (name[1], "Successfully imported")):
        shell.send(f"set cert import own ipsec {ca}\r")
        shell.expect("Hit Enter\r\n$")
        shell.send(leaf.strip().replace("\n", "\r") + "\r")
        shell.expect("-----END CERTIFICATE-----\r\n")
        assert said in shell.expect("admin:$")


def test_what_the_shell_says_of_its_machine(ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    status = shell.command("show status")
    for line in (
        "Host Name          : CUCM125",
        "Uptime:",
        "CPU Idle:",
        "Memory Total:",
        "Disk/active",
        "Disk/logging",
    ):
        assert line in status
    assert "HW Platform       : VMware Virtual Machine" in shell.command("show hardware")
    assert "account name    : osadmin" in shell.command("show myself")
    state = shell.command("utils dbreplication runtimestate")
    assert re.search(r"Cluster Detailed View from CUCM125 \(1 Servers\):", state)
    assert re.search(r"CUCM125 +127\.\S+ +\d\.\d+ +Y/Y/Y +0 +\(g_2\) +\(2\) Setup Completed", state)


def test_sql_in_the_shell(ssh: Connect) -> None:
    shell = ssh("cucm125").login()
    table = shell.command("run sql select name, description from device where name = 'SEP000000001125'").split("\n")
    assert table == ["name            description", "=============== ===========", "SEP000000001125 1125       "]
    assert shell.command("run sql select name from device where name = 'none'") == "No records found"
    assert "(spaceships) is not in the database" in shell.command("run sql select * from spaceships")
    assert shell.command("run sql update device set description = 'Desk' where name = 'SEP000000001125'") == "Rows: 1"
    assert "Desk" in shell.command("run sql select description from device where name = 'SEP000000001125'")
    assert "privilege" in ssh("cucm115", READER).login().command("run sql select name from device")


@pytest.mark.parametrize("cluster", ["cucm105", "cucm125", "cucm140"])
def test_a_second_attempt_on_one_connection_is_answered(lab: LabProcess, cluster: str) -> None:
    """Paramiko and its like ask for the authentication service anew before each attempt; OpenSSH's server allows it."""

    class Client(asyncssh.SSHClient):
        attempts = 0

        def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
            self.connection = conn

        def kbdint_auth_requested(self) -> None:
            return None

        def password_auth_requested(self) -> str:
            self.attempts += 1
            if self.attempts == 1:
                return "wrong"
            self.connection.send_service_request(b"ssh-userauth")
            return "Os-Lab-91!platform-account"

    async def log_in() -> int:
        connection, client = await asyncssh.create_connection(
            Client, lab.address(cluster), 2222, username="osadmin", known_hosts=None, client_keys=None, config=[],
            agent_path=None, preferred_auth="password", kex_algs="*", server_host_key_algs="*", mac_algs="*",
        )  # fmt: skip
        connection.abort()
        assert isinstance(client, Client)
        return client.attempts

    assert asyncio.run(log_in()) >= 2


def test_whether_15_takes_a_plain_password(lab: LabProcess, ssh: Connect) -> None:
    account, option = ("osadmin", "Os-Lab-91!platform-account"), ("-o", "PreferredAuthentications=password")
    lab.ask("inferred", name="shell.no_plain_password", value=False)
    ssh("cucm150", account, *option).login()
    lab.ask("inferred", name="shell.no_plain_password", value=True)
