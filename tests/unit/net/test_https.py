# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS as CUCM's releases do it: trust, pins, old cryptography, retries that never repeat a write blindly."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import REASONS, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import https as _transport
from ansible_collections.siptls.cucm.plugins.module_utils._net import ssh
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import (
    AnswerLost,
    HttpClient,
    Unauthorized,
    tls_context,
)

from tests.support.scripted_server import Server, hang_up, status

MODULE_UTILS = Path(_transport.__file__).parents[1]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are the product's patience, not what is tested."""
    monkeypatch.setattr(_transport, "WAITS", (0.01, 0.01, 0.01, 0.01))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of today."""
    first = Server(tmp_path)
    yield first
    first.http.shutdown()
    first.http.server_close()


def test_an_answer_comes_whole(server: Server) -> None:
    answer = server.client().request("POST", "/axl/", data="<x/>")
    assert (answer.status, answer.body, answer.content_type) == (200, b"<ok/>", "text/xml")
    assert server.seen[0][:3] == ("POST", "/axl/", "Basic YXhsOnNlY3JldC13b3Jk")


def test_trust_is_decided_before_the_password_is_sent(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="ca_path"):
        server.client(ca_path=None).request("GET", "/")
    with pytest.raises(Failure, match="fingerprint"):
        server.client(tls_fingerprint="00" * 32).request("GET", "/")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(Failure, match="ca_path"):
        server.client(ca_path=str(Server(other).ca)).request("GET", "/")
    with pytest.raises(Failure, match="no PEM"):
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing")
        server.client(ca_path=str(empty)).request("GET", "/")
    assert server.seen == []
    pin = ":".join(server.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    assert server.client(ca_path=None, tls_fingerprint=pin).request("GET", "/").status == 200
    assert server.client(ca_path=None, validate_certs=False).request("GET", "/").status == 200


def test_a_certificate_listed_itself_needs_no_name(tmp_path: Path) -> None:
    named = Server(tmp_path, name="cucma.example.com")
    assert named.client().request("GET", "/").status == 200


def test_old_cryptography_is_named_refused_and_allowed(tmp_path: Path) -> None:
    old = Server(tmp_path, bits=1024, old=True)
    with pytest.raises(Failure, match="legacy_crypto"):
        old.client().request("GET", "/")
    client = old.client(legacy_crypto=True)
    assert client.request("GET", "/").status == 200
    assert client.warnings and "TLSv1" in client.warnings[0] and "1024" in client.warnings[0]


@pytest.mark.parametrize("pinned", [False, True])
def test_a_handshake_without_a_common_cipher_is_not_blamed_on_the_certificate(server: Server, pinned: bool) -> None:
    context = server.http.socket.context  # type: ignore[attr-defined]
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("NULL-SHA256:@SECLEVEL=0")
    trusted = {"tls_fingerprint": server.fingerprint} if pinned else {}
    with pytest.raises(Failure, match="legacy_crypto: true allows it"):
        server.client(**trusted).request("GET", "/")
    with pytest.raises(Failure, match="minimum TLS version and its Cipher Management") as failure:
        server.client(legacy_crypto=True, **trusted).request("GET", "/")
    assert "pin" not in failure.value.msg and "ca_path" not in failure.value.msg


def test_legacy_crypto_says_nothing_when_it_was_not_needed(server: Server) -> None:
    client = server.client(legacy_crypto=True)
    client.request("GET", "/")
    assert client.warnings == []


def test_a_refused_password_is_tried_once(server: Server) -> None:
    server.play(status(401))
    with pytest.raises(Unauthorized, match="tried once") as failure:
        server.client().request("POST", "/axl/", idempotent=True)
    assert len(server.seen) == 1 and "secret-word" not in failure.value.msg


@pytest.mark.parametrize(
    ("account", "options"), [("application", "username and password"), ("platform", "os_username and os_password")]
)
def test_a_refused_account_is_named_by_its_options(server: Server, account: str, options: str) -> None:
    server.play(status(401))
    names = {"username": "axl", "password": "secret-word", "os_username": "os", "os_password": "secret-word"}
    place = {"host": "127.0.0.1", "port": server.http.server_port, "ca_path": str(server.ca), "timeout": 2}
    with pytest.raises(Unauthorized, match=f"Check {options} before running again"):
        HttpClient.from_params({**place, **names}, account=account).request("GET", "/")


def test_throttle_is_waited_out_even_for_writes(server: Server) -> None:
    server.play(status(503), status(503, Retry_After="0"), status(200))
    assert server.client().request("POST", "/axl/").status == 200
    assert len(server.seen) == 3
    server.play(status(503))
    with pytest.raises(Failure, match="503"):
        server.client().request("POST", "/axl/")


@pytest.mark.parametrize("value", ["\xb2", "-1", "soon", "", "9" * 40, "1e99"])
def test_an_odd_time_to_wait_is_no_error(server: Server, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry-After as a superscript two, which Python counts among the digits, and others that are not seconds."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    server.play(status(503, Retry_After=value), status(200))
    assert server.client().request("POST", "/axl/").status == 200
    assert all(0 <= seconds <= 60 for seconds in waited), waited


def test_a_write_without_an_answer_is_never_repeated(server: Server) -> None:
    server.play(hang_up, status(200))
    with pytest.raises(AnswerLost):
        server.client().request("POST", "/axl/")
    assert len(server.seen) == 1
    server.play(status(502), status(200))
    with pytest.raises(AnswerLost, match="502"):
        server.client().request("POST", "/axl/")
    assert len(server.seen) == 2


def test_a_read_without_an_answer_is_repeated(server: Server) -> None:
    server.play(hang_up, status(504), status(200))
    assert server.client().request("POST", "/axl/", idempotent=True).status == 200
    assert len(server.seen) == 3


def test_redirects_are_not_followed(server: Server) -> None:
    server.play(status(302, Location="/elsewhere"))
    assert server.client().request("POST", "/axl").status == 302
    assert len(server.seen) == 1


def test_an_answer_has_a_limit_in_size_and_time(server: Server) -> None:
    server.play(status(200, b"x" * 5000))
    with pytest.raises(Failure, match="larger"):
        server.client().request("GET", "/", largest=1000)
    stop = threading.Event()
    server.play(lambda _handler: stop.wait(5) and None)
    with pytest.raises(AnswerLost, match="no answer within"):
        server.client(timeout=1).request("POST", "/axl/")
    stop.set()


def test_no_server_is_a_sentence() -> None:
    client = HttpClient.from_params({"host": "127.0.0.1", "port": 1, "username": "a", "password": "b"})
    with pytest.raises(Failure, match="no connection") as failure:
        client.request("GET", "/")
    assert "127.0.0.1" in failure.value.msg and not isinstance(failure.value, AnswerLost)
    assert failure.value.facts["reason"] == "unreachable"
    with pytest.raises(Failure, match="64"):
        tls_context({"host": "x", "tls_fingerprint": "abc"})


def test_a_name_that_does_not_resolve_is_no_node_that_is_down() -> None:
    wrong = {"host": "no-such-node.invalid", "username": "a", "password": "b", "os_username": "a", "os_password": "b"}
    with pytest.raises(Failure, match=r"no-such-node\.invalid does not resolve") as failure:
        HttpClient.from_params(wrong).request("GET", "/")
    assert failure.value.facts["reason"] == "name"
    with pytest.raises(Failure, match=r"no-such-node\.invalid does not resolve") as failure:
        asyncio.run(ssh.connect(ssh.SshAccess.from_params(wrong)))
    assert failure.value.facts["reason"] == "name"


def test_every_reason_of_a_failure_is_set_somewhere() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in MODULE_UTILS.rglob("*.py"))
    unused = [
        reason for reason in REASONS if source.count(f'"{reason}"') < 3
    ]  # its type, its meaning, and where it is set
    assert not unused


def test_the_environment_sets_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert server.client().request("GET", "/").status == 200


def dripping(head: bytes, rest: bytes) -> Callable[[Any], None]:
    """A step that answers a byte every 0.1 s once the head is out, for longer than any test waits."""

    def step(handler: Any) -> None:
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(head)
            for at in range(400):
                handler.wfile.write(rest[at % len(rest) :][:1])
                handler.wfile.flush()
                time.sleep(0.1)

    return step


@pytest.mark.parametrize(
    "step",
    [
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["headers", "body", "chunks"],
)
def test_an_answer_that_drips_ends_with_the_timeout(server: Server, step: Any) -> None:
    server.play(step)
    began = time.monotonic()
    with pytest.raises(AnswerLost, match="no answer within 1 s") as failed:
        server.client(timeout=1).request("POST", "/axl/", data="<x/>")
    assert time.monotonic() - began < 3 and failed.value.reason == "timeout"
