# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local CA, run as Ansible runs it and judged by the openssl program."""

from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.module_processes import run_module
from tests.support.requests_made import SUBJECT, make_csr, openssl, text, verify


def sign(folder: Path, csr: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
    environment = options.pop("environment", {})
    given = {"path": str(folder / "ca"), "csr": csr, "local_ca_key_type": "EC", **options}
    return run_module("ca_sign", given, check=check, environment=environment)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("release", ["9.1", "10.5", "12.5-ec"])
@pytest.mark.parametrize("ca", ["RSA", "EC"])
def test_openssl_accepts_what_is_signed_for_every_kind_of_request(tmp_path: Path, release: str, ca: str) -> None:
    csr = {
        "9.1": lambda: make_csr(tmp_path, digest="sha1", key="rsa:1024", eku="serverAuth,clientAuth,1.3.6.1.5.5.7.3.5"),
        "10.5": lambda: make_csr(tmp_path, key="rsa:2048", sans="DNS:cucm10.lab.local,DNS:lab.local"),
        "12.5-ec": lambda: make_csr(tmp_path, key="ec:secp384r1", sans="DNS:cucm12.lab.local"),
    }[release]()
    result = sign(tmp_path, csr, local_ca_key_type=ca, days=100)
    assert result["changed"] and result["ca_created"] and not result["predicted"], result
    weak = ("-auth_level", "0") if release == "9.1" else ("-auth_level", "2")
    assert verify(tmp_path, result["certificate"], result["chain"], *weak).count(": OK") == 2
    said = text(result["certificate"])
    assert "Subject: C = IN, ST = cisco, L = cisco, O = cisco, OU = cisco, CN = CUCMA" in said
    assert "Digital Signature, Key Encipherment, Data Encipherment, Key Agreement\n" in said
    assert "TLS Web Server Authentication, TLS Web Client Authentication\n" in said
    assert "CA:FALSE" in said and "sha256" in said.lower()
    names = re.search(r"Subject Alternative Name: *\n\s*(.+)", said)
    asked = {"9.1": None, "10.5": "DNS:cucm10.lab.local, DNS:lab.local", "12.5-ec": "DNS:cucm12.lab.local"}[release]
    assert (names[1].strip() if names else None) == asked
    key = openssl("x509", "-noout", "-pubkey", feed=result["certificate"])
    assert key == openssl("req", "-noout", "-pubkey", feed=csr)
    assert result["view"]["days_left"] in (99, 100)
    if release == "9.1":
        assert "RSA key of 1024 bits" in str(result["warnings"])


def test_the_ca_is_a_sound_one_and_its_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    result = sign(tmp_path, make_csr(tmp_path), local_ca_key_type="RSA", local_ca_subject="C=IN, O=cisco, CN=Lab Root")
    said = text(result["root"])
    assert "Subject: C = IN, O = cisco, CN = Lab Root" in said and "CA:TRUE, pathlen:0" in said
    assert "Public-Key: (3072 bit)" in said and "Certificate Sign, CRL Sign" in said
    modes = {name: stat.S_IMODE((tmp_path / "ca" / name).stat().st_mode) for name in (".", "ca.key")}
    assert modes == {".": 0o700, "ca.key": 0o600}
    assert openssl("pkey", "-in", str(tmp_path / "ca" / "ca.key"), "-noout", "-check").startswith("Key is valid")
    assert "PRIVATE" not in str(result)


def test_the_same_certificate_comes_back_while_it_serves_and_a_reason_when_not(tmp_path: Path) -> None:
    csr = make_csr(tmp_path, sans="DNS:a.lab.local,DNS:b.lab.local")
    first = sign(tmp_path, csr)
    before = files(tmp_path / "ca")
    again = sign(tmp_path, make_csr(tmp_path, sans="DNS:B.lab.local,DNS:a.lab.local", keep_key=True))
    assert again["certificate"] == first["certificate"] and not again["changed"]
    assert again["reissued_because"] is None and files(tmp_path / "ca") == before
    due = sign(tmp_path, csr, renew_before=3000, days=3400)
    assert due["changed"] and "days left, and renew_before is 3000" in due["reissued_because"]
    other = sign(tmp_path, make_csr(tmp_path, sans="DNS:c.lab.local", keep_key=True))
    assert (
        "alternative names DNS:a.lab.local, DNS:b.lab.local, the request DNS:c.lab.local" in other["reissued_because"]
    )
    new_key = sign(tmp_path, make_csr(tmp_path, sans="DNS:c.lab.local"))
    assert "new key" in new_key["reissued_because"]
    forced = sign(tmp_path, csr, force=True)
    assert forced["changed"] and forced["reissued_because"].startswith("force was set")
    serials = {result["view"]["serial"] for result in (first, due, other, new_key, forced)}
    assert len(serials) == 5


REFUSED = {
    "wildcard": ({"sans": "DNS:*.lab.local"}, r"wildcard \*\.lab\.local"),
    "wildcard name": ({"name": "*.lab.local"}, "wildcard"),
    "a CA": ({"more": ("basicConstraints=CA:TRUE",)}, "asks to become a CA"),
    "curve": ({"key": "ec:prime192v1"}, "P-256, P-384, P-521"),
    "another curve of 256 bits": ({"key": "ec:secp256k1"}, "P-256, P-384, P-521"),
    "many names": ({"sans": ",".join(f"DNS:n{number}.lab.local" for number in range(2000))}, "2000 alternative names"),
    "an address range": ({"more": ("2.5.29.17=DER:300A87080A000000FF000000",)}, "not the address of one node"),
    "an empty name": ({"more": ("2.5.29.17=DER:30028200",)}, "empty name"),
    "NUL in a name": ({"more": ("2.5.29.17=DER:300D820B6375636D61002E6576696C",)}, "cannot be seen"),
    "an e-mail address": ({"sans": "email:a@example.com"}, "DNS names and IP addresses only"),
    "a key of another kind": ({"key": "ec:brainpoolP256r1"}, "P-256, P-384, P-521"),
    "two common names": ({"subject": "/CN=other/CN="}, "has 2 common names"),
    "no name": ({"name": "", "subject": "/O=cisco"}, "no common name"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_request_is_refused_before_anything_is_written(tmp_path: Path, what: str) -> None:
    asked, sentence = REFUSED[what]
    result = sign(tmp_path, make_csr(tmp_path, **asked))  # type: ignore[arg-type]
    assert result.get("failed") and re.search(sentence, result["msg"]), result
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_forged_request_is_refused(tmp_path: Path, digest: str) -> None:
    good = make_csr(tmp_path, digest=digest)
    import base64

    raw = bytearray(base64.b64decode("".join(good.split("\n")[1:-2])))
    raw[-1] ^= 1
    bad = f"-----BEGIN CERTIFICATE REQUEST-----\n{base64.b64encode(raw).decode()}\n-----END CERTIFICATE REQUEST-----\n"
    result = sign(tmp_path, bad)
    assert result.get("failed") and "damaged or forged" in result["msg"]
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize(
    "csr", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"]
)
def test_what_is_no_request_is_a_sentence(tmp_path: Path, csr: str) -> None:
    result = sign(tmp_path, csr)
    assert result.get("failed") and "request" in result["msg"] and "Traceback" not in result["msg"]


def test_without_a_request_the_ca_alone_is_made(tmp_path: Path) -> None:
    folder = str(tmp_path / "ca")
    foreseen = run_module("ca_sign", {"path": folder}, check=True)
    assert foreseen["changed"] and foreseen["predicted"] and not (tmp_path / "ca").exists()
    made = run_module("ca_sign", {"path": folder})
    assert made["changed"] and made["ca_created"] and made["status"] == "ready" and made["certificate"] is None
    assert made["chain"] == [(tmp_path / "ca" / "ca.pem").read_text()]
    assert not list((tmp_path / "ca").glob("issued/*")), "nothing was signed"
    again = run_module("ca_sign", {"path": folder})
    assert not again["changed"] and again["chain"] == made["chain"]
    refused = run_module("ca_sign", {"provider": "by_hand", "by_hand_path": folder})
    assert refused.get("failed") and "csr is not set" in refused["msg"]


def test_names_outside_the_allowed_ones_are_refused(tmp_path: Path) -> None:
    csr = make_csr(tmp_path, sans="DNS:cucma.lab.local,DNS:evil.example.com")
    result = sign(tmp_path, csr, allowed_sans=["*.lab.local", "CUCM*"])
    assert result.get("failed") and result["msg"].count("example.com") == 1
    assert "allowed_sans does not allow the name evil.example.com" in result["msg"]
    assert sign(tmp_path, csr, allowed_sans=["*.lab.local", "CUCM*", "*.example.com"])["changed"]


def test_a_clock_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    result = sign(tmp_path, make_csr(tmp_path), clock_offset=10**12)
    assert result.get("failed") and "no clock is that wrong" in result["msg"] and not (tmp_path / "ca").exists()


def test_check_mode_signs_in_memory_and_writes_nothing(tmp_path: Path) -> None:
    csr = make_csr(tmp_path)
    predicted = sign(tmp_path, csr, check=True)
    assert predicted["changed"] and predicted["predicted"] and not (tmp_path / "ca").exists()
    assert verify(tmp_path, predicted["certificate"], predicted["chain"]).count(": OK") == 2
    second = sign(tmp_path, make_csr(tmp_path, "CUCM10"), check=True)
    assert second["root"] == predicted["root"], "the run would make one CA"
    real = sign(tmp_path, csr)
    before = files(tmp_path / "ca")
    after = sign(tmp_path, csr, check=True)
    assert not after["changed"] and not after["predicted"] and after["certificate"] == real["certificate"]
    other = sign(tmp_path, make_csr(tmp_path, "CUCM10"), check=True)
    assert other["predicted"] and other["root"] == real["root"]
    assert files(tmp_path / "ca") == before


def test_many_signers_at_once_share_one_ca(tmp_path: Path) -> None:
    requests = [make_csr(tmp_path, f"CUCM{number}", key="ec:prime256v1") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda csr: sign(tmp_path, csr), requests))
    assert len({result["root"] for result in results}) == 1
    assert sum(result["ca_created"] for result in results) == 1
    assert len(list((tmp_path / "ca" / "issued").glob("*.pem"))) == 6
    for result in results:
        verify(tmp_path, result["certificate"], result["chain"])


def test_a_passphrase_guards_the_key(tmp_path: Path) -> None:
    csr = make_csr(tmp_path)
    first = sign(tmp_path, csr, local_passphrase="Sesame-open-1")
    assert "ENCRYPTED" in (tmp_path / "ca" / "ca.key").read_text()
    assert "no passphrase was given" in sign(tmp_path, csr)["msg"]
    wrong = sign(tmp_path, csr, local_passphrase="Sesame-shut-2")
    assert "cannot be decrypted" in wrong["msg"] and "Sesame" not in wrong["msg"]
    again = sign(tmp_path, csr, environment={"SIP_TLS_CA_PASSPHRASE": "Sesame-open-1"})
    assert again["certificate"] == first["certificate"]


def test_a_run_killed_between_key_and_certificate_is_finished_by_the_next(tmp_path: Path) -> None:
    csr = make_csr(tmp_path)
    sign(tmp_path, csr)
    key = (tmp_path / "ca" / "ca.key").read_bytes()
    (tmp_path / "ca" / "ca.pem").unlink()
    result = sign(tmp_path, csr)
    assert result["ca_created"] and (tmp_path / "ca" / "ca.key").read_bytes() == key
    assert "another CA" in result["reissued_because"]
    (tmp_path / "ca" / "ca.key").unlink()
    assert "no key ca.key" in sign(tmp_path, csr)["msg"]


def test_no_ca_is_made_unless_allowed(tmp_path: Path) -> None:
    result = sign(tmp_path, make_csr(tmp_path), local_create=False)
    assert result.get("failed") and "local_create: true" in result["msg"] and not (tmp_path / "ca" / "ca.key").exists()


def make_intermediate(folder: Path) -> tuple[str, str, str]:
    """(root, intermediate, key of the intermediate) by openssl."""
    root = openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "root.key"), "-days", "900",
        "-subj", "/CN=Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    (folder / "root.pem").write_text(root)
    request = openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "sub.key"), "-subj", "/CN=Sub"
    )
    (folder / "sub.ext").write_text(
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
        "authorityKeyIdentifier=keyid\n"
    )
    sub = openssl(
        "x509", "-req", "-CA", str(folder / "root.pem"), "-CAkey", str(folder / "root.key"), "-days", "800",
        "-extfile", str(folder / "sub.ext"), feed=request,
    )  # fmt: skip
    return root, sub, (folder / "sub.key").read_text()


def test_an_intermediate_ca_signs_with_its_chain(tmp_path: Path) -> None:
    root, sub, key = make_intermediate(tmp_path)
    (tmp_path / "ca").mkdir()
    for name, content in (("ca.pem", sub), ("ca.key", key)):
        (tmp_path / "ca" / name).write_text(content)
    csr = make_csr(tmp_path)
    assert "does not reach a root" in sign(tmp_path, csr)["msg"]
    (tmp_path / "ca" / "chain.pem").write_text(root)
    result = sign(tmp_path, csr)
    assert result["chain"] == [sub, root] and result["root"] == root
    assert verify(tmp_path, result["certificate"], result["chain"]).count(": OK") == 2
    assert "readable by others" in str(result["warnings"])


def test_a_ca_given_whole_needs_no_folder(tmp_path: Path) -> None:
    root, sub, key = make_intermediate(tmp_path)
    csr = make_csr(tmp_path)
    result = run_module("ca_sign", {"local_ca_certificate": root + sub, "local_ca_key": key, "csr": csr})
    assert result["chain"] == [sub, root], result
    assert key.split("\n")[3] not in str(result)
    by_file = run_module(
        "ca_sign", {"local_ca_certificate": root + sub, "local_ca_key_path": str(tmp_path / "sub.key"), "csr": csr}
    )
    assert verify(tmp_path, by_file["certificate"], by_file["chain"]).count(": OK") == 2
    wrong = run_module("ca_sign", {"local_ca_certificate": root, "local_ca_key": key, "csr": csr})
    assert "do not belong together" in wrong["msg"]
    assert "without its key" in run_module("ca_sign", {"local_ca_certificate": root, "csr": csr})["msg"]


def test_a_certificate_never_outlives_its_ca_and_an_ending_ca_signs_no_more(tmp_path: Path) -> None:
    csr = make_csr(tmp_path)
    short = sign(tmp_path, csr, local_ca_days=100, days=730)
    assert short.get("failed") and "local_ca_days is 100, and the CA has to sign certificates for 730" in short["msg"]
    assert not (tmp_path / "ca" / "ca.key").exists()
    sign(tmp_path, make_csr(tmp_path, "FIRST"), local_ca_days=100, days=90)
    result = sign(tmp_path, csr, days=730)
    assert result["view"]["not_after"] == result["ca"]["not_after"] and "ends with its CA" in str(result["warnings"])
    late = sign(tmp_path, csr, renew_before=200)
    assert "due for renewal at once" in late["msg"]


def test_a_leaf_is_no_ca(tmp_path: Path) -> None:
    leaf = sign(tmp_path, make_csr(tmp_path))["certificate"]
    given = {
        "local_ca_certificate": leaf,
        "local_ca_key_path": str(tmp_path / "CUCMA.key"),
        "csr": make_csr(tmp_path, "X"),
    }
    assert "is not a CA certificate" in run_module("ca_sign", given)["msg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = sign(tmp_path, make_csr(Path("/tmp")))
    tmp_path.chmod(0o700)
    assert "permission denied" in result["msg"]


def test_a_file_where_the_folder_should_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("")
    result = sign(tmp_path, make_csr(tmp_path))
    assert result.get("failed") and "cannot be opened" in result["msg"]


def test_a_request_for_a_cas_key_usage_loses_it(tmp_path: Path) -> None:
    result = sign(tmp_path, make_csr(tmp_path, usage="digitalSignature,dataEncipherment,keyCertSign"))
    assert result["view"]["key_usage"] == ["digitalSignature", "dataEncipherment"]
    assert "only a CA may have" in str(result["warnings"])


def test_eku_keep_keeps_what_else_was_asked(tmp_path: Path) -> None:
    csr = make_csr(tmp_path, eku="serverAuth,1.3.6.1.5.5.7.3.5", subject=SUBJECT)
    result = sign(tmp_path, csr, eku_policy="keep")
    assert result["view"]["eku"] == ["serverAuth", "clientAuth", "ipsecEndSystem"]


def test_eku_keep_keeps_to_what_the_operator_lists(tmp_path: Path) -> None:
    csr = make_csr(tmp_path, eku="serverAuth,codeSigning,timeStamping", subject=SUBJECT)
    kept = sign(tmp_path, csr, eku_policy="keep")
    assert kept["view"]["eku"] == ["serverAuth", "clientAuth"] and "kept_eku" in str(kept["warnings"])
    listed = sign(tmp_path, csr, eku_policy="keep", kept_eku=["timeStamping"], force=True)
    assert listed["view"]["eku"] == ["serverAuth", "clientAuth", "timeStamping"]


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1", "secp521r1"])
def test_keys_on_the_curves_of_the_list_are_signed(tmp_path: Path, curve: str) -> None:
    assert sign(tmp_path, make_csr(tmp_path, key=f"ec:{curve}"))["changed"]
