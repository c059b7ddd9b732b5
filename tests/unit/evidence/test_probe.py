# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe against openssl s_server: every TLS version, let in or refused."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import Asked
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.probe import Target, served_certificate
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

from tests.support.openssl_peer import ADDRESS, fingerprint, make_ca, make_leaf, s_server

VERSIONS = {"-tls1": "TLSv1", "-tls1_1": "TLSv1.1", "-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}
OLD = ("-tls1", "-tls1_1")


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two CAs, a new and an old leaf, and clients of both CAs."""
    folder = tmp_path_factory.mktemp("probe")
    make_ca(folder, "RootCA")
    make_ca(folder, "OldCA", "sha1", 1024)
    make_leaf(folder, "CUCM10", "RootCA")
    make_leaf(folder, "CUCMA", "OldCA", "sha1", 1024)
    make_leaf(folder, "friend", "RootCA")
    make_leaf(folder, "stranger", "OldCA", bits=2048)
    return folder


def mutual(folder: Path) -> tuple[str, ...]:
    return ("-Verify", "3", "-verify_return_error", "-CAfile", str(folder / "RootCA.pem"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("refuses", [True, False], ids=["mutual", "open"])
@pytest.mark.parametrize("leaf", ["CUCMA", "CUCM10"])
def test_the_chain_is_seen_whether_or_not_the_server_lets_us_in(
    material: Path, version: str, refuses: bool, leaf: str
) -> None:
    with s_server(material, leaf, version, *(mutual(material) if refuses else ())) as port:
        chain = served_certificate(Target(ADDRESS, port, version in OLD or leaf == "CUCMA", 10), Asked.RSA)
    views = [certificate_view(pem) for pem in chain]
    ca = "OldCA" if leaf == "CUCMA" else "RootCA"
    assert [view["sha256"] for view in views] == [fingerprint(material / f"{name}.pem") for name in (leaf, ca)]


@pytest.mark.parametrize("version", OLD)
def test_without_legacy_crypto_an_old_peer_is_named_with_the_option(material: Path, version: str) -> None:
    with s_server(material, "CUCMA", version) as port, pytest.raises(Failure, match="legacy_crypto: true"):
        served_certificate(Target(ADDRESS, port, False, 10), Asked.RSA)


def test_a_closed_port_is_a_sentence() -> None:
    with pytest.raises(Failure, match=r"refused.*Cisco CallManager") as caught:
        served_certificate(Target(ADDRESS, 9, False, 5), Asked.RSA)
    assert caught.value.facts["state"] == "unreachable"


def test_a_port_that_speaks_plain_sip_is_told_apart() -> None:
    with socket.create_server((ADDRESS, 0)) as server:

        def serve() -> None:
            connection, _unused = server.accept()
            connection.recv(100)
            connection.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(Failure, match=r"does not speak TLS.*SIP/2.0 400") as caught:
            served_certificate(Target(ADDRESS, server.getsockname()[1], True, 5), Asked.RSA)
    assert caught.value.facts["state"] == "no_handshake"


def test_a_silent_port_ends_by_the_time_given() -> None:
    with socket.create_server((ADDRESS, 0)) as server, pytest.raises(Failure, match=r"no answer within 0\.5 s"):
        served_certificate(Target(ADDRESS, server.getsockname()[1], True, 0.5), Asked.RSA)
