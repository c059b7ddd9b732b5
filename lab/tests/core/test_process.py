# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""up, status, down, reset: a real lab process, its files, its ports, its kept state."""

from __future__ import annotations

import json
import os
import select
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cucm_lab.control import ControlError
from cucm_lab.testing import LabProcess, free_net

#: what a test process does that is killed in the middle
STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from cucm_lab.testing import LabProcess
print(LabProcess(Path(sys.argv[1])).up().description["pid"], flush=True)
time.sleep(600)
"""
PORTS = (8443, 2222, 5061, 5060)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "cucm_lab", *arguments], capture_output=True, text=True, check=False)


def serves(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 2).close()
    except OSError:
        return False
    return True


def served(address: tuple[str, int]) -> bytes:
    """The certificate that an old server shows, in DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(address, 5) as plain, context.wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True) or b""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab") / "state") as process:
        yield process


def test_a_life_of_a_lab(tmp_path: Path) -> None:
    lab = LabProcess(tmp_path / "state")
    up = command("up", "--state", str(lab.state), "--net", lab.net)
    assert up.returncode == 0, up.stderr
    assert "CUCMA" in up.stdout
    assert "10.5.2.10000-5" in up.stdout
    pid = lab.description["pid"]
    addresses = [lab.address("cucma"), lab.address("cucm10")]
    assert all(serves(address, port) for address in addresses for port in PORTS)

    again = command("up", "--state", str(lab.state), "--net", lab.net)
    assert again.returncode == 0
    assert "already up" in again.stdout

    status = command("status", "--state", str(lab.state))
    assert "all services started" in status.stdout

    before = lab.ask("dump")
    down = command("down", "--state", str(lab.state))
    assert down.returncode == 0, down.stderr
    ended = Path(f"/proc/{pid}/cmdline")
    assert not ended.exists() or ended.read_bytes() == b""
    assert not any(serves(address, port) for address in addresses for port in PORTS)
    assert not (lab.state / "lab.json").exists()
    assert not (lab.state / "control.sock").exists()
    with pytest.raises(ControlError, match="No lab runs in"):
        lab.ask("status")

    with lab:
        assert lab.ask("dump") == before


def test_files_that_up_leaves(lab: LabProcess) -> None:
    hosts = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"]
    assert hosts["cucma"]["cucm_host"] == lab.address("cucma")
    assert hosts["cucma"]["cucm_local_patterns"] == ["1018"]
    assert hosts["cucma"]["cucm_legacy_crypto"] is True
    assert hosts["cucm10"]["cucm_local_patterns"] == ["9898"]
    assert Path(hosts["cucma"]["cucm_ca_path"]).read_text().count("BEGIN CERTIFICATE") == 2
    known = (lab.state / "known_hosts").read_text()
    assert f"[{lab.address('cucma')}]:2222" in known
    assert "ssh-rsa " in known
    passwords = [host[key] for host in hosts.values() for key in ("cucm_password", "cucm_os_password")]
    for path in lab.state.rglob("*"):
        if not path.is_file() or path.is_socket():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if any(password.encode() in path.read_bytes() for password in passwords):
            assert path == lab.inventory
            assert mode == 0o600
        assert b"PRIVATE KEY" not in path.read_bytes() or mode & 0o077 == 0, path


def test_a_port_that_is_taken_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    lab = LabProcess(tmp_path / "state")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((lab.net + ".105.1", 8443))
        other.listen()
        up = command("up", "--state", str(lab.state), "--net", lab.net)
    assert up.returncode == 1
    assert "CUCM10 can't serve https" in up.stderr
    assert "Traceback" not in up.stderr
    assert not (lab.state / "lab.json").exists()
    assert not serves(lab.net + ".91.1", 8443)


def test_a_state_of_other_addresses_is_refused_and_kept(tmp_path: Path) -> None:
    lab = LabProcess(tmp_path / "state")
    lab.up()
    before = lab.ask("dump")
    lab.down()
    up = command("up", "--state", str(lab.state), "--net", free_net())
    assert up.returncode == 1 and f"was made with CUCMA at {lab.net}.91.1" in up.stderr
    with lab:
        assert lab.ask("dump") == before


def test_a_net_that_is_taken_meanwhile_leaves_nothing_in_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = LabProcess(tmp_path / "state")
    taken, other = lab.net, free_net()
    monkeypatch.setattr("cucm_lab.testing.free_net", lambda _scenario: other)
    with socket.create_server((f"{taken}.105.1", 8443)), lab:
        certificate = x509.load_der_x509_certificate(served((f"{other}.105.1", 8443)))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert str(names.value.get_values_for_type(x509.IPAddress)[0]) == f"{other}.105.1"


def test_reset_forgets(tmp_path: Path) -> None:
    with LabProcess(tmp_path / "state") as lab:
        https = (lab.address("cucm10"), 8443)
        certificate = served(https)
        pid = lab.description["pid"]
        done = command("reset", "--state", str(lab.state))
        assert done.returncode == 0, done.stderr
        assert lab.description["pid"] != pid
        assert served(https) != certificate
        assert lab.ask("status")["scenario"] == "two-clusters"


def test_unknown_scenario_is_a_sentence(tmp_path: Path) -> None:
    up = command("up", "--state", str(tmp_path), "--scenario", "none-such")
    assert up.returncode == 1
    assert "two-clusters" in up.stderr
    assert "Traceback" not in up.stderr


def test_clock_and_faults_by_command(lab: LabProcess) -> None:
    state = ("--state", str(lab.state))
    assert "34560000" in command("clock", *state, "--", "+400d").stdout
    assert "(shifted by 0 s)" in command("clock", "reset", *state).stdout
    rule = json.loads(command("fault", "add", "interface=axl", "action=status", "count=2", *state).stdout)
    assert (rule["id"], rule["status"], rule["count"]) == (1, 503, 2)
    bad = command("fault", "add", "interface=axl", "action=explode", *state)
    assert bad.returncode == 1
    assert "explode" in bad.stderr
    assert json.loads(command("fault", "clear", *state).stdout) == {"cleared": 1}


def test_calls_are_told_in_a_sentence(lab: LabProcess) -> None:
    state = ("--state", str(lab.state))
    failed = command("call", "cucma", "1018", "9898", *state)
    assert failed.returncode == 2
    assert failed.stdout.startswith("1018 called 9898: failed")
    result = json.loads(command("call", "cucma", "1018", "9898", "--json", *state).stdout)
    assert (result["result"], result["from"]) == ("failed", "1018")
    own = command("call", "cucma", "1018", "1018", *state)
    assert own.stdout.startswith("1018 called 1018:")
    unknown = command("call", "cucma", "7777", "9898", *state)
    assert unknown.returncode == 1
    assert "no phone 7777" in unknown.stderr


def test_reset_of_a_scenario_from_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    own.write_text(
        "clusters:\n- {name: only, release: '14', nodes: [{name: ONLY, address: 127.0.7.1}], accounts: {application: "
        "[{username: a, password: b-secret}], platform: [{username: c, password: d-secret}]}}\n"
    )
    with LabProcess(tmp_path / "state", str(own)) as lab:
        done = command("reset", "--state", str(lab.state))
        assert done.returncode == 0, done.stderr
        assert lab.ask("status")["clusters"][0]["name"] == "only"


def test_the_lab_ends_with_a_test_process_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path / "state")], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        lab = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
    # Not select(), which takes no descriptor above 1,023; a test process that has run much has such.
    watch = select.poll()
    watch.register(lab, select.POLLIN)
    ended = watch.poll(30_000)
    os.close(lab)
    assert ended, "the lab goes on without the process that started it"


def test_a_lab_can_not_live_as_long_as_nobody(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    refused = command("up", "--state", str(tmp_path / "state"), "--while-pid", str(gone.pid))
    assert refused.returncode == 1
    assert f"no process {gone.pid}" in refused.stderr
