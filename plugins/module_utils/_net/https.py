# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS to a CUCM node: TLS policy (old releases too), one session, retries that never repeat a write blindly.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import base64
import io
import json as json_module
import math
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import DOWN, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import confine, recording
from ansible_collections.siptls.cucm.plugins.module_utils._net.tls import (
    LEGACY_REASONS,
    Endpoint,
    check_connection,
    tls_context,
)
from ansible_collections.siptls.cucm.plugins.module_utils._releases import LEGACY
from ansible_collections.siptls.cucm.plugins.module_utils._text import page_text

__all__ = ["AnswerLost", "Endpoint", "HttpAnswer", "HttpClient", "Unauthorized", "tls_context"]

LARGEST_ANSWER = 32 * 1024 * 1024  # bytes; AXL itself stops at 8 MB
CONNECTIONS = 8
RETRY_STATUS = (502, 503, 504)
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)  # seconds before each repetition; about a minute in all
CONNECT_TRIES = 3
READ_TRIES = 5  # of a read whose answers are lost at once; CONNECT_TRIES when they take their time
LOST = "Check that the node is up, then run again: the run first looks up what was written."
_TYPES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
ACCOUNTS = {"application": ("username", "password"), "platform": ("os_username", "os_password")}


class AnswerLost(Failure):
    """The request may have reached CUCM, but no answer came back: look up before repeating a write."""


class OldCryptography(Failure):
    """The TLS handshake failed, most likely because the node speaks only what legacy_crypto allows."""


class Unauthorized(Failure):
    """CUCM refused the account; trying again could lock it."""


@dataclass(frozen=True)
class HttpAnswer:
    """Status, headers (names in lower case) and body of one HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: what a page must not show again: the account as it was sent
    hidden: str = field(default="", repr=False)

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def text(self, most: int = 300) -> str:
        """The beginning of the body as readable text: markup removed, white space folded."""
        shown = page_text(self.body.decode("utf-8", "replace"))
        return (shown.replace(self.hidden, "********") if self.hidden else shown)[:most]


def declares_types(body: bytes) -> bool:
    """Whether XML, in whatever encoding, brings a document type or entities: no CUCM does, and they can do harm."""
    narrow = body.replace(b"\0", b"") if b"\0" in body[:64] else body
    return b"<!" in narrow and bool(_TYPES.search(narrow))


@dataclass
class HttpClient:
    """One account's HTTPS session with one node; safe to use from several threads at once."""

    endpoint: Endpoint
    username: str = ""
    password: str = field(default="", repr=False)
    account: str | None = "application"
    warnings: list[str] = field(default_factory=list)
    #: the header Date of the last answer and when its request was sent (seconds since the epoch)
    dated: tuple[str, float] | None = None
    _session: Any = field(default=None, repr=False)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], account: str | None = "application") -> HttpClient:
        """The session for a module's options; account is application, platform or None (no authentication)."""
        user, secret = ("", "") if account is None else (params.get(name) or "" for name in ACCOUNTS[account])
        return cls(Endpoint.from_params(params), user, secret, account)

    @property
    def host(self) -> str:
        """The node's name or address as the user gave it."""
        return self.endpoint.host

    @property
    def _token(self) -> str:
        """The account as Basic authentication sends it; empty without one."""
        if self.account is None:
            return ""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def who(self) -> str:
        """The account in words, for sentences."""
        return "without an account" if self.account is None else f"as {self.account} account {self.username}"

    def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        idempotent: bool = False,
        what: str = "",
        largest: int = LARGEST_ANSWER,
        timeout: float | None = None,
    ) -> HttpAnswer:
        """One request and its answer, whatever its status but 401.

        Busy answers (502, 503, 504) and connections that never came up are repeated with growing waits. A request
        that is not idempotent is repeated only when CUCM cannot have acted on it: 503 is its throttle, a refusal
        before any work. Raises Unauthorized (401), AnswerLost (sent, but no answer) or Failure. what names the doing
        in failures; largest limits the body in bytes; timeout (seconds) replaces the session's own for this answer.
        """
        doing = f"{what or method + ' ' + path} on {self.host} (HTTPS port {self.endpoint.port}, {self.who})"
        send = dict(headers or {})
        if json is not None:
            data = json_module.dumps(json)
            send.setdefault("Content-Type", "application/json")
        once = partial(
            self._once, method, path, data=data, headers=send, doing=doing, largest=largest,
            timeout=timeout or self.endpoint.timeout,
        )  # fmt: skip
        return self._accepted(self._with_repeats(once, doing, repeat=idempotent or method in ("GET", "HEAD")), doing)

    def _with_repeats(self, once: Callable[[], HttpAnswer], doing: str, *, repeat: bool) -> HttpAnswer:
        """The first response that is not a busy one; repeat: whether CUCM may act on the request twice."""
        began = time.monotonic()
        for attempt, wait in enumerate((*WAITS, None)):
            answer = None
            try:
                answer = once()
            except AnswerLost:
                slow = time.monotonic() - began > self.endpoint.timeout
                if not repeat or wait is None or attempt + 1 >= (CONNECT_TRIES if slow else READ_TRIES):
                    raise
            if answer is not None and answer.status != 503 and not (repeat and answer.status in RETRY_STATUS):
                return answer
            if answer is not None and wait is None:
                raise Failure(
                    f"{doing} failed: CUCM still answers {answer.status} after {attempt} repetitions "
                    f"({answer.text() or 'no text'}). It is overloaded or restarting; try again later.",
                    reason="busy",
                    status=answer.status,
                )
            time.sleep(self._pause(wait or 0.0, answer))
        raise AssertionError("the loop above always returns or raises")

    @staticmethod
    def _pause(wait: float, answer: HttpAnswer | None) -> float:
        """Seconds to wait; the server's Retry-After wins (up to a minute), and some jitter keeps sessions apart."""
        asked = (answer.headers.get("retry-after", "") if answer else "").strip()
        return min(float(asked), 60.0) if asked.isascii() and asked.isdigit() else wait * random.uniform(0.8, 1.2)

    def _accepted(self, answer: HttpAnswer, doing: str) -> HttpAnswer:
        if answer.status == 401:
            options = " and ".join(ACCOUNTS[self.account]) if self.account else "the account"
            raise Unauthorized(
                f"{doing} was refused: CUCM answered 401, user name or password is wrong or the account is locked. "
                f"It was tried once only, because CUCM locks accounts. Check {options} before running again.",
                reason="account",
                status=401,
            )
        if answer.status in RETRY_STATUS:
            raise AnswerLost(
                f"{doing} got {answer.status} from CUCM ({answer.text() or 'no text'}); whether it acted is unknown. "
                f"{LOST}",
                reason="lost",
                status=answer.status,
            )
        return answer

    def _once(
        self,
        method: str,
        path: str,
        *,
        data: bytes | str | None,
        headers: Mapping[str, str],
        doing: str,
        largest: int,
        timeout: float,
    ) -> HttpAnswer:
        import requests
        import urllib3.exceptions

        confine.check(self.endpoint.host, self.endpoint.port)
        body = data.encode() if isinstance(data, str) else data
        for attempt in range(CONNECT_TRIES):
            began = time.time()
            try:
                with self.session.request(
                    method,
                    self.endpoint.url + path,
                    data=body,
                    headers=headers,
                    timeout=(min(timeout, 15), timeout),
                    allow_redirects=False,
                    stream=True,
                ) as raw:
                    self.dated = (raw.headers.get("Date", ""), began)
                    content = self._read(raw, largest, doing)
                    found = {name.lower(): value for name, value in raw.headers.items()}
                    answer = HttpAnswer(raw.status_code, found, content, self._token)
                    self._record(method, path, headers, body, answer)
                    return answer
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
                failure = self._failure(error, doing, timeout)
                # A connection that never came up is tried again: CUCM cannot have seen the request.
                if failure.reason not in DOWN or isinstance(failure, AnswerLost) or attempt + 1 == CONNECT_TRIES:
                    raise failure from None
            time.sleep(WAITS[attempt])
        raise AssertionError("the loop above always returns or raises")

    def _record(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, answer: HttpAnswer
    ) -> None:
        """Keep the exchange as a fixture, if the operator wants fixtures."""
        if recording.wanted() is None:
            return
        exchange = recording.http(self.host, method, path, headers=headers, body=body, answer=answer)
        problem = recording.keep(exchange, (self.password, self._token))
        if problem and problem not in self.warnings:
            self.warnings.append(problem)

    def _failure(self, error: Exception, doing: str, timeout: float) -> Failure:
        """What an exception of requests means: Failure before the request was sent, AnswerLost after it."""
        import requests
        import urllib3.exceptions

        if isinstance(error, requests.exceptions.SSLError):
            return self._tls_failure(error, doing)
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return Failure(
                f"{doing} failed: no connection within {min(timeout, 15)} s, tried {CONNECT_TRIES} times. Check host, "
                "port and the firewall between.",
                reason="timeout",
            )
        causes = _causes(error)
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return Failure(
                f"{doing} failed: the host name {self.host} does not resolve ({_root_reason(error)}). Correct the "
                "name, or this machine's DNS.",
                reason="name",
            )
        if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
            return Failure(
                f"{doing} failed: no connection ({_root_reason(error)}). Check host and port, and that the node is up.",
                reason="unreachable",
            )
        late = requests.exceptions.Timeout | urllib3.exceptions.ReadTimeoutError | TimeoutError
        if any(isinstance(cause, late) for cause in causes):
            return AnswerLost(f"{doing}: no answer within {timeout} s. {LOST}", reason="timeout")
        if isinstance(error, requests.exceptions.ConnectionError):
            return AnswerLost(
                f"{doing}: the connection broke before the answer came ({_root_reason(error)}). {LOST}", reason="lost"
            )
        return AnswerLost(f"{doing}: the answer broke off ({_root_reason(error)}). {LOST}", reason="lost")

    @staticmethod
    def _read(raw: Any, largest: int, doing: str) -> bytes:
        """The whole body, refused above its limit; the connection's deadline ends one that only drips."""
        body = io.BytesIO()
        announced = str(raw.headers.get("Content-Length", ""))
        for part in raw.iter_content(65536):
            if body.tell() + len(part) > largest or (announced.isdecimal() and int(announced) > largest):
                raise Failure(
                    f"{doing} failed: the answer is larger than {largest // 1048576} MiB and was refused. "
                    "CUCM never sends that much: check what responds at this address."
                )
            body.write(part)
        return body.getvalue()

    def _tls_failure(self, error: Exception, doing: str) -> Failure:
        """Why the TLS handshake failed, and which option the user may want to consider."""
        reason = _root_reason(error)
        kind = OldCryptography if LEGACY_REASONS.search(reason) else Failure
        if kind is OldCryptography and not self.endpoint.legacy_crypto:
            advice = (
                f"The node seems to speak only old cryptography (TLS 1.0, SHA-1, RSA 1024), as releases {LEGACY} do; "
                "legacy_crypto: true allows it for this cluster."
            )
        elif kind is OldCryptography:
            advice = (
                "legacy_crypto offers everything from TLS 1.0 on already. Compare the node's minimum TLS version and "
                "its Cipher Management, or wait if Cisco Tomcat is just starting (utils service list)."
            )
        elif self.endpoint.pin:
            advice = "The certificate is not the one pinned with tls_fingerprint; find out why before changing it."
        elif re.search(r"another name|doesn't match", reason):
            advice = (
                "Give host as the certificate names it, list the node's own certificate in ca_path, or pin it with "
                "tls_fingerprint."
            )
        elif re.search(r"expired|not yet valid", reason):
            advice = (
                "Renew the node's tomcat certificate, or set this machine's clock; tls_fingerprint pins it and takes "
                "it meanwhile."
            )
        else:
            advice = (
                "Give the CA or the node's self-signed tomcat certificate with ca_path, or pin it with tls_fingerprint."
            )
        return kind(f"{doing} failed in the TLS handshake: {reason}. {advice}", reason="tls")

    @property
    def session(self) -> Any:
        """The requests session, made at first use."""
        if self._session is None:
            self._session = _new_session(self)
        return self._session

    def close(self) -> None:
        """Close the connections; the next request opens new ones, without the cookies of the old."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def check_peer(self, sock: Any) -> None:
        """Close a connection to a node that is not the trusted one; note what legacy_crypto let through."""
        try:
            lowered = check_connection(self.endpoint, sock)
        except ssl.SSLError:
            sock.close()
            raise
        text = f"{self.host}: legacy_crypto let through {', '.join(lowered)} on HTTPS port {self.endpoint.port}."
        if lowered and text not in self.warnings:
            self.warnings.append(text)


def _root_reason(error: BaseException) -> str:
    """The innermost cause in words, without addresses of objects and pool names."""
    seen: BaseException = error
    for _depth in range(10):
        inner = getattr(seen, "reason", None)
        inner = inner if isinstance(inner, BaseException) else (seen.__cause__ or seen.__context__)
        inner = inner or next((arg for arg in seen.args if isinstance(arg, BaseException)), None)
        if inner is None or inner is seen:
            break
        seen = inner
    only = seen.args[0] if len(seen.args) == 1 else seen  # an OSError of one text shows it as a tuple
    text = str(getattr(seen, "strerror", None) or getattr(seen, "reason", None) or only)
    text = re.sub(r"<[^<>]*object at 0x[0-9a-f]+>:?\s*|\(_ssl\.c:\d+\)|\[SSL[^\[\]]*\]\s*", "", text)
    return re.sub(r"\s+", " ", text).strip(" .") or type(seen).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """An exception with all that it came from."""
    chain: list[BaseException] = [error]
    for item in chain:
        inner = (item.__cause__, item.__context__, getattr(item, "reason", None), *item.args)
        chain.extend(other for other in inner if isinstance(other, BaseException) and other not in chain)
    return chain


class _DeadlineSocket(ssl.SSLSocket):
    """A connection on which an answer has to be complete in time: a server that sends a byte now and then does not
    keep a run waiting, not even with its headers."""

    deadline = math.inf  # by time.monotonic()

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """As a socket's, but TimeoutError once the deadline is over."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not complete in time")
        if left < math.inf:
            self.settimeout(left)
        return super().recv_into(buffer, nbytes, flags)


def _new_session(client: HttpClient) -> Any:
    """A requests session that makes every connection with our context and checks it as soon as it is up."""
    import requests
    import requests.adapters
    import urllib3

    context = tls_context(client.endpoint)
    context.sslsocket_class = _DeadlineSocket

    class Connection(urllib3.connection.HTTPSConnection):
        """Connects, then lets the client check the connection."""

        def connect(self) -> None:
            super().connect()
            client.check_peer(self.sock)
            self.is_verified = True

        def getresponse(self) -> Any:
            # The time for one read, wherever this urllib3 keeps it, is the time for the whole answer here.
            connection: Any = self.sock
            connection.deadline = time.monotonic() + max(self.timeout or 0, connection.gettimeout() or 0)
            return super().getresponse()

    class Pool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Connection

    class Adapter(requests.adapters.HTTPAdapter):
        """Leaves TLS to our context: requests would load its own CA list into it."""

        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
            super().init_poolmanager(
                connections, maxsize, block=block, ssl_context=context, assert_hostname=False, **kwargs
            )
            self.poolmanager.pool_classes_by_scheme = {"https": Pool}

        def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
            """Nothing to do: the context decides."""

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            host, _own = super().build_connection_pool_key_attributes(request, True, None)
            return host, {}

    session = requests.Session()
    session.trust_env = False
    session.headers.update({"User-Agent": "siptls.cucm", "Accept-Encoding": "identity"})
    if client.account is not None:
        session.headers["Authorization"] = f"Basic {client._token}"
    session.mount("https://", Adapter(pool_connections=1, pool_maxsize=CONNECTIONS, pool_block=True, max_retries=0))
    return session
