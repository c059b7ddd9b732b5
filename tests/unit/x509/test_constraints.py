# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name constraints: every pair of a constraint and a name is allowed exactly where openssl allows it."""

from __future__ import annotations

import ipaddress
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import constraints, rules
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import AltName
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _unused in range(2))
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
IS_CA = x509.BasicConstraints(ca=True, path_length=None)


def name(*attributes: str) -> x509.Name:
    kinds = {"O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME, "email": NameOID.EMAIL_ADDRESS}
    parts = [attribute.split("=", 1) for attribute in attributes]
    return x509.Name([x509.NameAttribute(kinds[kind], value, _validate=False) for kind, value in parts])


def general(text: str) -> x509.GeneralName:
    kind, _colon, value = text.partition(":")
    match kind:
        case "IP":
            return x509.IPAddress(ipaddress.ip_network(value) if "/" in value else ipaddress.ip_address(value))
        case "dirName":
            return x509.DirectoryName(name(*value.split("|")) if value else x509.Name([]))
        case "otherName":
            return x509.OtherName(x509.ObjectIdentifier(value), b"\x0c\x01a")
        case "RID":
            return x509.RegisteredID(x509.ObjectIdentifier(value))
    kinds: dict[str, Any] = {"DNS": x509.DNSName, "email": x509.RFC822Name, "URI": x509.UniformResourceIdentifier}
    # Names that no standard allows are among those that CAs and openssl take.
    made: x509.GeneralName = kinds[kind]._init_without_validation(value)
    return made


def certificate(subject: x509.Name, extension: x509.ExtensionType | None, *, ca: bool = False) -> str:
    builder = x509.CertificateBuilder(
        name("O=Lab", "CN=Root"), subject, (KEY if ca else OTHER_KEY).public_key(), 7, BEGIN, END
    )
    if ca:
        builder = builder.add_extension(IS_CA, critical=True)
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def judged(folder: Path, constraint: x509.ExtensionType, subject: x509.Name, sans: list[str]) -> tuple[bool, bool, str]:
    """Whether openssl follows the chain, whether we do, and what we say."""
    root = certificate(name("O=Lab", "CN=Root"), constraint, ca=True)
    leaf = certificate(subject, x509.SubjectAlternativeName(map(general, sans)) if sans else None)
    (folder / "root.pem").write_text(root)
    (folder / "leaf.pem").write_text(leaf)
    said = subprocess.run(
        ["openssl", "verify", "-CAfile", "root.pem", "leaf.pem"], cwd=folder, capture_output=True, check=False
    )
    problems = list(rules.chain_problems(Chain((read_certificate(leaf), read_certificate(root)))))
    return said.returncode == 0, not problems, "; ".join(problems)


#: a constraint -> names that are compared with it
PAIRS = {
    "DNS:lab.local": ["DNS:lab.local", "DNS:a.LAB.local", "DNS:xlab.local", "DNS:lab.local.", "DNS:*.lab.local"],
    "DNS:.lab.local": ["DNS:lab.local", "DNS:a.lab.local", "DNS:a.b.lab.local", "DNS:.lab.local", "DNS:xlab.local"],
    "DNS:": ["DNS:lab.local", "DNS:a"],
    "IP:10.0.0.0/8": ["IP:10.1.1.1", "IP:11.1.1.1", "IP:fd00::1"],
    "IP:0.0.0.0/0": ["IP:10.1.1.1", "IP:fd00::1"],
    "IP:fd00::/8": ["IP:fd00::1", "IP:fe80::1", "IP:10.1.1.1"],
    "IP:::1/128": ["IP:::1", "IP:::2"],
    "IP:::/0": ["IP:fd00::1", "IP:10.1.1.1"],
    "URI:lab.local": [
        "URI:http://lab.local/x", "URI:http://LAB.local:80/x", "URI:http://a.lab.local/", "URI:sip:a@lab.local",
        "URI:https://example.com/?q=@lab.local", "URI:http://u@lab.local/", "URI:http://", "URI:lab.local",
    ],
    "URI:.lab.local": ["URI:http://lab.local/", "URI:http://a.lab.local:5061/a@b", "URI:http://.lab.local"],
    "email:lab.local": ["email:a@lab.local", "email:a@LAB.local", "email:a@x.lab.local", "email:lab.local"],
    "email:.lab.local": ["email:a@lab.local", "email:a@x.LAB.local"],
    "email:a@lab.local": ["email:a@LAB.local", "email:A@lab.local", "email:b@lab.local"],
    "dirName:O=LAB": ["dirName:O=Lab|CN=x", "dirName:CN=x|O=Lab", "dirName:O=Lab, Inc|CN=x", "dirName:O= Lab "],
    "dirName:": ["dirName:O=Lab|CN=x"],
    "otherName:1.3.6.1.4.1.311.20.2.3": ["otherName:1.3.6.1.4.1.311.20.2.3", "otherName:1.2.3"],
    "RID:1.2.3": ["RID:1.2.3", "RID:1.2.4", "DNS:lab.local"],
}  # fmt: skip


@pytest.mark.parametrize("excluded", [False, True], ids=["permitted", "excluded"])
@pytest.mark.parametrize("base", PAIRS)
def test_a_name_is_allowed_where_openssl_allows_it(tmp_path: Path, base: str, excluded: bool) -> None:
    listed = [general(base)]
    constraint = x509.NameConstraints(None if excluded else listed, listed if excluded else None)
    for text in PAIRS[base]:
        # An empty subject is no name, so that a constraint on directory names judges the one that is given.
        subject = x509.Name([]) if text.startswith("dirName:") else name("O=Other", "CN=x")
        theirs, ours, said = judged(tmp_path, constraint, subject, [text])
        assert ours is theirs, (base, text, said)


#: subjects that are compared with constraints, and alternative names
SUBJECTS: list[tuple[tuple[str, ...], list[str]]] = [
    (("CN=a.example.com",), []), (("CN=a.example.com",), ["IP:10.1.1.1"]), (("CN=a.example.com",), ["DNS:a.lab"]),
    (("CN=*.example.com",), []), (("CN=a..example.com",), []), (("CN=u@example.com",), []), (("CN=example",), []),
    (("CN=m\u00fcnchen.example.com",), []), (("CN=example.com, Inc",), []), (("CN=-a.example.com",), []),
    (("CN=a_b.example.com",), []), (("CN=a.lab", "CN=b.example.com"), []), (("CN=10.1.1.1",), []),
    (("CN=x", "email=a@example.com"), ["DNS:a.lab"]), (("CN=x", "email=a@x.example.com"), ["DNS:a.lab"]),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "sans"), SUBJECTS)
def test_the_names_in_a_subject_are_those_that_openssl_compares(
    tmp_path: Path, subject: tuple[str, ...], sans: list[str]
) -> None:
    for base in ("DNS:example.com", "email:example.com"):
        for listed in (([general(base)], None), (None, [general(base)])):
            theirs, ours, said = judged(tmp_path, x509.NameConstraints(*listed), name(*subject), sans)
            assert ours is theirs, (base, listed, said)


@pytest.mark.parametrize(
    ("network", "good"),
    [
        (b"\x0a\0\0\x01\xff\0\0\xff", True),
        (b"\x0a\0\0\x02\xff\0\0\xff", False),
        (b"\x0a\0\0\0\xff", False),
        (b"\x0a\0\0\0", False),
    ],
    ids=["mask with a hole", "outside of it", "mask too short", "no mask"],
)
def test_odd_ranges_of_addresses_are_judged_as_by_openssl(tmp_path: Path, network: bytes, good: bool) -> None:
    base = b"\x87" + bytes([len(network)]) + network
    tree = b"\x30" + bytes([len(base)]) + base
    trees = b"\xa0" + bytes([len(tree)]) + tree
    der = b"\x30" + bytes([len(trees)]) + trees
    constraint = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), der)
    theirs, ours, said = judged(tmp_path, constraint, name("CN=x"), ["IP:10.9.9.1"])
    assert theirs is good and ours is good, said


def test_as_many_comparisons_as_openssl_refuses_are_not_made() -> None:
    names = [AltName("DNS", f"a{number}.lab") for number in range(2048)]
    begin = time.monotonic()
    [said] = constraints.problems(names, (), names)
    assert "more than OpenSSL does" in said and time.monotonic() - begin < 1
