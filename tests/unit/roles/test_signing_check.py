# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What signing, or uploading the CA's chain, would refuse is found before any CSR is made. The CAs are openssl's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.preflight_new_certificates import preflight_new_certificates
from ansible_collections.siptls.cucm.plugins.filter.preflight_problems import preflight_problems

from tests.support.certificate_kit import Authority, openssl
from tests.support.made_views import made


def facts(name: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "nodes": [{"name": "A"}], "certificates": {"A": made(f"C=IN,CN={name}.example.com")},
        "trust": {"A": []}, "mistakes": [], "problems": [], "patterns": [], "due": ["A"], "unreachable": "", **more,
    }  # fmt: skip


def folder(path: Path, made_by: Authority) -> Path:
    """A CA as role callmanager_certificate keeps it."""
    shutil.copy(made_by.path, path / "ca.pem")
    shutil.copy(made_by.key, path / "ca.key")
    (path / "ca.key").chmod(0o600)
    return path


def signed(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    ca = {name: value for name, value in given.items() if name not in ("days", "passphrase")}
    return preflight_new_certificates(
        facts(**more), ca, days=given.get("days", 730), renew_before=30, passphrase=given.get("passphrase")
    )


def test_a_sound_ca_is_no_problem_and_its_chain_is_known(tmp_path: Path) -> None:
    ours = Authority.make(tmp_path, "Ours")
    found = signed({"path": str(folder(tmp_path, ours)), "request_ids": {}, "provider": "local"})
    assert found["mistakes"] == found["problems"] == [] and found["signing_chain"][0].strip() == ours.pem.strip()
    before = sorted(tmp_path.rglob("*"))
    assert signed({"path": str(tmp_path)})["mistakes"] == [] and sorted(tmp_path.rglob("*")) == before


def test_a_ca_that_the_run_will_make_is_made_in_memory_alone(tmp_path: Path) -> None:
    found = signed({"path": str(tmp_path / "new")})
    assert found["mistakes"] == [] and found["signing_chain"] == [] and not (tmp_path / "new").exists()


def other_key(path: Path) -> None:
    shutil.copy(Authority.make(path, "Other").key, path / "ca.key")
    (path / "ca.key").chmod(0o600)


def locked(path: Path) -> None:
    openssl("rsa", "-aes256", "-passout", "pass:secret-of-the-key", "-in", str(path / "ca.key"), "-out",
            str(path / "locked"))  # fmt: skip
    (path / "locked").rename(path / "ca.key")
    (path / "ca.key").chmod(0o600)


@pytest.mark.parametrize(
    ("spoil", "given", "says"),
    [
        (lambda path: (path / "ca.key").unlink(), {}, "no key ca.key"),
        (lambda path: (path / "ca.key").write_text("no key"), {}, "ca.key"),
        (other_key, {}, "key"),
        (locked, {}, "passphrase"),
        (locked, {"passphrase": "another one"}, "passphrase"),
        (lambda path: (path / "ca.pem").write_text("no certificate"), {}, "PEM"),
        (lambda path: None, {"days": 20}, "days"),
        (lambda path: None, {"days": 0}, "days"),
        (lambda path: None, {"days": "many"}, "sip_tls_ca: .*days"),
        (lambda path: None, {"provider": "adcs"}, "sip_tls_ca.*adcs_url"),
        (lambda path: None, {"path": None}, "sip_tls_ca.*path"),
        (shutil.rmtree, {"local_create": False}, "There is no CA in"),
        (shutil.rmtree, {"local_ca_key_size": 100}, "100"),
    ],
)  # fmt: skip
def test_what_signing_would_refuse_is_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], Any], given: dict[str, Any], says: str
) -> None:
    ca = tmp_path / "ca"
    ca.mkdir()
    folder(ca, Authority.make(ca, "Ours"))
    spoil(ca)
    found = signed({"path": str(ca), **given})
    (text,) = found["mistakes"]
    assert re.search(says, text) and "sip_tls_ca" in text and len(text) <= 600, text
    assert "secret-of" not in text and "another one" not in text


def test_a_key_that_cucm_does_not_take_is_found_before_anything_is_signed(tmp_path: Path) -> None:
    found = signed({"path": str(folder(tmp_path, Authority.make(tmp_path, "Long", bits="4160")))})
    assert len(found["mistakes"]) == 1
    assert "its RSA key has 4160 bits, and CUCM takes no more than 4096" in found["mistakes"][0]


def test_a_ca_with_an_ec_key_is_warned_of_on_releases_from_before_ecdsa(tmp_path: Path) -> None:
    elliptic = {"path": str(tmp_path / "new"), "local_ca_key_type": "EC"}
    for given, version, warned in ((elliptic, "10.5.2.10000-5", 1), (elliptic, "12.5.1.11900-146", 0),
                                   ({"path": str(tmp_path / "new")}, "10.5.2.10000-5", 0)):  # fmt: skip
        found = signed(given, version=version)
        assert len(found["warnings"]) == warned and found["problems"] == [], found["warnings"]
    assert (
        "it is not known whether CUCM 10.5.2.10000-5 accepts one"
        in signed(elliptic, version="10.5.2.10000-5")["warnings"][0]
    )


def in_store(authority: Authority) -> list[dict[str, Any]]:
    return [{"name": f"{authority.name}.pem", "pem": authority.pem, "purpose": "CallManager-trust"}]


def test_another_ca_of_the_name_in_a_trust_store_is_a_problem_of_the_cluster_and_of_its_peers(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    theirs = Authority.make(tmp_path / "other", "Ours")
    ours = folder(tmp_path, Authority.make(tmp_path, "Ours"))
    first = signed({"path": str(ours)}, trust={"A": in_store(theirs)}, peers=["b"])
    assert len(first["problems"]) == 1 and first["problems"][0].startswith("a, node A: CallManager-trust holds another")
    # The other cluster has no certificate to change, and would get the CA of the first.
    second = facts("b", trust={"A": in_store(theirs)}, peers=["a"], due=[])
    found = preflight_problems([first, second])
    assert any(text.startswith("b, node A: the CA of a: CallManager-trust holds another certificate named Ours")
               for text in found), found  # fmt: skip
    assert preflight_problems([signed({"path": str(ours)}, peers=["b"]), facts("b", peers=["a"])]) == []


def request(folder_: Path, subject: str = "/CN=a.example.com", *extensions: str, key: str = "rsa:2048") -> str:
    """A request by openssl, with extensions as in its configuration."""
    (folder_ / "req.cnf").write_text("[req]\ndistinguished_name=n\n[n]\n[e]\n" + "\n".join(extensions) + "\n")
    kind, _colon, of = key.partition(":")
    more = {"rsa": ["-newkey", key], "ec": ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{of}"]}
    keys = more.get(kind, ["-newkey", kind])
    return openssl("req", "-new", "-utf8", "-config", str(folder_ / "req.cnf"), *keys, "-nodes", "-keyout",
                   str(folder_ / "req.key"), "-subj", subject, *(["-reqexts", "e"] if extensions else []))  # fmt: skip


def damaged(pem: str) -> str:
    """A request whose signature is not that of its key."""
    lines = pem.splitlines()
    lines[-2] = lines[-2][:8] + ("AAAA" if lines[-2][8:12] != "AAAA" else "BBBB") + lines[-2][12:]
    return "\n".join(lines) + "\n"


#: what is wrong with the CSR that is pending on a node: how openssl makes it, and the sentence
PENDING: dict[str, tuple[Callable[[Path], str], str]] = {
    "signature": (lambda path: damaged(request(path)), "its own signature does not fit its key"),
    "a CA": (lambda path: request(path, "/CN=a.example.com", "basicConstraints=CA:TRUE"), "it asks to become a CA"),
    "many names": (
        lambda path: request(path, "/CN=a.example.com",
                             "subjectAltName=" + ",".join(f"DNS:n{number}.example.com" for number in range(101))),
        "it contains 101 alternative names"),
    "a net": (
        lambda path: request(path, "/CN=a.example.com", "subjectAltName=DER:300a87080a000000ff000000"),
        "it contains IP:10.0.0.0/255.0.0.0, which is not the address of one node"),
    "a URI": (lambda path: request(path, "/CN=a.example.com", "subjectAltName=URI:sip:a.example.com"),
              "it contains the alternative name URI:sip:a.example.com"),
    "a small key": (lambda path: request(path, key="rsa:512"), "its RSA key has 512 bits"),
    "another curve": (lambda path: request(path, key="ec:secp256k1"), "its EC key has"),
    "another kind of key": (lambda path: request(path, key="ed25519"), "its key is of the kind"),
    "no common name": (lambda path: request(path, "/O=x"), "its subject has no common name"),
    "two common names": (lambda path: request(path, "/CN=a.example.com/CN=b.example.com"), "has 2 common names"),
    "an empty name": (lambda path: request(path, "/CN=a.example.com", "subjectAltName=DER:30028200"),
                      "it holds an empty name"),
    "a hidden character": (lambda path: request(path, "/O=x\u202ey/CN=a.example.com"),
                           "holds characters that cannot be seen"),
    "a separator": (lambda path: request(path, "/CN=a.example.com;b"), "which separates names in the X.509"),
    "a wildcard": (lambda path: request(path, "/CN=*.example.com"), "CUCM does not support wildcard certificates"),
    "a name of another cluster": (
        lambda path: request(path, "/CN=a.example.com", "subjectAltName=DNS:b.example.com"),
        "the name b.example.com belongs to cluster b"),
    "a name of an external peer": (
        lambda path: request(path, "/CN=a.example.com", "subjectAltName=DNS:sbc.partner.net"),
        "the name sbc.partner.net belongs to external peer sbc"),
}  # fmt: skip


@pytest.mark.parametrize("what", PENDING)
def test_a_pending_csr_that_the_ca_would_refuse_is_found_before_anything_is_signed(tmp_path: Path, what: str) -> None:
    make, says = PENDING[what]
    ca = tmp_path / "ca"
    ca.mkdir()
    folder(ca, Authority.make(ca, "Ours"))
    before = sorted(ca.rglob("*"))
    result = {
        "item": {"name": "A", "purpose": "CallManager"},
        "needed": True,
        "predicted": False,
        "csr": make(tmp_path),
    }
    sbc = {"name": "sbc", "names": ["sbc.partner.net"], "external": True}
    other = facts(
        "b",
        external=[sbc],
        nodes=[{"name": "B", "address": "192.0.2.2"}],
        certificates={"B": made("C=IN,CN=b.example.com")},
    )
    found = preflight_new_certificates(
        facts(nodes=[{"name": "A", "address": "192.0.2.1"}]), {"path": str(ca)}, days=730, renew_before=30,
        csrs=[result], variables={"b": {"preflight_cluster": other}}, hosts=["a", "b"],
    )  # fmt: skip
    (text,) = preflight_problems([found])
    assert text.startswith("a, node A: the CSR for CallManager that is pending there cannot be signed: The request of")
    assert says in text and "set callmanager_certificate_regenerate to always for one run." in text
    assert sorted(ca.rglob("*")) == before


def test_a_sound_csr_is_no_problem_and_one_that_cannot_be_made_is(tmp_path: Path) -> None:
    ca = {"path": str(folder(tmp_path, Authority.make(tmp_path, "Ours")))}
    item = {"item": {"name": "A", "purpose": "CallManager"}}
    sound = {**item, "needed": True, "predicted": False, "csr": request(tmp_path)}
    foreseen = {**sound, "predicted": True, "csr": request(tmp_path, "/CN=*.example.com")}
    refused = {
        **item,
        "failed": True,
        "msg": "A multi-server CSR for CallManager is needed, and the CLI cannot make one.",
    }
    silent = {**item, "failed": True, "msg": "No connection.", "reason": "timeout"}
    for result, problems in ((sound, []), (foreseen, []), (silent, []), (refused, [f"a, node A: {refused['msg']}"])):
        given = facts(nodes=[{"name": "A", "address": "192.0.2.1"}])
        found = preflight_new_certificates(
            given, ca, days=730, renew_before=30, csrs=[result], variables={}, hosts=["a"]
        )
        assert (found["mistakes"], found["problems"]) == ([], problems)
