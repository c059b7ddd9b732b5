# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door for every other CA: HashiCorp Vault's endpoint and a person, in one run of two clusters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.certificate_kit import Authority
from tests.support.operator_site import Site
from tests.support.vault import TOKEN, OpensslCa, Vault, openssl

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("other-cas"), pytest.mark.timeout(1200)]


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
            "callmanager_certificate_ca": {
                "provider": "vault",
                "vault_url": vault.url,
                "vault_role": "cucm",
                "vault_ca_path": str(vault.certificate),
            },
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
def test_what_vault_refuses_is_a_sentence_and_check_mode_has_nothing_signed(tmp_path: Path, vault: Vault) -> None:
    site = Site(tmp_path)
    old_way = {
        # It still works.
        "callmanager_certificate_sign_tasks": "sign_by_vault.yml",
        "callmanager_certificate_vault": {"url": vault.url, "role": "cucm", "ca_path": str(vault.certificate)},
    }
    ca = {"provider": "vault", "vault_url": vault.url, "vault_role": "cucm", "vault_ca_path": str(vault.certificate)}
    with site.lab:
        before = site.lab.ask("dump")
        foreseen = site.play("sip_tls_trunk", "--check", extra=old_way, VAULT_TOKEN=TOKEN)
        assert foreseen.code == 0, foreseen.output[-6000:]
        assert not vault.requests and site.lab.ask("dump") == before
        refused = site.play("renew_certificates", extra=old_way, VAULT_TOKEN="spoiled")
        assert refused.code != 0 and refused.recap["cucma"]["failed"] == 1
        assert "did not sign the CSR of CUCMA (HTTP 403): permission denied" in refused.output
        assert not issuers(site)
        # Preflight asks Vault whether the token may sign, before any CSR.
        csrs, count = site.lab.ask("dump"), len(vault.requests)
        early = site.play("renew_certificates", extra={"sip_tls_ca": ca}, VAULT_TOKEN="spoiled")
        assert early.code != 0 and "did not accept vault_token (HTTP 403)" in " ".join(early.output.split())
        assert site.lab.ask("dump") == csrs and len(vault.requests) == count


#: a user's tasks: the CA signs for cucma, and the certificate of cucm10 is not there yet
TASKS = """
- name: Have openssl sign
  ansible.builtin.command:
    cmd: openssl x509 -req -CA {ca} -CAkey {key} -CAcreateserial -days 300 -copy_extensions copyall
    stdin: "{{{{ callmanager_certificate_csr }}}}"
  register: signed
  when: inventory_hostname == 'cucma'
- name: Hand it over
  ansible.builtin.set_fact:
    callmanager_certificate_pem: "{{{{ signed.stdout | default('') }}}}"
    callmanager_certificate_chain: ["{{{{ lookup('ansible.builtin.file', '{ca}') }}}}"]
    callmanager_certificate_waits_for: >-
      {{{{ '' if signed.stdout is defined else 'The PKI team signs ' ~ callmanager_certificate_node ~ ' on Monday.' }}}}
"""


@pytest.mark.matrix
def test_own_tasks_sign_for_one_cluster_and_the_other_waits(tmp_path: Path) -> None:
    site = Site(tmp_path)
    ca = Authority.make(tmp_path, "TeamCA")
    (tmp_path / "own.yml").write_text(TASKS.format(ca=ca.path, key=ca.key))
    own = {"callmanager_certificate_sign_tasks": str(tmp_path / "own.yml")}
    with site.lab:
        before = site.lab.ask("dump")
        foreseen = site.play("renew_certificates", "--check", extra=own)
        assert foreseen.code == 0 and site.lab.ask("dump") == before, foreseen.output[-6000:]
        first = site.play("renew_certificates", extra=own)
        assert first.recap["cucma"]["failed"] == 0 and first.recap["cucm10"]["failed"] == 1, first.output[-6000:]
        assert "The PKI team signs CUCM10 on Monday." in first.output
        (issuer,) = issuers(site).values()
        assert "TeamCA" in issuer
