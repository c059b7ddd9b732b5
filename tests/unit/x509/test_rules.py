# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUCM's rules for certificates, and those of RFC 5280 for chains as openssl follows them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import rules
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, climb, climb_to_root
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_request

from tests.support.requests_made import make_csr, openssl

CA = "basicConstraints=critical,CA:TRUE"
LEAF = "subjectAltName=DNS:cucm1.lab.local\nextendedKeyUsage=serverAuth,clientAuth"
SIGNS = "keyUsage=keyCertSign,cRLSign"


def issue(folder: Path, name: str, above: str = "", *extensions: str, subject: str = "", issuer_as: str = "") -> str:
    """A certificate by openssl; with issuer_as the issuer's name is written so, by the same key."""
    key = folder / f"{name}.key"
    if not key.exists():
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(key))
    request = openssl("req", "-new", "-utf8", "-key", str(key), "-subj", subject or f"/O=Lab/CN={name}")
    (folder / "ext").write_text("\n".join(extensions) + "\n")
    signer = ["-signkey", str(key)]
    if above:
        ca = folder / f"{above}.pem"
        if issuer_as:
            twin = openssl("req", "-new", "-key", str(folder / f"{above}.key"), "-subj", issuer_as)
            ca = folder / "twin.pem"
            (folder / "twin.ext").write_text("subjectKeyIdentifier=hash\n")
            more = ["-signkey", str(folder / f"{above}.key"), "-extfile", str(folder / "twin.ext")]
            ca.write_text(openssl("x509", "-req", *more, feed=twin))
        signer = ["-CA", str(ca), "-CAkey", str(folder / f"{above}.key")]
    pem = openssl("x509", "-req", *signer, "-days", "40", "-extfile", str(folder / "ext"), feed=request)
    (folder / f"{name}.pem").write_text(pem)
    return pem


#: what is above the leaf -> extensions of the root and of the CA between, and whether openssl follows it
CHAINS = {
    "good": ((CA, SIGNS), (CA, SIGNS), True),
    "no key usage": ((CA,), (CA,), True),
    "between is no CA": ((CA, SIGNS), ("basicConstraints=CA:FALSE",), False),
    "between has no constraints": ((CA, SIGNS), ("subjectKeyIdentifier=hash",), False),
    "between may not sign": ((CA, SIGNS), (CA, "keyUsage=digitalSignature"), False),
    "root may not sign": ((CA, "keyUsage=cRLSign"), (CA, SIGNS), False),
    "path too long": ((CA + ",pathlen:0", SIGNS), (CA, SIGNS), False),
    "path long enough": ((CA + ",pathlen:1", SIGNS), (CA + ",pathlen:0", SIGNS), True),
    "permitted": ((CA, SIGNS, "nameConstraints=permitted;DNS:lab.local"), (CA, SIGNS), True),
    "not permitted": ((CA, SIGNS, "nameConstraints=permitted;DNS:example.com"), (CA, SIGNS), False),
    "excluded": ((CA, SIGNS), (CA, SIGNS, "nameConstraints=excluded;DNS:cucm1.lab.local"), False),
    "between for servers": ((CA, SIGNS), (CA, SIGNS, "extendedKeyUsage=serverAuth"), False),
    "root for servers": ((CA, SIGNS, "extendedKeyUsage=serverAuth,emailProtection"), (CA, SIGNS), False),
    "between for any use": ((CA, SIGNS), (CA, SIGNS, "extendedKeyUsage=anyExtendedKeyUsage"), False),
    "between for both": ((CA, SIGNS), (CA, SIGNS, "extendedKeyUsage=clientAuth,serverAuth"), True),
    "between signs by its key usage alone": ((CA, SIGNS), (SIGNS,), False),
    "root signs by its key usage alone": ((SIGNS,), (CA, SIGNS), True),
    "between has damaged constraints": ((CA, SIGNS), (CA, SIGNS, "2.5.29.30=DER:3005a009"), False),
    "between has a damaged usage": ((CA, SIGNS), (CA, SIGNS, "2.5.29.37=DER:3005a009"), False),
    "between has a damaged access": ((CA, SIGNS), (CA, SIGNS, "1.3.6.1.5.5.7.1.1=DER:3005a009"), True),
    "between has an unknown critical": ((CA, SIGNS), (CA, SIGNS, "1.2.3.4=critical,DER:0500"), False),
    "root has an unknown critical": ((CA, SIGNS, "1.2.3.4=critical,DER:0500"), (CA, SIGNS), False),
    "other kind": ((CA, SIGNS, "nameConstraints=permitted;IP:10.0.0.0/255.0.0.0"), (CA, SIGNS), True),
}


def openssl_follows(folder: Path, *options: str) -> bool:
    """Whether openssl follows the chain of cucm1 for a TLS server and for a TLS client."""
    command = ["openssl", "verify", "-auth_level", "0", *options, "-CAfile", "Root.pem", "-untrusted", "Sub.pem"]
    return all(
        subprocess.run(
            [*command, "-purpose", purpose, "cucm1.pem"], cwd=folder, capture_output=True, check=False
        ).returncode == 0
        for purpose in ("sslserver", "sslclient")
    )  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_followed_where_openssl_follows_it(tmp_path: Path, name: str) -> None:
    root, between, followed = CHAINS[name]
    pems = [
        issue(tmp_path, "Root", "", *root), issue(tmp_path, "Sub", "Root", *between),
        issue(tmp_path, "cucm1", "Sub", *LEAF.split("\n")),
    ]  # fmt: skip
    assert openssl_follows(tmp_path) is followed
    chain = climb(read_certificate(pems[2]), map(read_certificate, pems[:2]))
    assert chain.complete
    assert (not list(rules.chain_problems(chain))) is followed, list(rules.chain_problems(chain))


#: an extension of the leaf -> whether openssl follows the chain
OF_LEAF = {
    "subjectKeyIdentifier=critical,hash": False,
    "authorityInfoAccess=critical,OCSP;URI:http://ocsp.lab": False,
    "issuerAltName=critical,DNS:a.lab": False,
    "1.3.6.1.4.1.311.21.10=critical,DER:300c300a06082b06010505070301": False,
    "1.3.6.1.4.1.311.21.10=DER:300c300a06082b06010505070301": True,
    "crlDistributionPoints=critical,URI:http://crl.lab": True,
    "certificatePolicies=critical,2.5.29.32.0": True,
    "policyConstraints=critical,requireExplicitPolicy:3": True,
    "inhibitAnyPolicy=critical,2": True,
    "noCheck=critical,ignored": True,
    "nsCertType=critical,client,server": True,
    "keyUsage=critical,digitalSignature": True,
    "proxyCertInfo=critical,language:id-ppl-anyLanguage,pathlen:1": False,
    "authorityInfoAccess=DER:3005a009": True,
    "authorityInfoAccess=DER:30": True,
    "extendedKeyUsage=DER:3005a009": False,
}  # fmt: skip


@pytest.mark.parametrize("extension", OF_LEAF)
def test_an_extension_of_the_leaf_does_harm_where_openssl_refuses_it(tmp_path: Path, extension: str) -> None:
    root, between = (
        read_certificate(issue(tmp_path, name, above, CA, SIGNS)) for name, above in (("Root", ""), ("Sub", "Root"))
    )
    leaf = read_certificate(issue(tmp_path, "cucm1", "Sub", extension))
    assert openssl_follows(tmp_path) is OF_LEAF[extension]
    problems = [*leaf.extensions.unread, *rules.chain_problems(Chain((leaf, between, root)))]
    assert (not problems) is OF_LEAF[extension], problems


def test_a_damaged_access_is_not_known_and_no_reason_to_refuse(tmp_path: Path) -> None:
    issue(tmp_path, "Root", "", CA, SIGNS)
    leaf = read_certificate(issue(tmp_path, "cucm1", "Root", *LEAF.split("\n"), "authorityInfoAccess=DER:3005a009"))
    assert leaf.extensions.ocsp is None and leaf.extensions.unread == ()


#: extensions of the leaf -> whether openssl takes it for a TLS server and for a TLS client
LEAVES = {
    "no usages": ((), True),
    "both uses": (("extendedKeyUsage=serverAuth,clientAuth",), True),
    "server alone": (("extendedKeyUsage=serverAuth",), False),
    "any use": (("extendedKeyUsage=anyExtendedKeyUsage",), False),
    "any use and both": (("extendedKeyUsage=anyExtendedKeyUsage,serverAuth,clientAuth",), True),
    "signs": (("keyUsage=digitalSignature",), True),
    "agrees": (("keyUsage=keyAgreement",), True),
    "encrypts keys alone": (("keyUsage=keyEncipherment",), False),
    "encrypts data alone": (("keyUsage=dataEncipherment",), False),
}


@pytest.mark.parametrize("name", LEAVES)
def test_the_uses_of_a_certificate_are_judged_as_openssl_judges_them(tmp_path: Path, name: str) -> None:
    extensions, good = LEAVES[name]
    issue(tmp_path, "Root", "", CA, SIGNS)
    issue(tmp_path, "Sub", "Root", CA, SIGNS)
    leaf = read_certificate(issue(tmp_path, "cucm1", "Sub", "subjectAltName=DNS:cucm1.lab.local", *extensions))
    assert openssl_follows(tmp_path) is good
    assert (not list(rules.eku_problems(leaf))) is good, list(rules.eku_problems(leaf))


@pytest.mark.parametrize(
    ("written", "same"),
    [("/O=LAB/CN=root", True), ("/O=  Lab /CN=Root", True), ("/O=Lab/CN=Ro ot", False), ("/CN=Root/O=Lab", False)],
)
def test_names_are_compared_as_openssl_compares_them(tmp_path: Path, written: str, same: bool) -> None:
    root = read_certificate(issue(tmp_path, "Root", "", CA, SIGNS))
    leaf = read_certificate(issue(tmp_path, "cucm1", "Root", *LEAF.split("\n"), issuer_as=written))
    judged = subprocess.run(
        ["openssl", "verify", "-CAfile", "Root.pem", "cucm1.pem"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (judged.returncode == 0) is same, judged.stderr
    assert leaf.signed_by(root) is same


def test_each_problem_of_a_returned_certificate_is_named(tmp_path: Path) -> None:
    key = tmp_path / "CUCMA.key"
    request = read_request(make_csr(tmp_path, "CUCMA", sans="DNS:a.lab"))
    issue(tmp_path, "Root", "", CA, SIGNS)
    (tmp_path / "Sub.key").write_text(key.read_text())
    extensions = (CA, "subjectAltName=DNS:Sub.lab,IP:10.1.2.3", "extendedKeyUsage=serverAuth,1.3.6.1.5.5.7.3.5",
                  "keyUsage=digitalSignature,dataEncipherment")  # fmt: skip
    certificate = read_certificate(issue(tmp_path, "Sub", "Root", *extensions))
    said = "; ".join([*rules.request_differences(certificate, request), *rules.certificate_problems(certificate)])
    for words in ("common name is Sub, that of the CSR CUCMA", "the CA added DNS:sub.lab, IP:10.1.2.3 and left out",
                  "lacks the key usages keyEncipherment, keyAgreement", "it is a CA certificate", "lacks clientAuth",
                  "its key is EC, and purpose CallManager takes RSA"):  # fmt: skip
        assert words in said, said
    assert any(
        "added the extended key usage ipsecEndSystem" in remark for remark in rules.remarks(certificate, request)
    )
    now = datetime.now(UTC)
    assert "expired at" in next(rules.date_problems(certificate, now + timedelta(days=41)))
    assert "not yet valid" in next(rules.date_problems(certificate, now - timedelta(days=1)))


@pytest.mark.parametrize(
    ("subject", "sans", "words"),
    [
        ("/CN=a.lab/CN=b.lab", "", "2 common names (a.lab, b.lab)"),
        ("/O=x", "", "has no common name"),
        ("/CN=a.lab,b.lab", "", "',', which separates names"),
        ("/CN=a lab", "", "' ', which separates names"),
        ("/O=CN=a.lab/CN=b\u202e.lab", "", "characters that cannot be seen"),
        ("/CN=a.lab\x07", "", r"a.lab\07 holds characters that cannot be seen"),
        ("/CN=a.lab", "URI:sip:a.lab", "alternative name URI:sip:a.lab"),
        ("/CN=a.lab", "email:x@a.lab", "alternative name email:x@a.lab"),
        ("/CN=a.lab", "dirName:d", "alternative name dirName:"),
        ("/CN=a.lab", "DNS:a.lab;b.lab", "';', which separates names"),
        ("/CN=*.lab", "", "wildcard"),
    ],
)
def test_a_request_whose_names_could_be_misread_is_refused(tmp_path: Path, subject: str, sans: str, words: str) -> None:
    (tmp_path / "req.cnf").write_text(
        "[req]\ndistinguished_name=n\n[n]\n[d]\nCN=x\n" + (f"[e]\nsubjectAltName={sans}\n" if sans else "")
    )
    more = ["-reqexts", "e"] if sans else []
    keys = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "k")]
    pem = openssl("req", "-new", "-utf8", "-config", str(tmp_path / "req.cnf"), *keys, "-subj", subject, *more)
    problems = list(rules.request_problems(read_request(pem), rules.Policy()))
    assert any(words in problem for problem in problems), problems


def test_a_common_name_inside_another_attribute_is_not_one(tmp_path: Path) -> None:
    pem = make_csr(tmp_path, "b.lab", subject="/O=x, CN=a.lab/CN=")
    request = read_request(pem)
    assert request.common_name == "b.lab" and request.matched_names == ("b.lab",)
    assert request.subject.text == r"O=x\, CN=a.lab, CN=b.lab"


def test_a_ca_that_is_not_valid_is_a_problem_of_the_chain(tmp_path: Path) -> None:
    pems = [
        issue(tmp_path, "Root", "", CA, SIGNS), issue(tmp_path, "Sub", "Root", CA, SIGNS),
        issue(tmp_path, "cucm1", "Sub", *LEAF.split("\n")),
    ]  # fmt: skip
    later = datetime.now(UTC) + timedelta(days=41)
    judged = subprocess.run(
        ["openssl", "verify", "-attime", f"{later:%s}", "-CAfile", "Root.pem", "-untrusted", "Sub.pem", "cucm1.pem"],
        cwd=tmp_path, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert "error 10 at 1 depth" in judged.stderr and "error 10 at 2 depth" in judged.stderr
    chain = climb(read_certificate(pems[2]), map(read_certificate, pems[:2]), later)
    said = list(rules.chain_problems(chain, partial(rules.date_problems, now=later)))
    assert [text.partition(":")[0] for text in said] == [
        f"the CA certificate O=Lab, CN={name} in its chain cannot be used" for name in ("Sub", "Root")
    ]
    assert all("it expired at" in text for text in said)


HASH, FIXED, NONE = ("subjectKeyIdentifier=hash", "subjectKeyIdentifier=01:02", "subjectKeyIdentifier=none")


@pytest.mark.parametrize(
    ("before", "named", "renewed", "words"),
    [
        (HASH, "keyid:always", HASH, ""),
        (HASH, "keyid:always", NONE, ""),
        (HASH, "keyid:always", FIXED, "the key identifier"),
        (HASH, "keyid:always,issuer:always", HASH, "the serial number"),
        (NONE, "issuer:always", NONE, "the serial number"),
        (FIXED, "none", HASH, ""),
    ],
)
def test_a_renewed_ca_is_above_what_does_not_name_the_old_one(
    tmp_path: Path, before: str, named: str, renewed: str, words: str
) -> None:
    old = read_certificate(issue(tmp_path, "Root", "", CA, SIGNS, before))
    leaf = read_certificate(issue(tmp_path, "cucm1", "Root", *LEAF.split("\n"), f"authorityKeyIdentifier={named}"))
    assert not list(rules.chain_problems(climb(leaf, [old])))
    new = read_certificate(issue(tmp_path, "Root", "", CA, SIGNS, renewed))
    (tmp_path / "Sub.pem").write_text(leaf.pem)
    assert openssl_follows(tmp_path) is (not words)
    said = list(rules.chain_problems(climb(leaf, [new])))
    assert bool(said) is bool(words) and all(words in text for text in said), said
    assert not list(rules.chain_problems(climb(leaf, [new, old]))), "openssl takes the one that is named"
    assert not list(rules.chain_problems(climb(leaf, [old, new])))


def test_a_root_that_names_another_key_than_its_own_is_no_root(tmp_path: Path) -> None:
    issue(tmp_path, "Root", "", CA, SIGNS, HASH)
    root = issue(tmp_path, "Root", "", CA, SIGNS, FIXED, "2.5.29.35=DER:300480020304")
    leaf = read_certificate(issue(tmp_path, "cucm1", "Root", *LEAF.split("\n")))
    (tmp_path / "Sub.pem").write_text(leaf.pem)
    assert not openssl_follows(tmp_path)
    [said] = rules.chain_problems(climb(leaf, [read_certificate(root)]))
    assert said.startswith("the CA certificate O=Lab, CN=Root in its chain names as its issuer")


def test_a_signature_that_we_cannot_verify_is_not_known_rather_than_wrong(tmp_path: Path) -> None:
    curve = "ec_paramgen_curve:brainpoolP320r1"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", str(tmp_path / "Root.key"))
    root = read_certificate(issue(tmp_path, "Root", "", CA, SIGNS))
    leaf = read_certificate(issue(tmp_path, "cucm1", "Root", *LEAF.split("\n")))
    (tmp_path / "Sub.pem").write_text(leaf.pem)
    assert openssl_follows(tmp_path)
    chain = climb(leaf, [root])
    assert not chain.complete and chain.unverified([root]) and "cannot be verified here" in chain.gap([root])
    assert not chain.unverified([]) and "is not among those given" in chain.gap([])
    (tmp_path / "Root.key").unlink()
    other = read_certificate(issue(tmp_path, "Root", "", CA, SIGNS))
    assert not chain.unverified([other]) and "that none of the certificates given has" in chain.gap([other])
    with pytest.raises(Failure, match=r"cannot be verified here.*Use a CA with an RSA key"):
        climb_to_root(leaf, [root, other])
