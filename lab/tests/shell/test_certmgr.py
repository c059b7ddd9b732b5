# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate REST API, called as public scripts call it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from cucm_lab.testing import LabProcess

ACCOUNT = ("osadmin", "Os-Lab-91!platform-account")
READER = ("osread", "Os-Lab-91!platform-reading")
BASE = "/platformcom/api/v1/certmgr/config"


class Rest:
    """Calls on one node."""

    def __init__(self, lab: LabProcess, cluster: str, account: tuple[str, str] = ACCOUNT) -> None:
        self.url = f"https://{lab.address(cluster)}:8443"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = account
        self.session.verify = str(lab.state / "https-ca.pem")

    def __call__(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}{BASE}{path}", timeout=20, **arguments)


def sign(csr: str, folder: Path) -> tuple[str, str]:
    """(leaf, root), by openssl."""

    def openssl(*arguments: str) -> str:
        return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout

    root, key, request = str(folder / "root.pem"), str(folder / "root.key"), folder / "leaf.csr"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", root, "-subj", "/CN=Rest Root")
    request.write_text(csr)
    leaf = openssl("x509", "-req", "-in", str(request), "-CA", root, "-CAkey", key, "-copy_extensions", "copy")
    return leaf, Path(root).read_text()


@pytest.mark.parametrize("cluster", ["cucm140", "cucm150"])
def test_a_certificate_from_csr_to_upload(lab: LabProcess, cluster: str, tmp_path: Path) -> None:
    rest = Rest(lab, cluster)
    order = {"service": "CallManager", "distribution": "this-server", "commonName": "cm.example.com", "keyLength": 3072,
             "keyType": "rsa", "hashAlgorithm": "sha384", "altNames": ["a.example.com"]}  # fmt: skip
    csr = rest("POST", "/csr", json=order).json()["csr"]
    assert rest("GET", "/csr", params={"service": "CallManager"}).json()["csr"] == csr
    text = subprocess.run(["openssl", "req", "-noout", "-text", "-verify"], input=csr, capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    for word in ("CN = cm.example.com", "3072 bit", "sha384With", "DNS:a.example.com"):
        assert word in text
    leaf, root = sign(csr, tmp_path)
    refused = rest("POST", "/identity/certificates", json={"service": "CallManager", "certificates": [leaf]})
    assert (refused.status_code, refused.json()["message"]) == (
        400, "CA certificate is not available in the trust-store",
    )  # fmt: skip
    body = {"service": ["CallManager"], "certificates": [root], "description": "Trust Certificate"}
    assert rest("POST", "/trust/certificates", json=body).status_code == 200
    assert any(root.strip() == item["certificate"].strip()
               for item in rest("GET", "/trust/certificate", params={"service": "CallManager"}).json())  # fmt: skip
    stale = rest("POST", "/csr", json={"service": "CallManager", "distribution": "this-server", "commonName": "x"})
    foreign = rest("POST", "/identity/certificates", json={"service": "CallManager", "certificates": [leaf]})
    assert foreign.status_code == 500
    (tmp_path / "again").mkdir()
    leaf, root = sign(stale.json()["csr"], tmp_path / "again")
    upload = {"service": "CallManager", "certificates": [leaf, root]}
    # The same CN, a later start: the chain that comes along replaces the older root.
    assert rest("POST", "/identity/certificates", json=upload).status_code == 200
    snapshot = rest("GET", "/snapshot/server").json()
    own = next(item for item in snapshot["identities"] if item["service"] == "CallManager")
    assert (own["certificate"].strip(), own["csr"]) == (leaf.strip(), "")
    assert rest("GET", "/csr", params={"service": "CallManager"}).status_code == 404


def test_accounts_and_bodies(lab: LabProcess) -> None:
    url, ca = f"{Rest(lab, 'cucm150').url}{BASE}/snapshot/server", str(lab.state / "https-ca.pem")
    anonymous = requests.get(url, verify=ca, timeout=20)
    assert (anonymous.status_code, anonymous.headers["WWW-Authenticate"]) == (401, 'Basic realm="CMPlatform Realm"')
    reader = Rest(lab, "cucm150", READER)
    assert reader("GET", "/snapshot/server").status_code == 200
    assert reader("POST", "/csr", json={"service": "tomcat"}).status_code == 403
    rest = Rest(lab, "cucm150")
    assert rest("POST", "/trust/certificates", json={"service": "tomcat", "certificates": ["x"]}).status_code == 400
    assert (
        rest("POST", "/identity/certificates", json={"service": ["tomcat"], "certificates": ["x"]}).status_code == 400
    )
    assert rest("POST", "/csr", data=b"{").status_code == 400
    assert rest("GET", "/nothing").status_code == 404


def test_no_such_interface_before_14(lab: LabProcess) -> None:
    assert Rest(lab, "cucm125")("GET", "/snapshot/server").status_code == 404


def test_multi_server_certificates_go_by_rest_alone(lab: LabProcess, ssh: Any, tmp_path: Path) -> None:
    rest = Rest(lab, "cucm140")
    order = {"service": "CallManager", "distribution": "multi-server", "commonName": "cucm140-ms.lab.local"}
    leaf, root = sign(rest("POST", "/csr", json=order).json()["csr"], tmp_path)
    shell = ssh("cucm140").login()
    shell.send("set cert import own CallManager\r")
    shell.expect("Hit Enter\r\n$")
    shell.send(leaf.strip().replace("\n", "\r") + "\r")
    assert "Multi-server certificates cannot be uploaded by CLI" in shell.expect("admin:$")
    upload = {"service": "CallManager", "certificates": [leaf, root]}
    assert rest("POST", "/identity/certificates", json=upload).status_code == 200
