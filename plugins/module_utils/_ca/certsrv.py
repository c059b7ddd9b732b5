# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's certificate web enrolment (/certsrv), spoken over HTTPS; private to siptls.cucm.

The pages are made for people and differ a little by release and language; what is read of them is what other
clients have relied on for years (certificates.md, 9.1), and the rest of a page is quoted where nothing fits.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.tls import LEGACY_REASONS, Endpoint, tls_context
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_certificates

LARGEST_PAGE = 4 * 1024 * 1024  # bytes; a chain is a few thousand
# Web enrolment sends programs that don't look like a browser to another page.
_BROWSER = "Mozilla/5.0 (compatible; siptls.cucm)"
_ISSUED = re.compile(r"certnew\.cer\?ReqID=(\d+)&", re.IGNORECASE)
_NUMBER = re.compile(r"Your Request Id is:?\s*(\d+)", re.IGNORECASE)
_DENIED = re.compile(r'disposition message is "([^"]+)', re.IGNORECASE)
_DISPOSITION = re.compile(r"Disposition message:?\s*([^<\r\n]*[^<\s][^<\r\n]*)", re.IGNORECASE)
_RENEWALS = re.compile(r"nRenewals\s*=\s*(\d+)")
# CR_DISP_UNDER_SUBMISSION in the words of the CA, and as the page names the state.
_WAITING = re.compile(r"taken under submission|certificate pending|still pending|0x0*5\b", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What the CA said of a request. state: issued, pending, denied; words: its disposition."""

    state: str
    request_id: int | None
    words: str = ""
    pem: str | None = None


class Certsrv:
    """One session with a CA's web enrolment."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.url = params["url"].rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise Failure(
                f"url {params['url']!r} is not an https address. Web enrolment over plain HTTP would send the account "
                "and the answer in the clear: give https://HOST/certsrv, and bind HTTPS to the CA's web site."
            )
        if not parts.path.strip("/"):
            self.url += "/certsrv"
        self.account = params["username"]
        self._auth = params["auth"]
        self._legacy = params["legacy_crypto"]
        self._timeout = params["timeout"]
        endpoint = Endpoint(
            parts.hostname, parts.port or 443, params["validate_certs"], params["ca_path"], None, self._legacy,
            self._timeout,
        )  # fmt: skip
        self._session = self._open(endpoint, params["password"])

    def login(self) -> None:
        """Raises Failure unless the account gets in."""
        self._get("/")

    def submit(self, csr: str, template: str | None, attributes: Mapping[str, Any] | None) -> Answer:
        """Hand in a request."""
        lines = [f"CertificateTemplate:{template}"] if template else []
        lines += [f"{name}:{value}" for name, value in (attributes or {}).items()]
        page = self._ask(
            "POST", "/certfnsh.asp",
            data={
                "Mode": "newreq", "CertRequest": csr, "CertAttrib": "\r\n".join(lines), "TargetStoreFlags": "0",
                "FriendlyType": "Saved-Request Certificate", "SaveCert": "yes",
            },
        )  # fmt: skip
        text = page.text
        number = _ISSUED.search(text) or _NUMBER.search(text)
        found = int(number[1]) if number else None
        denied = _DENIED.search(text)
        if denied:
            return Answer("denied", found, _plain(denied[1]))
        if _ISSUED.search(text):
            return Answer("issued", found)
        if found is not None and _WAITING.search(text):
            return Answer("pending", found, "Taken Under Submission")
        raise Failure(
            f"Handing in the request at {self.url} as {self.account} failed. The CA's page says: "
            f"{_excerpt(text)}. Look at the CA whether it holds the request, then run again."
        )

    def retrieve(self, number: int) -> Answer:
        """What became of a request."""
        page = self._get("/certnew.cer", ReqID=str(number), Enc="b64")
        if b"-----BEGIN CERTIFICATE-----" in page.content:
            return Answer("issued", number, pem=read_certificate(page.content).pem)
        said = _DISPOSITION.search(page.text)
        words = _plain(said[1]) if said else _excerpt(page.text)
        return Answer("pending" if _WAITING.search(page.text) else "denied", number, words)

    def authorities(self) -> list[str]:
        """The CA's certificates with their chains, as PEM in no order; those from before renewals too."""
        found: dict[str, None] = {}
        renewals = _RENEWALS.search(self._get("/certcarc.asp").text)
        for renewal in range(int(renewals[1]) if renewals else 0, -1, -1):
            for page in ("/certnew.p7b", "/certnew.cer"):
                body = self._get(page, ReqID="CACert", Renewal=str(renewal), Enc="b64").content
                if b"-----BEGIN " in body:
                    found.update(dict.fromkeys(one.pem for one in read_certificates(body)))
                    break
        if not found:
            raise Failure(f"The CA at {self.url} gave no certificate of its own (certcarc.asp, certnew.p7b).")
        return list(found)

    def _get(self, page: str, **query: str) -> Any:
        return self._ask("GET", page, params=query)

    def _ask(self, method: str, page: str, **more: Any) -> Any:
        import requests

        where = f"{self.url}{page}"
        try:
            answer = self._session.request(
                method, where, timeout=self._timeout, allow_redirects=False, stream=True, **more
            )
            _read(answer, where)
        except requests.exceptions.SSLError as error:
            raise self._tls_trouble(where, error) from None
        except requests.exceptions.Timeout:
            raise Failure(f"Asking the CA at {where} got no answer within {self._timeout} s. {_lost(method)}") from None
        except (requests.exceptions.RequestException, OSError) as error:
            words = re.findall(r"\[Errno -?\d+\] ([^'\")]+)", str(error))
            said = words[-1].lower() if words else "the connection broke before the whole answer was there"
            raise Failure(f"Asking the CA at {where} failed: {said}. {_lost(method)}") from None
        except KeyError:
            # requests_ntlm looks for a challenge that the server did not send.
            raise self._refused(where) from None
        if answer.status_code == 401:
            raise self._refused(where)
        if answer.status_code != 200:
            hint = {
                403: "The account has no right to web enrolment, or the site wants a client certificate.",
                404: "Check url: web enrolment usually is at https://HOST/certsrv.",
            }.get(answer.status_code, "Look into the web server's log, then run again.")
            raise Failure(f"The CA at {where} answered HTTP {answer.status_code} to {self.account}. {hint}")
        return answer

    def _refused(self, where: str) -> Failure:
        return Failure(
            f"The CA at {where} refused the account {self.account} ({self._auth}). It was tried once. Check username "
            "(DOMAIN\\name or name@domain), password, and which authentication the web site allows (auth)."
        )

    def _tls_trouble(self, where: str, error: Exception) -> Failure:
        text = str(error)
        said = re.search(r"certificate verify failed: ([^(]+)", text) or re.search(r"\[SSL: ([A-Z0-9_]+)\]", text)
        reason = said[1].strip().lower().replace("_", " ") if said else "TLS failed"
        hint = "Give the CA's root in ca_path, and the name that the certificate is for in url."
        if re.search(r"expired|not yet valid", reason):
            hint = "Renew the certificate of the CA's web site, or set this machine's clock."
        if not self._legacy and LEGACY_REASONS.search(reason):
            hint = "It is an old server: set legacy_crypto: true."
        return Failure(f"The HTTPS connection to {where} is not trusted: {reason}. {hint}")

    def _open(self, endpoint: Endpoint, password: str) -> Any:
        import requests
        import requests.adapters

        context = tls_context(endpoint)
        context.check_hostname = endpoint.validate_certs

        class Adapter(requests.adapters.HTTPAdapter):
            """Leaves TLS to our context: requests would load its own CA list into it."""

            def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
                super().init_poolmanager(connections, maxsize, block=block, ssl_context=context, **more)

            def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
                """Nothing: the context says it all."""

            def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
                host, _own = super().build_connection_pool_key_attributes(request, True, None)
                # urllib3 would raise the context's verification by itself.
                return host, {} if endpoint.validate_certs else {"cert_reqs": "CERT_NONE"}

        session = requests.Session()
        session.trust_env = False
        session.headers.update({"User-Agent": _BROWSER})
        if self._auth == "ntlm":
            from requests_ntlm import HttpNtlmAuth

            # Channel binding is on by default: it ties the login to this TLS connection.
            session.auth = HttpNtlmAuth(self.account, password)
        else:
            # As bytes, for requests would encode text as Latin-1.
            pair: Any = (self.account.encode(), password.encode())
            session.auth = pair
        # One connection: NTLM authenticates connections, not requests.
        session.mount("https://", Adapter(pool_connections=1, pool_maxsize=1, max_retries=0))
        return session


def _read(answer: Any, where: str) -> None:
    """Take the page in, up to the size that one may have."""
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_content(65536):
        parts.append(part)
        size += len(part)
        if size > LARGEST_PAGE:
            answer.close()
            raise Failure(
                f"The CA at {where} answered with more than {LARGEST_PAGE} bytes, which is no page of a CA's. "
                "Check url."
            )
    answer._content = b"".join(parts)


def _lost(method: str) -> str:
    """What to do when no answer came."""
    if method == "POST":
        return "The CA may hold the request all the same: look there, and run again."
    return "Check url, and the CA's web site."


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ufffd]", " ", html.unescape(re.sub(r"<[^>]*>", " ", text))).split())


def _excerpt(page: str) -> str:
    """What a page says, without its marks, cut to a readable length."""
    body = re.sub(r"(?is)<(script|style|title)\b.*?</\1>", " ", page)
    text = _plain(body)
    return (text[:300] + "…") if len(text) > 300 else text or "nothing"
