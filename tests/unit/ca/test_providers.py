# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ca_sign with Vault, by hand and with a user's own tasks, and what is refused whoever signs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import guard_warnings
from ansible_collections.siptls.cucm.plugins.module_utils._module import perform
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate
from ansible_collections.siptls.cucm.plugins.modules.ca_sign import FACE

from tests.support.module_processes import run_module
from tests.support.requests_made import USAGE_9, make_csr, openssl, text, verify
from tests.support.vault import TOKEN, OpensslCa, Vault

SANS = "DNS:cucma.lab.local,DNS:lab.local"
OTHERS = {"cluster cucmb": {"hosts": ["cucmb"], "names": ["cucmb.lab.local", "10.0.0.2"]}}
REQUESTER = {
    "title": "node CUCMA of cluster cucma", "hosts": ["cucma"], "names": ["10.0.0.1"],
    "cluster": {"hosts": ["cucma", "cucmasub"], "names": []}, "named": [], "others": OTHERS,
}  # fmt: skip


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    made = Vault(OpensslCa(tmp_path_factory.mktemp("vault") / "ca", "Vault CA"))
    yield made
    made.close()


def quick(given: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """ca_sign in this process, for what needs no process of its own."""
    valid = ArgumentSpecValidator(FACE.spec.options).validate(given)
    assert not valid.error_messages, valid.error_messages
    task: Any = SimpleNamespace(params=valid.validated_parameters, check_mode=check, tmpdir="")
    result, warnings = perform(FACE, task)
    return {**result, "warnings": warnings}


def by_vault(vault: Vault, csr: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
    given = {
        "provider": "vault", "vault_url": vault.url, "vault_token": TOKEN, "vault_role": "cucm",
        "vault_ca_path": str(vault.certificate), "csr": csr, **options,
    }  # fmt: skip
    result = quick(given, check=check)
    assert str(given["vault_token"]) not in json.dumps(result)
    return result


def test_vault_signs_and_the_same_certificate_comes_back(vault: Vault, tmp_path: Path) -> None:
    csr = make_csr(tmp_path, key="rsa:2048", sans=SANS)
    first = by_vault(vault, csr, path=str(tmp_path / "kept"), days=100)
    assert first["changed"] and verify(tmp_path, first["certificate"], first["chain"], strict=False).count(": OK") == 2
    assert vault.requests[-1]["ttl"] == "2400h" and vault.requests[-1]["ext_key_usage"] == ["ServerAuth", "ClientAuth"]
    count = len(vault.requests)
    again = by_vault(vault, csr, path=str(tmp_path / "kept"))
    assert not again["changed"] and again["certificate"] == first["certificate"] and len(vault.requests) == count
    predicted = by_vault(vault, make_csr(tmp_path, "OTHER", key="rsa:2048"), check=True)
    assert predicted["predicted"] and len(vault.requests) == count


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "plain http": ({"vault_url": "http://127.0.0.1:8200"}, "is not an https address"),
    "token": ({"vault_token": "hvs.not-the-token"}, r"did not sign the CSR of CUCMA \(HTTP 403\): permission denied"),
    "token of two lines": ({"vault_token": "hvs.one\nX-Evil: two"}, "another character that no token has"),
    "mount": ({"vault_mount": "other"}, r"HTTP 404.*Check vault_mount"),
    "path that leads elsewhere": ({"vault_mount": "../sys/policy?x"}, "is not a path in Vault"),
    "role without one": ({"vault_sign": "role", "vault_role": ""}, "vault_role is not set"),
    "untrusted": ({"vault_ca_path": None, "vault_validate_certs": True}, "is not trusted"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_vault_refuses_is_a_sentence(vault: Vault, tmp_path: Path, what: str) -> None:
    options, sentence = REFUSALS[what]
    result = by_vault(vault, make_csr(tmp_path, key="rsa:2048"), **options)
    assert result.get("failed") and re.search(sentence, result["msg"]), result
    token = options.get("vault_token", TOKEN)
    assert "does not know" not in result["msg"] and token not in str(result), "the token stays hidden"


FORESEEN: dict[str, tuple[dict[str, Any], str]] = {
    "invalid token": ({"vault_token": "hvs.not-the-token"}, r"did not accept vault_token \(HTTP 403\).*invalid token"),
    "mount": ({"vault_mount": "other", "vault_role": None}, r"did not return the certificate of its CA.*vault_mount"),
    "role": ({"vault_role": "other"}, r"did not return the role \(HTTP 404\).*vault_role"),
}


@pytest.mark.parametrize("what", FORESEEN)
def test_what_vault_will_refuse_is_known_in_check_mode(vault: Vault, tmp_path: Path, what: str) -> None:
    options, sentence = FORESEEN[what]
    result = by_vault(vault, make_csr(tmp_path, key="rsa:2048"), check=True, **options)
    assert result.get("failed") and re.search(sentence, result["msg"]), result


#: extensions of a CA by openssl, and why peers refuse what it signs
LIMITED: dict[str, tuple[tuple[str, ...], str]] = {
    "name constraints": (
        ("nameConstraints=critical,permitted;DNS:other.example",),
        "name constraints of CN=Limited CA do not allow the name DNS:cucma.lab.local",
    ),
    "no CA": (("basicConstraints=critical,CA:FALSE",), "is not a CA certificate"),
}


@pytest.mark.parametrize("what", LIMITED)
def test_limits_of_the_ca_that_will_sign_are_known_in_check_mode(tmp_path: Path, what: str) -> None:
    extensions, sentence = LIMITED[what]
    limited = OpensslCa(tmp_path / "limited", "Limited CA", *extensions)
    csr, vault = make_csr(tmp_path, key="rsa:2048", sans=SANS), Vault(OpensslCa(tmp_path / "ca", "Vault CA"))
    try:
        sound = by_vault(vault, csr, check=True)
        assert sound["predicted"] and sound["signing_chain"] == [read_certificate(vault.ca.pem.read_text()).pem]
        # The role may name another issuer than the default one.
        vault.issuer = ("limited", limited)
        result = by_vault(vault, csr, check=True)
        assert result.get("failed") and sentence in result["msg"] and "Nothing was requested" in result["msg"], result
        vault.grants = ["deny"]
        denied = by_vault(vault, csr, check=True)
        assert "its policies grant deny on pki/sign-verbatim/cucm" in denied["msg"] and not vault.requests
    finally:
        vault.close()


def test_a_ca_that_is_not_verified_is_warned_of(vault: Vault, tmp_path: Path) -> None:
    csr = make_csr(tmp_path, key="rsa:2048")
    result = by_vault(vault, csr, vault_ca_path=None, vault_validate_certs=False)
    assert result["changed"] and "vault_validate_certs is false" in str(result["warnings"])


def test_a_person_signs_by_way_of_a_folder(tmp_path: Path) -> None:
    csr, folder = make_csr(tmp_path, key="rsa:2048", sans=SANS), tmp_path / "requests"
    given = {"ca": {"provider": "by_hand", "by_hand_path": str(folder)}, "by_hand_name": "cucma-CUCMA", "csr": csr}
    waits = quick(given)
    (file,) = folder.glob("cucma-CUCMA-*.csr")
    assert waits["failed"] and waits["status"] == "pending" and f"have {file} signed by your CA" in waits["msg"]
    assert openssl("req", "-in", str(file), "-noout", "-pubkey") == openssl("req", "-noout", "-pubkey", feed=csr)
    person = OpensslCa(tmp_path / "person", "Person CA")
    file.with_suffix(".pem").write_text(person.sign(csr, USAGE_9, "serverAuth,clientAuth", 365))
    assert "does not reach a root" in quick(given)["msg"]
    (folder / "chain.pem").write_text(person.pem.read_text())
    done = quick(given)
    assert done["changed"] and verify(tmp_path, done["certificate"], done["chain"], strict=False).count(": OK") == 2


def by_tasks(csr: str, **options: Any) -> dict[str, Any]:
    return quick({"provider": "tasks", "csr": csr, "requester": REQUESTER, **options})


def test_own_tasks_get_a_request_that_was_checked_and_their_certificate_is_checked(tmp_path: Path) -> None:
    csr = make_csr(tmp_path, key="rsa:2048", sans=SANS)
    before = by_tasks(csr)
    assert before["status"] == "checked" and before["certificate"] is None and not before["changed"]
    person = OpensslCa(tmp_path / "person", "Person CA")
    leaf, root = person.sign(csr, USAGE_9, "serverAuth,clientAuth", 365), person.pem.read_text()
    done = by_tasks(csr, tasks_certificate=leaf, tasks_chain=[root], path=str(tmp_path / "kept"))
    assert done["changed"] and done["chain"] == [root]
    # The CA may add a name that the request did not have.
    other = make_csr(tmp_path, key="rsa:2048", sans=f"{SANS},DNS:cucmb.lab.local", keep_key=True)
    forged = person.sign(other, USAGE_9, "serverAuth,clientAuth", 365)
    wrong = by_tasks(csr, tasks_certificate=forged, tasks_chain=[root])
    assert wrong["failed"] and "cucmb.lab.local belongs to cluster cucmb" in wrong["msg"]
    assert "nothing was uploaded" in wrong["msg"]


NAMES = {
    "its own names": ("CUCMA", SANS, ""),
    "its address": ("CUCMA", "DNS:cucma.lab.local,IP:10.0.0.1", ""),
    "CUCM's name for an ECDSA certificate": ("CUCMA-EC", "DNS:cucma.lab.local,DNS:lab.local", ""),
    "the parent domain alone": ("CUCMA", "DNS:lab.local", ""),
    "a multi-server certificate": ("CUCMA-ms.lab.local", "DNS:cucma.lab.local,DNS:cucmasub.lab.local", ""),
    "another node of its cluster": ("CUCMA", "DNS:cucmasub.lab.local", "is not a name of node CUCMA"),
    "another cluster's FQDN": ("CUCMA", f"{SANS},DNS:CUCMB.lab.local", "cucmb.lab.local belongs to cluster cucmb"),
    "another cluster's host": ("CUCMB", SANS, "cucmb belongs to cluster cucmb"),
    "another cluster's host elsewhere": ("CUCMA", "DNS:cucmb.elsewhere.net", "belongs to cluster cucmb"),
    "another cluster's multi-server name": ("CUCMB-ms.lab.local", "", "belongs to cluster cucmb"),
    "another cluster's address": ("CUCMA", "IP:10.0.0.2", "10.0.0.2 belongs to cluster cucmb"),
    "a name of nobody known": ("CUCMA", f"{SANS},DNS:sbc.partner.net", "sbc.partner.net is not a name of node"),
    "two names beside the domain": ("CUCMA", "DNS:lab.local,DNS:partner.net", "is not a name of node CUCMA"),
}  # fmt: skip


@pytest.mark.parametrize("what", NAMES)
def test_a_node_gets_its_own_names_alone(tmp_path: Path, what: str) -> None:
    name, sans, sentence = NAMES[what]
    given = {"path": str(tmp_path / "ca"), "requester": REQUESTER, "local_ca_key_type": "EC"}
    result = quick({**given, "csr": make_csr(tmp_path, name, sans=sans)})
    if not sentence:
        assert result.get("changed"), result
        return
    assert result.get("failed") and sentence in result["msg"] and "allowed_sans" in result["msg"], result
    assert not (tmp_path / "ca").exists()


def test_no_provider_is_asked_to_sign_a_name_of_another_cluster(vault: Vault, tmp_path: Path) -> None:
    csr, count = make_csr(tmp_path, key="rsa:2048", sans="DNS:cucmb.lab.local"), len(vault.requests)
    folder = tmp_path / "kept"
    results = [
        by_vault(vault, csr, requester=REQUESTER, path=str(folder)),
        by_tasks(csr, path=str(folder)),
        quick({"provider": "by_hand", "by_hand_path": str(folder), "csr": csr, "requester": REQUESTER}),
        quick({
            "provider": "adcs", "adcs_url": "https://127.0.0.1:9/certsrv", "adcs_username": "x",
            "adcs_password": "secret", "csr": csr, "requester": REQUESTER, "path": str(folder),
        }),
    ]  # fmt: skip
    assert [result.get("failed") for result in results] == [True] * 4 and len(vault.requests) == count
    assert all("belongs to cluster cucmb" in result["msg"] for result in results), results
    assert not folder.exists()


def test_the_operator_may_allow_a_name(tmp_path: Path) -> None:
    given = {"path": str(tmp_path / "ca"), "requester": REQUESTER, "local_ca_key_type": "EC"}
    given["csr"] = make_csr(tmp_path, sans=f"{SANS},DNS:pbx.example.com,DNS:cucmb.lab.local")
    refused = quick({**given, "allowed_sans": ["*.example.com", "*.lab.local"]})
    assert "cucmb.lab.local belongs to" in refused["msg"] and "pbx.example.com" not in refused["msg"]
    assert quick({**given, "allowed_sans": ["*.example.com", "CUCMB.lab.local"]})["changed"]


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "of another provider": (
        {"adcs_template": "x", "path": "x"},
        "adcs_template is an option of the provider adcs, and",
    ),
    "missing": ({"provider": "adcs", "adcs_url": "https://x/"}, "requires adcs_username. Set it or the environment"),
    "no CA": ({}, "requires path or local_ca_certificate"),
    "unknown in ca": ({"ca": {"provider": "local", "pth": "x"}}, "pth is not an option of a CA"),
    "secret in ca": ({"ca": {"provider": "vault", "vault_token": "x"}}, "vault_token is a secret"),
    "wrong type in ca": ({"ca": {"provider": "nobody"}}, "ca: value of provider must be one of: local, adcs"),
}


@pytest.mark.parametrize("what", OPTIONS)
def test_options_are_checked_against_the_provider(tmp_path: Path, what: str) -> None:
    options, sentence = OPTIONS[what]
    result = quick({"csr": make_csr(tmp_path), **options})
    assert result.get("failed") and sentence in result["msg"], result


def test_the_old_names_of_options_still_work(tmp_path: Path) -> None:
    given = {"csr": make_csr(tmp_path), "ca": {"path": str(tmp_path / "ca"), "ca_key_type": "EC"}}
    result = run_module("ca_sign", given)
    assert result["ca"]["key_type"] == "EC" and "Use local_ca_key_type" in str(result["warnings"])
    result = run_module("ca_sign", {"csr": make_csr(tmp_path, "B"), "path": str(tmp_path / "ca2"), "ca_key_type": "EC"})
    assert result["ca"]["key_type"] == "EC" and "ca_key_type" in str(result["deprecations"])


def test_addresses_of_revocation_and_limits_of_names_are_as_openssl_reads_them(tmp_path: Path) -> None:
    given = {
        "csr": make_csr(tmp_path, sans=SANS), "path": str(tmp_path / "ca"), "local_ca_key_type": "EC",
        "local_crl_urls": ["http://ca.example.com/ca.crl"], "local_ocsp_urls": ["http://ocsp.example.com"],
        "local_permitted_names": ["lab.local", "10.0.0.0/8"],
    }  # fmt: skip
    result = quick(given)
    said = text(result["certificate"])
    assert "URI:http://ca.example.com/ca.crl" in said and "OCSP - URI:http://ocsp.example.com" in said
    assert "DNS:lab.local" in text(result["root"]) and "IP:10.0.0.0/255.0.0.0" in text(result["root"])
    assert verify(tmp_path, result["certificate"], result["chain"]).count(": OK") == 2
    outside = quick({**given, "csr": make_csr(tmp_path, "B", sans="DNS:b.example.com")})
    assert "name constraints" in outside["msg"] and "b.example.com" in outside["msg"]
    for wrong in ({"local_crl_urls": ["ca.crl"]}, {"local_permitted_names": ["*.x"]}, {"local_ca_days": 10_000_000}):
        failed = quick({**given, "path": str(tmp_path / "new"), **wrong})
        assert failed.get("failed") and "does not know" not in failed["msg"], failed
        assert not (tmp_path / "new" / "ca.key").exists()


def test_a_run_in_which_nothing_is_signed_warns_of_what_is_unprotected(tmp_path: Path) -> None:
    (text,) = guard_warnings({"provider": "vault", "vault_url": "https://v", "vault_validate_certs": False})
    assert "vault_validate_certs is false" in text and "https://v" in text
    (text,) = guard_warnings({"provider": "adcs", "validate_certs": False, "adcs_url": "https://ca"})[1:]
    assert "adcs_validate_certs is false" in text
    assert guard_warnings({"path": str(tmp_path / "none")}) == [] == guard_warnings({"provider": "nobody"})
    quick({"csr": make_csr(tmp_path), "path": str(tmp_path / "ca"), "local_ca_key_type": "EC"})
    assert ["has no passphrase" in text for text in guard_warnings({"path": str(tmp_path / "ca")})] == [True]


def test_weak_places_and_stray_files_are_named_and_stop_nothing(tmp_path: Path) -> None:
    given = {"csr": make_csr(tmp_path), "path": str(tmp_path / "ca"), "local_ca_key_type": "EC"}
    assert "has no passphrase" in str(quick(given)["warnings"])
    (tmp_path / "ca").chmod(0o777)
    (tmp_path / "ca" / "issued" / "notes.pem").write_text("call Anna about the CA")
    result = quick({**given, "csr": make_csr(tmp_path, "B")})
    assert result["changed"] and "notes.pem" in str(result["warnings"])
    assert "can be written by others (mode 0777)" in str(result["warnings"])
