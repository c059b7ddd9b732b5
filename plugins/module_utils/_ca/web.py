# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS to a CA: verified, bounded in time and size, every failure a sentence; private to siptls.cucm."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import confine
from ansible_collections.siptls.cucm.plugins.module_utils._net.tls import LEGACY_REASONS, Endpoint, tls_context

LARGEST_PAGE = 4 * 1024 * 1024  # bytes; a chain is a few thousand


@dataclass(frozen=True)
class Page:
    """A CA's response. where: the address, for sentences."""

    status: int
    content: bytes
    where: str
    encoding: str = "utf-8"

    @property
    def text(self) -> str:
        """The content as text; what cannot be decoded is replaced."""
        try:
            return self.content.decode(self.encoding, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")


class WebSession:
    """One connection to a CA. prefix: of the provider's options, for sentences; ca: what it is called in them."""

    def __init__(self, options: Mapping[str, Any], prefix: str, ca: str, *, example: str) -> None:
        self.url = str(options["url"]).rstrip("/")
        self._prefix, self._ca = prefix, ca
        self._legacy = bool(options.get("legacy_crypto"))
        self._timeout = options["timeout"]
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if self._timeout <= 0:
            raise Failure(f"{prefix}_timeout is {self._timeout}. Give the seconds to wait for a response, such as 30.")
        if not host or not self.url.lower().startswith("https://"):
            raise Failure(
                f"{prefix}_url {options['url']!r} is not an https address. Plain HTTP would send the account and the "
                f"response in the clear: give {example}."
            )
        self._endpoint = Endpoint(
            host, port or 443, options["validate_certs"], options["ca_path"], None, self._legacy, self._timeout
        )
        self._socket: socket.socket | None = None
        self.session = self._open()

    def warnings(self) -> list[str]:
        """What the options leave unprotected."""
        if self._endpoint.validate_certs:
            return []
        return [unverified(self._prefix, self.url)]

    def ask(self, method: str, path: str, **more: Any) -> Page:
        """One request and its whole response within the timeout. Raises Failure without one."""
        import requests

        confine.check(self._endpoint.host, self._endpoint.port)
        where = f"{self.url}{path}"
        with self._deadline() as over:
            try:
                with self.session.request(
                    method, where, timeout=self._timeout, allow_redirects=False, stream=True, **more
                ) as response:
                    content = self._content(response, where)
                    return Page(response.status_code, content, where, response.encoding or "utf-8")
            except (requests.exceptions.RequestException, OSError) as error:
                # A broken socket looks like a lost connection, and one in a handshake like a TLS failure.
                if over.is_set() or isinstance(error, requests.exceptions.Timeout):
                    raise Failure(
                        f"{self._ca} at {where} sent no complete response within {self._timeout} s. {_lost(method)}"
                    ) from None
                if isinstance(error, requests.exceptions.SSLError):
                    raise self._not_trusted(where, error) from None
                words = re.findall(r"\[Errno -?\d+\] ([^'\")]+)", str(error)[:2000])
                said = words[-1].lower() if words else "the connection broke before the response was complete"
                advice = _lost("GET" if words else method)
                raise Failure(f"The request to {where} failed: {said}. {advice}") from None

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[threading.Event]:
        """Close the connection when the time is over, even if bytes still trickle in; the event shows that it was."""
        over = threading.Event()

        def stop() -> None:
            over.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._timeout + 1, stop)
        timer.daemon = True
        timer.start()
        try:
            yield over
        finally:
            timer.cancel()

    def _content(self, response: Any, where: str) -> bytes:
        """The body, up to the size that a page may have."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(65536):
            parts.append(part)
            size += len(part)
            if size > LARGEST_PAGE:
                raise Failure(
                    f"{self._ca} at {where} sent more than {LARGEST_PAGE} bytes, and a CA's response has a few "
                    f"thousand. Check {self._prefix}_url."
                )
        return b"".join(parts)

    def _not_trusted(self, where: str, error: Exception) -> Failure:
        text = str(error)[:2000]
        said = re.search(r"certificate verify failed: ([^(]+)", text) or re.search(r"\[SSL: ([A-Z0-9_]+)\]", text)
        reason = said[1].strip().lower().replace("_", " ") if said else "TLS failed"
        hint = (
            f"Give the root of its HTTPS certificate in {self._prefix}_ca_path, and in {self._prefix}_url the name "
            "that the certificate is for."
        )
        if re.search(r"expired|not yet valid", reason):
            hint = "Renew the certificate of the CA's web site, or set this machine's clock."
        if not self._legacy and self._prefix == "adcs" and LEGACY_REASONS.search(reason):
            hint = "It is an old server: set adcs_legacy_crypto: true."
        return Failure(f"The HTTPS connection to {where} is not trusted: {reason}. {hint}")

    def _open(self) -> Any:
        import requests
        import requests.adapters
        import urllib3

        context = tls_context(self._endpoint)
        context.check_hostname = self._endpoint.validate_certs
        validate, web = self._endpoint.validate_certs, self

        class Connection(urllib3.connection.HTTPSConnection):
            """Leaves a handle of its socket for the deadline, from before the handshake on."""

            def _new_conn(self) -> socket.socket:
                made = super()._new_conn()
                if web._socket is not None:
                    web._socket.close()
                web._socket = made.dup()
                return made

        class Pool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Connection

        class Adapter(requests.adapters.HTTPAdapter):
            """Leaves TLS to our context: requests would load its own CA list into it."""

            def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
                super().init_poolmanager(connections, maxsize, block=block, ssl_context=context, **more)
                self.poolmanager.pool_classes_by_scheme = {"https": Pool}

            def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
                """Nothing to do: the context decides."""

            def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
                host, _own = super().build_connection_pool_key_attributes(request, True, None)
                # urllib3 would tighten the context's verification by itself.
                return host, {} if validate else {"cert_reqs": "CERT_NONE"}

        session = requests.Session()
        session.trust_env = False
        # One connection: NTLM authenticates connections, not requests.
        session.mount("https://", Adapter(pool_connections=1, pool_maxsize=1, max_retries=0))
        return session


def unverified(prefix: str, url: str) -> str:
    """The warning about a CA whose certificate is not verified."""
    return (
        f"{prefix}_validate_certs is false: whoever is between this machine and {url} gets the account, and can answer "
        f"in the CA's place. Give the root of its HTTPS certificate in {prefix}_ca_path."
    )


def _lost(method: str) -> str:
    """What to do when no response came."""
    if method == "POST":
        return "The CA may have issued the certificate all the same: check there, and run again."
    return "Check the URL, and the CA's web site."
