# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Microsoft CA, judged by PyPI's `certsrv` client (Basic and NTLM) and by openssl."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cucm_lab.testing import LabProcess

certsrv = pytest.importorskip("certsrv", reason="PyPI's certsrv judges the lab's CA: pip install certsrv")

USER, PASSWORD = "LAB\\enroll", "Ca-Lab-91!enrolling"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab"), "two-clusters-adcs") as process:
        yield process


def openssl(*arguments: str, text: str | bytes = b"") -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout.decode()


@pytest.fixture(scope="module")
def csr(tmp_path_factory: pytest.TempPathFactory) -> str:
    key = tmp_path_factory.mktemp("key") / "key.pem"
    return openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-subj", "/O=cisco/CN=CUCM10",
        "-addext", "subjectAltName=DNS:cucm10.lab.local,DNS:lab.local",
        "-addext", "extendedKeyUsage=serverAuth,clientAuth,1.3.6.1.5.5.7.3.5",
        "-addext", "keyUsage=digitalSignature,keyEncipherment,dataEncipherment,keyAgreement",
    )  # fmt: skip


def address(lab: LabProcess, ca: str) -> str:
    found = next(row for row in lab.description["cas"] if row["name"] == ca)
    return f"{found['address']}:{found['port']}"


def root(lab: LabProcess, ca: str) -> str:
    return str(lab.state / f"ca-{ca}" / "ca.pem")


def client(lab: LabProcess, ca: str = "adcs", method: str = "ntlm", password: str = PASSWORD) -> Any:
    made = certsrv.Certsrv(address(lab, ca), USER, password, method, root(lab, ca))
    made.session.trust_env = False
    return made


def judge(lab: LabProcess, pem: bytes, ca: str, *options: str) -> str:
    openssl("verify", "-CAfile", root(lab, ca), *options, text=pem)
    return openssl("x509", "-noout", "-text", text=pem)


@pytest.mark.parametrize("method", ["basic", "ntlm"])
def test_issued(lab: LabProcess, csr: str, method: str) -> None:
    caller = client(lab, method=method)
    assert caller.check_credentials()
    text = judge(lab, caller.get_cert(csr, "CucmTLS"), "adcs", "-purpose", "sslclient")
    for words in ("Data Encipherment", "TLS Web Client Authentication", "DNS:cucm10.lab.local, DNS:lab.local",
                  "Subject: O = cisco, CN = CUCM10"):  # fmt: skip
        assert words in text
    issuing = caller.get_ca_cert()
    assert "CA:TRUE, pathlen:0" in openssl("x509", "-noout", "-text", text=issuing)
    chain = openssl("pkcs7", "-inform", "DER", "-print_certs", text=caller.get_chain())
    assert chain.count("BEGIN CERTIFICATE") == 2


def test_wrong_password(lab: LabProcess) -> None:
    for method in ("basic", "ntlm"):
        assert not client(lab, method=method, password="wrong").check_credentials()


@pytest.mark.parametrize(
    ("template", "present", "absent"),
    [
        ("WebServer", "TLS Web Server", "TLS Web Client"),
        ("CucmNoDataEncipherment", "TLS Web Client", "Data Encipherment"),
        ("CucmAddsCn", "DNS:lab.local, DNS:CUCM10", "nothing of this kind"),
        ("CucmNoSan", "TLS Web Client", "DNS:"),
    ],
)
def test_what_templates_leave_out_or_add(lab: LabProcess, csr: str, template: str, present: str, absent: str) -> None:
    text = judge(lab, client(lab).get_cert(csr, template), "adcs")
    assert present in text
    assert absent not in text


def test_denied(lab: LabProcess, csr: str) -> None:
    for template, words in (("Nothing", "0x80094800"), ("CucmForbidden", "permissions on the certificate template")):
        with pytest.raises(certsrv.RequestDeniedException, match=words):
            client(lab).get_cert(csr, template)
    with pytest.raises(certsrv.RequestDeniedException, match="Error Parsing Request"):
        client(lab).get_cert("no request", "CucmTLS")


def test_pending_then_issued_or_denied(lab: LabProcess, csr: str) -> None:
    numbers = []
    for _unused in range(2):
        with pytest.raises(certsrv.CertificatePendingException) as pending:
            client(lab, "w2003").get_cert(csr, "")
        numbers.append(int(pending.value.req_id))
    with pytest.raises(certsrv.CouldNotRetrieveCertificateException, match="Taken Under Submission"):
        client(lab, "w2003").get_existing_cert(numbers[0])
    lab.ask("ca", what="issue", ca="w2003", request=numbers[0])
    lab.ask("ca", what="deny", ca="w2003", request=numbers[1])
    states = {row["id"]: row["state"] for row in lab.ask("ca", what="list", ca="w2003")}
    assert [states[number] for number in numbers] == ["issued", "denied"]
    text = judge(lab, client(lab, "w2003").get_existing_cert(numbers[0]), "w2003", "-auth_level", "0")
    for words in ("sha1WithRSAEncryption", "IPSec End System", "Data Encipherment", "DNS:cucm10.lab.local"):
        assert words in text
    with pytest.raises(certsrv.CouldNotRetrieveCertificateException, match="Denied by LAB"):
        client(lab, "w2003").get_existing_cert(numbers[1])


def test_a_renewed_ca_gives_its_newest_certificate(lab: LabProcess) -> None:
    caller = client(lab, "w2003")
    newest = openssl("x509", "-noout", "-fingerprint", text=caller.get_ca_cert())
    assert newest == openssl("x509", "-noout", "-fingerprint", text=Path(root(lab, "w2003")).read_text())
    first = caller._get(f"https://{caller.server}/certsrv/certnew.cer", params={"ReqID": "CACert", "Enc": "b64"})
    assert openssl("x509", "-noout", "-fingerprint", text=first.content) != newest


def test_type_of_a_download_depends_on_the_browser(lab: LabProcess) -> None:
    for agent, kind in (("Mozilla/5.0", "application/pkix-cert"), ("python", "text/html")):
        answer = requests.get(
            f"https://{address(lab, 'adcs')}/certsrv/certnew.cer", params={"ReqID": "CACert", "Enc": "b64"},
            headers={"User-Agent": agent}, auth=(USER, PASSWORD), verify=root(lab, "adcs"), timeout=20,
        )  # fmt: skip
        assert answer.headers["Content-Type"].split(";")[0] == kind


def test_channel_binding_is_checked(lab: LabProcess) -> None:
    from requests_ntlm import HttpNtlmAuth

    for bound, status in ((True, 200), (False, 401)):
        answer = requests.get(
            f"https://{address(lab, 'adcs')}/certsrv/", auth=HttpNtlmAuth(USER, PASSWORD, send_cbt=bound),
            verify=root(lab, "adcs"), timeout=20,
        )  # fmt: skip
        assert answer.status_code == status


def test_nothing_secret_is_left_readable(lab: LabProcess) -> None:
    for path in (lab.state / "ntlm-users", lab.state / "ca-adcs"):
        assert Path(path).stat().st_mode & 0o077 == 0
    assert PASSWORD not in (lab.state / "lab.log").read_text()


def test_cli_and_variants_of_a_scenario(tmp_path: Path, csr: str) -> None:
    scenario = tmp_path / "cas.yml"
    account = {"username": USER, "password": PASSWORD}
    rows = [
        {"name": "old", "kind": "standalone-2003", "address": "127.0.210.1", "port": 8443, "legacy_tls": True,
         "accounts": [account]},
        {"name": "auto", "kind": "standalone-2003", "address": "127.0.211.1", "port": 8443, "auto_issue": True,
         "accounts": [account], "authentication": ["basic"]},
        {"name": "other", "address": "127.0.213.1", "port": 8443,
         "accounts": [{"username": "LAB\\other", "password": "Another-1"}]},
        {"name": "own", "address": "127.0.212.1", "port": 8443, "accounts": [account], "channel_binding": "off",
         "templates": [{"name": "Phones", "eku": ["clientAuth"], "days": 30}]},
    ]  # fmt: skip
    cluster = {"name": "c", "release": "15", "nodes": [{"name": "CM", "address": "127.0.9.1"}],
               "accounts": {"application": [{"username": "a", "password": "application-1"}],
                            "platform": [{"username": "p", "password": "platform-1"}]}}  # fmt: skip
    scenario.write_text(yaml.safe_dump({"name": "cas", "clusters": [cluster], "cas": rows}))
    with LabProcess(tmp_path / "lab", str(scenario)) as lab:
        said = subprocess.run(
            ["openssl", "s_client", "-connect", address(lab, "old"), "-cipher", "DEFAULT:@SECLEVEL=0", "-min_protocol",
             "TLSv1", "-CAfile", root(lab, "old")], input=b"", capture_output=True, check=False, timeout=20,
        ).stdout.decode()  # fmt: skip
        assert "New, " in said
        assert "TLSv1\n" in said.replace("Protocol  : ", "")
        assert "Verify return code: 0" in said
        judge(lab, client(lab, "auto", "basic").get_cert(csr, ""), "auto", "-auth_level", "0")
        assert not client(lab, "auto", "ntlm").check_credentials()
        assert not client(lab, "other").check_credentials()
        text = judge(lab, client(lab, "own").get_cert(csr, "Phones"), "own")
        assert "TLS Web Server" not in text
        with pytest.raises(certsrv.CertificatePendingException) as pending:
            client(lab, "own").get_cert(csr, "CucmApproval")
        command = [sys.executable, "-m", "cucm_lab", "ca", "deny", pending.value.req_id, "--ca", "own", "--state",
                   str(lab.state)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        with pytest.raises(certsrv.CouldNotRetrieveCertificateException, match="Denied by"):
            client(lab, "own").get_existing_cert(pending.value.req_id)
