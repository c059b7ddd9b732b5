# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchanges that the product's clients record: without secrets, served again, and asked of the lab."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._net import recording
from cucm_lab.testing import LabProcess, cluster, free_net, write_scenario

from tests.support.certificate_kit import Authority
from tests.support.module_processes import run_module
from tests.unit.record.test_twins import access

pytestmark = pytest.mark.xdist_group("replay")


@dataclass
class Fixtures:
    """What the clients recorded of a lab, what they returned, and the secrets of the lab."""

    folder: Path
    results: dict[str, Any]
    lab: LabProcess
    secrets: list[str]

    @property
    def text(self) -> str:
        return (self.folder / recording.FILE).read_text()


def asked(options: dict[str, Any], platform: dict[str, Any]) -> dict[str, Any]:
    """The results of modules that use AXL, SOAP services, the REST API and the CLI."""
    found = {
        "info": run_module("cucm_info", **options, gather=["services", "rights", "phones"]),
        "certificates": run_module("cucm_certificate_info", **platform, served_ports={}),
        "ctl": run_module("cucm_ctl", **platform, files=["itl"]),
    }
    for result in found.values():
        assert not result.get("failed"), result
        for varying in ("clock", "invocation"):
            result.pop(varying, None)
    return found


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixtures]:
    """Reads of a 12.5, whose certificates are a matter of the CLI."""
    folder = tmp_path_factory.mktemp("replay")
    with LabProcess(folder / "lab", write_scenario(folder / "site.yml", [cluster(33, "12.5", name="bern")])) as lab:
        host = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"]["bern"]
        application, platform = (access(host, lab, platform=platform) for platform in (False, True))
        authority = Authority.make(folder, "Site CA")
        assert run_module("cucm_csr", **platform, issuer=authority.pem)["changed"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(recording.VARIABLE, str(folder / "fixtures"))
            results = asked(application, platform)
            assert not run_module("cucm_csr", **platform, issuer=authority.pem)["changed"]
        secrets = [str(host["cucm_password"]), str(host["cucm_os_password"])]
        yield Fixtures(folder / "fixtures", results, lab, secrets)


def test_no_secret_key_or_cookie_is_in_the_fixtures(fixtures: Fixtures) -> None:
    text, kinds = fixtures.text, {json.loads(line)["kind"] for line in fixtures.text.splitlines()}
    assert kinds == {"https", "cli"} and "executeSQLQuery" in text and "show " in text
    assert "soapGetServiceStatus" in text or "soapGetStaticServiceList" in text, "a SOAP service beside AXL"
    for word in (*fixtures.secrets, "PRIVATE KEY", "JSESSIONID", "Authorization", "cookie", "Basic "):
        assert word.lower() not in text.lower(), word
    assert (fixtures.folder / recording.FILE).stat().st_mode & 0o077 == 0


@contextmanager
def replayed(folder: Path, state: Path) -> Iterator[dict[str, Any]]:
    """`cucm_lab replay` serves; what replay.json says."""
    net = free_net()
    command = [sys.executable, "-m", "cucm_lab", "replay", str(folder), "--net", net, "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            end = time.monotonic() + 60
            while not (state / "replay.json").exists():
                assert process.poll() is None and time.monotonic() < end
                time.sleep(0.1)
            time.sleep(0.2)
            yield json.loads((state / "replay.json").read_text())
        finally:
            process.terminate()
            process.wait(20)


def test_the_clients_read_the_same_from_a_replay(fixtures: Fixtures, tmp_path: Path) -> None:
    with replayed(fixtures.folder, tmp_path / "state") as served:
        (address,) = served["nodes"].values()
        own = {"host": address, "ca_path": str(tmp_path / "state" / "https-ca.pem"), "port": served["https"]}
        application = {**own, "username": "anybody", "password": "anything"}
        platform = {
            **own, "os_username": "anybody", "os_password": "anything", "ssh_port": served["ssh"],
            "ssh_known_hosts": str(tmp_path / "state" / "known_hosts"),
        }  # fmt: skip
        again = json.loads(json.dumps(asked(application, platform)).replace(address, next(iter(served["nodes"]))))
    for name, result in fixtures.results.items():
        assert again[name] == result


def compared(fixtures: Fixtures) -> tuple[int, str]:
    """What `cucm_lab replay --compare` says of the running lab."""
    done = subprocess.run(
        [sys.executable, "-m", "cucm_lab", "replay", str(fixtures.folder), "--compare", "--state",
         str(fixtures.lab.state)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_lab_is_compared_with_the_fixtures(fixtures: Fixtures) -> None:
    code, said = compared(fixtures)
    assert (code, said) == (0, "0 requests are answered differently by the lab.\n"), said
    assert json.dumps(fixtures.lab.ask("dump")), "and only reads were asked"


def test_what_the_lab_answers_differently_is_shown(fixtures: Fixtures, tmp_path: Path) -> None:
    lines = fixtures.text.splitlines()
    changed = [
        line.replace("Serial Number", "Seriennummer").replace('"status": 200', '"status": 203') for line in lines
    ]
    assert sum(line != other for line, other in zip(lines, changed, strict=True)) > 2
    other = tmp_path / "fixtures"
    other.mkdir()
    (other / recording.FILE).write_text("\n".join(changed))
    code, said = compared(Fixtures(other, {}, fixtures.lab, []))
    assert code == 1 and "only the fixture: Seriennummer:" in said and "only the lab: Serial Number:" in said, said
    assert "only the fixture: status 203\n  only the lab: status 200" in said, said


def test_a_folder_without_fixtures_is_refused_in_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cucm_lab", "replay", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "cannot be read" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<ns:password>x</ns:password><name>a</name>", "<ns:password>********</ns:password><name>a</name>"),
        ("<digestCredentials a='b'>x</digestCredentials>", "<digestCredentials a='b'>********</digestCredentials>"),
        ("<pin>12345</pin><shipping>1</shipping>", "<pin>********</pin><shipping>1</shipping>"),
        ('{"token": "x", "l": [{"secret": "y"}]}', '{"token": "********", "l": [{"secret": "********"}]}'),
        ("a=crypto:1 AES inline:c2VjcmV0|2^20", "a=crypto:1 AES inline:********|2^20"),
        ("Cookie: JSESSIONID=abc; x", "Cookie: JSESSIONID=********; x"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n********\nb"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "********"),
        ("the password is hunter2", "the password is ********"),
    ],
)  # fmt: skip
def test_secrets_are_masked_wherever_they_are(text: str, kept: str) -> None:
    assert recording.redacted({"body": text}, ["hunter2"]) == {"body": kept}
