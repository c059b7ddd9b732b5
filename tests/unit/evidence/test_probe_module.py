# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sip_tls_probe as Ansible runs it, against openssl s_server and a SIP answerer over Python's TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.probe import Target, takes_old_peers

from tests.support.openssl_peer import ADDRESS, fingerprint, make_ca, make_leaf, openssl, probe, s_server


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probe-module")
    make_ca(folder, "RootCA")
    make_ca(folder, "OldCA", "sha1", 1024)
    for name, ca in (("CUCM10", "RootCA"), ("friend", "RootCA"), ("stranger", "OldCA")):
        make_leaf(folder, name, ca)
    make_leaf(folder, "CUCMA", "OldCA", "sha1", 1024)
    return folder


def shown(folder: Path, name: str) -> dict[str, str]:
    return {"client_certificate_path": str(folder / f"{name}.pem"), "client_key_path": str(folder / f"{name}.key")}


def mutual(folder: Path) -> tuple[str, ...]:
    return ("-Verify", "3", "-verify_return_error", "-CAfile", str(folder / "RootCA.pem"))


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_refusal_for_want_of_a_certificate_is_a_result_with_the_cas_asked_for(material: Path, version: str) -> None:
    with s_server(material, "CUCM10", version, *mutual(material)) as port:
        result = probe(port, options=False)
    assert not result.get("failed"), result
    assert result["accepted"] is False and result["mutual"] is True and result["client_certificate_asked"] is True
    assert result["tls_version"] == {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}[version]
    assert "AES" in result["cipher"], "the cipher was agreed on before the refusal"
    assert result["acceptable_cas"] == ["CN=RootCA,O=Lab"]
    assert result["chain"][0]["sha256"] == fingerprint(material / "CUCM10.pem")
    assert result["names"] == ["CUCM10", "CUCM10.lab.local"]
    assert result["alert"]["from"] == "server" and "given none" in result["alert"]["meaning"]
    assert "client_certificate" in result["alert"]["next_step"]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_an_untrusted_client_is_told_which_trust_store_lacks_its_ca(material: Path, version: str) -> None:
    with s_server(material, "CUCM10", version, *mutual(material)) as port:
        result = probe(port, legacy_crypto=True, **shown(material, "stranger"))
    assert result["accepted"] is False and result["mutual"] is True
    assert result["alert"]["name"] in ("unknown_ca", "bad_certificate") and "CallManager-trust" in str(result["alert"])


def test_tls10_and_a_null_cipher_are_seen_and_named(material: Path) -> None:
    null = ("-cipher", "NULL-SHA:@SECLEVEL=0", "-tls1")
    with s_server(material, "CUCMA", *null) as port:
        result = probe(port, legacy_crypto=True, options=False)
    assert (result["tls_version"], result["cipher"]) == ("TLSv1", "NULL-SHA")
    assert result["accepted"] is True and result["mutual"] is False and result["client_certificate_asked"] is False
    assert "TLSv1 with NULL-SHA" in str(result["warnings"]) and "1024 bits" in str(result["warnings"])


@contextmanager
def answerer(folder: Path, version: ssl.TLSVersion, answer: bytes, *, insists: bool = True) -> Iterator[int]:
    """A SIP peer with mutual TLS that answers each request with the same status."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(folder / "CUCM10.pem", folder / "CUCM10.key")
    context.load_verify_locations(folder / "RootCA.pem")
    context.verify_mode = ssl.CERT_REQUIRED if insists else ssl.CERT_OPTIONAL
    listener = socket.create_server((ADDRESS, 0))

    def serve() -> None:
        while True:
            try:
                connection, _unused = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    request = tls.recv(65536)
                    if not request:
                        continue  # a client that only made the handshake
                    assert request.startswith(b"OPTIONS sip:") and b"Max-Forwards: 0\r\n" in request
                    copied = b"\r\n".join(
                        line for line in request.split(b"\r\n") if line.split(b":")[0] in (b"Via", b"CSeq", b"Call-ID")
                    )
                    tls.sendall(b"SIP/2.0 100 Trying\r\n" + copied + b"\r\nContent-Length: 0\r\n\r\n")
                    tls.sendall(answer + b"\r\n" + copied + b"\r\nServer: Cisco-CUCM10.5\r\nContent-Length: 0\r\n\r\n")
                    tls.recv(1)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("status", [b"SIP/2.0 200 OK", b"SIP/2.0 483 Too Many Hops"])
def test_a_peer_that_is_let_in_gets_an_answer_to_options(
    material: Path, version: ssl.TLSVersion, status: bytes
) -> None:
    with answerer(material, version, status) as port:
        result = probe(port, **shown(material, "friend"))
        refused = probe(port)
    assert result["accepted"] is True and result["mutual"] is True and result["alert"] is None, result
    assert result["options"]["alive"] and result["options"]["answer"] == status.decode()
    assert result["options"]["server"] == "Cisco-CUCM10.5"
    assert refused["accepted"] is False and refused["mutual"] is True and refused["options"] is None, refused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_asks_but_does_not_insist_is_not_mutual(material: Path, version: ssl.TLSVersion) -> None:
    with answerer(material, version, b"SIP/2.0 200 OK", insists=False) as port:
        result = probe(port)
    assert result["client_certificate_asked"] is True and result["accepted"] is True and result["mutual"] is False


def test_what_is_served_is_compared_with_what_is_held(material: Path) -> None:
    newer = make_leaf(material, "new", "RootCA")
    content = {
        "client_certificate": (material / "friend.pem").read_text(),
        "client_key": (material / "friend.key").read_text(),
    }
    held = (material / "CUCM10.pem").read_text()
    import time

    time.sleep(1.1)
    make_leaf(material, "renewed", "RootCA")
    request = material / "renewed.csr"

    openssl(
        "req", "-new", "-key", str(material / "renewed.key"), "-out", str(request), "-subj", "/C=IN/ST=cisco/CN=CUCM10"
    )
    renewed = openssl(
        "x509", "-req", "-in", str(request), "-CA", str(material / "RootCA.pem"),
        "-CAkey", str(material / "RootCA.key"), "-days", "20",
    )  # fmt: skip
    with answerer(material, ssl.TLSVersion.TLSv1_2, b"SIP/2.0 200 OK") as port:
        same = probe(port, held=held, **content)
        by_print = probe(port, held=fingerprint(material / "CUCM10.pem"), options=False)
        waiting = probe(port, held=renewed, options=False)
        other = probe(port, held=newer.read_text(), options=False)
    assert same["matches_held"] is True and same["state"] == "active" and same["options"]["alive"]
    assert by_print["state"] == "active"
    assert (waiting["matches_held"], waiting["state"]) == (False, "uploaded_not_active")
    assert "restart Cisco CallManager" in waiting["state_text"]
    assert other["state"] == "different"
    assert content["client_key"].split("\n")[3] not in str(same)


def test_bad_input_is_a_sentence(material: Path) -> None:
    friend = shown(material, "friend")
    assert "give both" in probe(5061, client_certificate_path=friend["client_certificate_path"])["msg"]
    mixed = {**friend, "client_key_path": str(material / "stranger.key")}
    assert "key values mismatch" in probe(5061, **mixed)["msg"]
    assert "legacy_crypto: true" in probe(5061, **shown(material, "CUCMA"))["msg"]
    assert "port 70000" in probe(70000)["msg"]
    assert probe(9)["state"] == "unreachable"


@pytest.fixture(scope="session")
def both(material: Path) -> tuple[str, ...]:
    """Options of s_server for a second identity: self-signed, on the curve P-384, as CUCM ships it."""
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-days", "30", "-keyout",
        str(material / "ec.key"), "-out", str(material / "ec.pem"), "-subj", "/CN=CUCM10-EC.lab.local",
    )  # fmt: skip
    return ("-dcert", str(material / "ec.pem"), "-dkey", str(material / "ec.key"))


@pytest.mark.parametrize("versions", [(), ("-tls1_2",)], ids=["up-to-1.3", "1.2"])
def test_both_identities_of_a_port_are_asked_for(
    material: Path, both: tuple[str, ...], versions: tuple[str, ...]
) -> None:
    rsa, ec = fingerprint(material / "CUCM10.pem"), fingerprint(material / "ec.pem")
    with s_server(material, "CUCM10", *both, *versions) as port:
        result = probe(port, options=False, held=rsa, held_ecdsa=rsa, ca_chain=[(material / "RootCA.pem").read_text()])
    assert (result["identity"], result["chain"][0]["sha256"], result["matches_held"]) == ("RSA", rsa, True)
    seen = result["identities"]
    assert [seen[kind]["chain"][0]["sha256"] for kind in ("RSA", "ECDSA")] == [rsa, ec]
    assert [seen[kind]["presented"] for kind in ("RSA", "ECDSA")] == [True, True]
    assert [seen[kind]["trusted"] for kind in ("RSA", "ECDSA")] == [True, False]
    assert [seen[kind]["matches_held"] for kind in ("RSA", "ECDSA")] == [True, False]
    assert "ECDSA" in seen["ECDSA"]["cipher"] and "ECDSA" not in seen["RSA"]["cipher"]


def test_a_port_without_the_other_identity_says_so(material: Path, both: tuple[str, ...]) -> None:
    with s_server(material, "CUCM10") as port:
        rsa_only = probe(port, options=False)
    assert rsa_only["identities"]["ECDSA"]["presented"] is False and not rsa_only["identities"]["ECDSA"]["chain"]
    assert "TLS Ciphers" in rsa_only["identities"]["ECDSA"]["text"]
    (material / "ec.chain").write_text((material / "ec.pem").read_text())
    with s_server(material, "ec") as port:
        ec_only = probe(port, options=False)
    assert (ec_only["identity"], ec_only["identities"]["RSA"]["presented"]) == ("ECDSA", False)


def test_over_tls_1_3_alone_an_identity_that_is_not_shown_is_not_known(material: Path, both: tuple[str, ...]) -> None:
    with s_server(material, "CUCM10", *both, "-tls1_3") as port:
        result = probe(port, options=False)
    assert (result["identity"], result["tls_version"]) == ("ECDSA", "TLSv1.3")
    assert result["identities"]["RSA"]["presented"] is None
    assert "openssl s_client" in result["identities"]["RSA"]["text"]


@pytest.mark.parametrize(
    ("options", "takes"),
    [(("-tls1",), True), (("-cipher", "AES128-SHA:@SECLEVEL=0"), True), (("-tls1_2",), False),
     (("-cipher", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"), False)],
    ids=["1.0", "any", "1.2", "no-rsa-key-exchange"],
)  # fmt: skip
def test_whether_an_old_release_has_something_in_common_with_the_port(
    material: Path, options: tuple[str, ...], takes: bool
) -> None:
    with s_server(material, "CUCM10", *options) as port:
        assert takes_old_peers(Target(ADDRESS, port, False, 5)) is takes
    assert takes_old_peers(Target(ADDRESS, 9, False, 5)) is None
