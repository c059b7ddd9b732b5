# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door for every other CA: HashiCorp Vault's endpoint and a person, in one run of two clusters."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("other-cas"), pytest.mark.timeout(1200)]
TOKEN = "hvs.canary-token"
GO_USAGES = {  # Go's names of key usages, which Vault takes in any case, and OpenSSL's
    "digitalsignature": "digitalSignature", "keyencipherment": "keyEncipherment",
    "dataencipherment": "dataEncipherment", "keyagreement": "keyAgreement",
    "serverauth": "serverAuth", "clientauth": "clientAuth",
}  # fmt: skip


def openssl(*order: str | Path, feed: str = "") -> str:
    done = subprocess.run(["openssl", *map(str, order)], input=feed, check=True, capture_output=True, text=True)
    return done.stdout


class OpensslCa:
    """A CA of openssl's own tools."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.pem, self._key, self._folder = folder / "ca.pem", folder / "ca.key", folder
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out", self.pem, "-days", "900",
            "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def sign(self, csr: str, key_usage: str, eku: str, days: int) -> str:
        """A certificate with the names of the CSR, by `openssl x509`."""
        (self._folder / "csr.pem").write_text(csr)
        text = openssl("req", "-noout", "-text", feed=csr)
        names = re.search(r"Subject Alternative Name: ?\n\s*(.*)\n", text)
        lines = [f"keyUsage=critical,{key_usage}", f"extendedKeyUsage={eku}"]
        lines += [f"subjectAltName={names[1]}"] if names else []
        (self._folder / "ext.cnf").write_text("\n".join(lines) + "\n")
        return openssl(
            "x509", "-req", "-in", self._folder / "csr.pem", "-CA", self.pem, "-CAkey", self._key, "-CAcreateserial",
            "-days", str(days), "-sha256", "-extfile", self._folder / "ext.cnf",
        )  # fmt: skip


class Vault:
    """An HTTP server that answers POST /v1/pki/sign-verbatim/cucm as Vault's API documents it, with openssl behind."""

    def __init__(self, ca: OpensslCa) -> None:
        self.requests: list[dict[str, Any]] = []
        vault = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                vault.requests.append(body)
                status, answer = vault.answer(self.path, self.headers.get("X-Vault-Token"), body, ca)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def answer(path: str, token: str | None, body: dict[str, Any], ca: OpensslCa) -> tuple[int, dict[str, Any]]:
        """Status and JSON."""
        if path != "/v1/pki/sign-verbatim/cucm":
            return 404, {"errors": [f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.']}
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        known = {"csr", "ttl", "format", "key_usage", "ext_key_usage"}
        if set(body) - known or not re.fullmatch(r"\d+[hms]", body["ttl"]) or body["format"] != "pem":
            return 400, {"errors": [f"unexpected request: {sorted(body)}"]}
        usages = [",".join(GO_USAGES[one.lower()] for one in body[kind]) for kind in ("key_usage", "ext_key_usage")]
        leaf = ca.sign(body["csr"], usages[0], usages[1], days=int(body["ttl"][:-1]) // 24)
        root = ca.pem.read_text().strip()
        data = {"certificate": leaf.strip(), "issuing_ca": root, "ca_chain": [root], "serial_number": "1a:2b"}
        return 200, {"request_id": "6b6ad0ac", "lease_id": "", "renewable": False, "data": data, "warnings": None}

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = Vault(OpensslCa(tmp_path / "vault-ca", "Vault CA"))
    yield made
    made.close()


def issuers(site: Site) -> dict[str, str]:
    """Who issued what each cluster's CallManager holds."""
    return {
        name: openssl("x509", "-noout", "-issuer", feed=row["certificate"]).strip()
        for name, content in site.lab.ask("dump").items()
        for row in content["pki_identity"]
        if row["unit"] == "CallManager"
    }


@pytest.mark.matrix
def test_vault_signs_for_one_cluster_and_a_person_for_the_other(tmp_path: Path, vault: Vault) -> None:
    site = Site(tmp_path)
    hosts = {
        "cucma": {
            "callmanager_certificate_sign_tasks": "sign_by_vault.yml",
            "callmanager_certificate_vault": {"url": vault.url, "role": "cucm"},
        },
        "cucm10": {
            "callmanager_certificate_sign_tasks": "sign_by_hand.yml",
            "callmanager_certificate_hand_path": str(tmp_path / "requests"),
        },
    }
    ways = tmp_path / "ways.yml"
    ways.write_text(yaml.safe_dump({"cucm_clusters": {"hosts": hosts}}))
    with site.lab:
        first = site.play("renew_certificates", "-i", str(ways), "-v", VAULT_TOKEN=TOKEN)
        assert first.code != 0 and first.recap["cucma"]["failed"] == 0 and first.recap["cucm10"]["failed"] == 1
        assert TOKEN not in first.output
        assert vault.requests[0]["ext_key_usage"] == ["ServerAuth", "ClientAuth"] and len(vault.requests) == 1
        assert "dataEncipherment" in vault.requests[0]["key_usage"]
        assert issuers(site) == {"cucma": "issuer=CN = Vault CA"}
        (request,) = (tmp_path / "requests").glob("cucm10-CUCM10-*.csr")
        assert f"have {request} signed by your CA" in first.output
        person = OpensslCa(tmp_path / "person", "Person CA")
        usage = "digitalSignature,keyEncipherment,dataEncipherment,keyAgreement"
        leaf = person.sign(request.read_text(), usage, "serverAuth,clientAuth", 365)
        # DER, as a Windows machine may save it; the root as PKCS#7
        (tmp_path / "leaf.pem").write_text(leaf)
        openssl("x509", "-in", tmp_path / "leaf.pem", "-outform", "DER", "-out", request.with_suffix(".cer"))
        openssl(
            "crl2pkcs7", "-nocrl", "-certfile", person.pem, "-outform", "DER",
            "-out", tmp_path / "requests" / "chain.p7b",
        )  # fmt: skip
        second = site.play("renew_certificates", "-i", str(ways), VAULT_TOKEN="spoiled")
        assert second.code == 0, second.output[-6000:]
        assert issuers(site) == {"cucma": "issuer=CN = Vault CA", "cucm10": "issuer=CN = Person CA"}
        assert second.recap["cucma"]["changed"] == 0 and len(vault.requests) == 1


@pytest.mark.matrix
def test_what_vault_refuses_is_a_sentence_and_check_mode_asks_nobody(tmp_path: Path, vault: Vault) -> None:
    site = Site(tmp_path)
    extra = {
        "callmanager_certificate_sign_tasks": "sign_by_vault.yml",
        "callmanager_certificate_vault": {"url": vault.url, "role": "cucm"},
    }
    with site.lab:
        before = site.lab.ask("dump")
        foreseen = site.play("sip_tls_trunk", "--check", extra=extra)
        assert foreseen.code == 0, foreseen.output[-6000:]
        assert not vault.requests and site.lab.ask("dump") == before
        refused = site.play("renew_certificates", extra=extra, VAULT_TOKEN="spoiled")
        assert refused.code != 0 and refused.recap["cucma"]["failed"] == 1
        assert "did not sign the CSR of CUCMA (HTTP 403): permission denied" in refused.output
        assert not issuers(site)
