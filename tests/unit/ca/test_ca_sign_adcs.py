# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ca_sign against the lab's Microsoft CAs: NTLM with channel binding and Basic, issued, pending, denied, judged."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab.scenario import SCENARIOS
from cucm_lab.testing import LabProcess

from tests.support.module_processes import run_module
from tests.support.requests_made import make_csr, openssl, text, verify

USER, PASSWORD = "LAB\\enroll", "Ca-Lab-91!enrolling"
SANS = "DNS:cucm10.lab.local,DNS:lab.local"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    folder = tmp_path_factory.mktemp("lab")
    scenario = yaml.safe_load((SCENARIOS / "two-clusters-adcs.yml").read_text(encoding="utf-8"))
    usual = scenario["cas"][0]
    limited = {"name": "limited", "address": "127.0.204.1", "permitted_domains": ["other.example"]}
    scenario["cas"].append({**usual, **limited})
    (folder / "scenario.yml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    with LabProcess(folder / "lab", str(folder / "scenario.yml")) as process:
        yield process


def sign(lab: LabProcess, csr: str, ca: str = "adcs", *, check: bool = False, **options: Any) -> dict[str, Any]:
    row = next(authority for authority in lab.description["cas"] if authority["name"] == ca)
    given = {
        "provider": "adcs", "adcs_url": f"https://{row['address']}:{row['port']}/certsrv", "adcs_username": USER,
        "adcs_password": PASSWORD, "adcs_ca_path": str(lab.state / f"ca-{ca}" / "ca.pem"), "csr": csr,
        "adcs_template": "CucmTLS" if ca == "adcs" else None, **options,
    }  # fmt: skip
    result = run_module("ca_sign", {name: value for name, value in given.items() if value is not None}, check=check)
    assert PASSWORD not in json.dumps({**result, "invocation": None})
    return result


def requests_at(lab: LabProcess, ca: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lab.ask("ca", what="list", ca=ca)
    return found


@pytest.mark.parametrize("auth", ["ntlm", "basic"])
def test_issued_with_its_chain_up_to_the_root(lab: LabProcess, tmp_path: Path, auth: str) -> None:
    csr = make_csr(tmp_path, "CUCM10", key="rsa:2048", sans=SANS)
    result = sign(lab, csr, adcs_auth=auth)
    assert result.get("changed") and result["status"] == "issued" and result["request_id"], result
    assert len(result["chain"]) == 2 and result["root"] == result["chain"][-1]
    assert verify(tmp_path, result["certificate"], result["chain"], strict=False).count(": OK") == 2
    assert "DNS:cucm10.lab.local, DNS:lab.local" in text(result["certificate"])
    assert openssl("req", "-noout", "-pubkey", feed=csr) == openssl(
        "x509", "-noout", "-pubkey", feed=result["certificate"]
    )


def test_what_was_issued_comes_back_while_it_serves(lab: LabProcess, tmp_path: Path) -> None:
    csr, folder = make_csr(tmp_path, sans=SANS), str(tmp_path / "kept")
    first = sign(lab, csr, path=folder)
    count = len(requests_at(lab, "adcs"))
    again = sign(lab, csr, path=folder)
    assert not again["changed"] and (again["certificate"], again["chain"]) == (first["certificate"], first["chain"])
    assert len(requests_at(lab, "adcs")) == count
    forced = sign(lab, csr, path=folder, force=True)
    assert forced["certificate"] != first["certificate"] and "force was set" in forced["reissued_because"]


WRONG = {
    "WebServer": "It lacks clientAuth",
    "CucmAddsCn": "the CA added DNS:cucma",
    "CucmNoSan": "the CA left out DNS:cucm10.lab.local, DNS:lab.local",
    "CucmNoDataEncipherment": "lacks the key usages dataEncipherment",
}


@pytest.mark.parametrize("template", WRONG)
def test_what_the_ca_left_out_or_added_is_named(lab: LabProcess, tmp_path: Path, template: str) -> None:
    result = sign(lab, make_csr(tmp_path, sans=SANS), adcs_template=template, path=str(tmp_path / "kept"))
    assert result.get("failed") and WRONG[template] in result["msg"], result
    assert "certificate" not in result and not list((tmp_path / "kept").rglob("*.*"))


def test_a_short_template_is_warned_of(lab: LabProcess, tmp_path: Path) -> None:
    result = sign(lab, make_csr(tmp_path, sans=SANS), adcs_template="CucmShort")
    assert "due for renewal at once" in str(result["warnings"])


@pytest.mark.parametrize(
    ("template", "words"), [("Nothing", "0x80094800"), ("CucmForbidden", "permissions on the certificate template")]
)
def test_denied_in_the_words_of_the_ca(lab: LabProcess, tmp_path: Path, template: str, words: str) -> None:
    result = sign(lab, make_csr(tmp_path), adcs_template=template, path=str(tmp_path / "kept"))
    assert result.get("failed") and result["status"] == "denied" and words in result["msg"]
    assert not list((tmp_path / "kept").rglob("*.json"))


def test_pending_is_kept_and_the_next_run_goes_on(lab: LabProcess, tmp_path: Path) -> None:
    csr, folder = make_csr(tmp_path, key="rsa:1024", digest="sha1", sans=SANS), str(tmp_path / "kept")
    first = sign(lab, csr, "w2003", path=folder)
    assert first.get("failed") and first["status"] == "pending" and str(first["request_id"]) in first["msg"]
    count = len(requests_at(lab, "w2003"))
    assert sign(lab, csr, "w2003", path=folder)["request_id"] == first["request_id"]
    assert len(requests_at(lab, "w2003")) == count, "a pending request is not handed in again"
    lab.ask("ca", what="issue", ca="w2003", request=first["request_id"])
    done = sign(lab, csr, "w2003", path=folder)
    assert done.get("changed") and done["request_id"] == first["request_id"], done
    assert verify(tmp_path, done["certificate"], done["chain"], "-auth_level", "0").count(": OK") == 2
    assert "signed with sha1" in str(done["warnings"])
    assert not list((tmp_path / "kept" / "pending").iterdir())


def test_a_pending_request_goes_on_by_its_number_and_can_be_waited_for(lab: LabProcess, tmp_path: Path) -> None:
    csr = make_csr(tmp_path, key="rsa:2048")
    number = sign(lab, csr, adcs_template="CucmApproval")["request_id"]
    threading.Timer(1.0, lambda: lab.ask("ca", what="issue", ca="adcs", request=number)).start()
    started = time.monotonic()
    done = sign(lab, csr, adcs_template="CucmApproval", adcs_request_id=number, adcs_wait=30)
    assert done.get("changed") and done["request_id"] == number and time.monotonic() - started < 20


def test_a_request_denied_later_says_so_and_is_forgotten(lab: LabProcess, tmp_path: Path) -> None:
    csr, folder = make_csr(tmp_path), str(tmp_path / "kept")
    number = sign(lab, csr, "w2003", path=folder)["request_id"]
    lab.ask("ca", what="deny", ca="w2003", request=number)
    denied = sign(lab, csr, "w2003", path=folder)
    assert denied.get("failed") and denied["status"] == "denied" and "Denied by" in denied["msg"]
    assert sign(lab, csr, "w2003", path=folder)["request_id"] != number


def test_a_foreign_request_id_is_not_taken(lab: LabProcess, tmp_path: Path) -> None:
    number = sign(lab, make_csr(tmp_path, "OTHER"))["request_id"]
    result = sign(lab, make_csr(tmp_path, "CUCMA"), adcs_request_id=number)
    assert result.get("failed") and "another key than that of the CSR" in result["msg"]


def test_check_mode_logs_in_and_hands_nothing_in(lab: LabProcess, tmp_path: Path) -> None:
    csr, count = make_csr(tmp_path, sans=SANS), len(requests_at(lab, "adcs"))
    result = sign(lab, csr, check=True, path=str(tmp_path / "kept"))
    assert result["changed"] and result["predicted"] and len(requests_at(lab, "adcs")) == count
    assert verify(tmp_path, result["certificate"], result["chain"]).count(": OK") == 2
    assert not (tmp_path / "kept").exists()
    assert "refused the account" in sign(lab, csr, check=True, adcs_password="Ca-wrong-1")["msg"]
    # The CA that would sign is known, with its root; of a renewed one that is the newest.
    assert result["signing_chain"] == sign(lab, csr)["chain"]
    renewed = sign(lab, csr, "w2003", check=True, adcs_legacy_crypto=True)
    newest = (lab.state / "ca-w2003" / "ca.pem").read_text()
    assert [pem.strip() for pem in renewed["signing_chain"]] == [newest.strip()]


def test_name_constraints_of_the_ca_are_known_in_check_mode(lab: LabProcess, tmp_path: Path) -> None:
    csr = make_csr(tmp_path, sans=SANS)
    # OpenSSL finds the certificate of the CA's web site, which the CA signed, outside of the names that it may sign.
    given = {"adcs_template": "CucmTLS", "check": True}
    assert "permitted subtree violation" in sign(lab, csr, "limited", **given)["msg"]
    result = sign(lab, csr, "limited", adcs_ca_path=None, adcs_validate_certs=False, **given)
    assert result.get("failed") and "do not allow the name DNS:cucm10.lab.local" in result["msg"], result
    assert "Nothing was requested" in result["msg"] and requests_at(lab, "limited") == []


@pytest.mark.parametrize("auth", ["ntlm", "basic"])
def test_a_wrong_password_is_a_sentence(lab: LabProcess, tmp_path: Path, auth: str) -> None:
    result = sign(lab, make_csr(tmp_path), adcs_password="Ca-wrong-password-1", adcs_auth=auth)
    assert result.get("failed") and "refused the account LAB\\enroll" in result["msg"]
    assert "Ca-wrong-password-1" not in result["msg"]


def test_bad_input_is_a_sentence(lab: LabProcess, tmp_path: Path) -> None:
    csr = make_csr(tmp_path)
    assert "not an https address" in sign(lab, csr, adcs_url="http://127.0.0.1/certsrv")["msg"]
    assert "not trusted: " in sign(lab, csr, adcs_ca_path=str(lab.state / "ca-w2003" / "ca.pem"))["msg"]
    assert "refused" in sign(lab, csr, adcs_url="https://127.0.0.1:9/certsrv")["msg"]
    assert "adds alternative names" in sign(lab, csr, adcs_attributes={"SAN": "dns=x"})["msg"]
