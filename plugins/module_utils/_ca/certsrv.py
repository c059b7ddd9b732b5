# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's certificate web enrolment (/certsrv), over HTTPS; private to siptls.cucm.

The pages are made for people and differ a little by release and language; this client reads only what other clients
have relied on for years (certificates.md, 9.1), and quotes a page that it does not recognize.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.siptls.cucm.plugins.module_utils._ca.web import Page, WebSession
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._text import page_text, readable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import lowest_first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_certificates

# Web enrolment sends programs that don't look like a browser to another page.
_BROWSER = "Mozilla/5.0 (compatible; siptls.cucm)"
_ISSUED = re.compile(r"certnew\.cer\?ReqID=(\d{1,12})&", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"Your Request Id is:?\s{0,20}(\d{1,12})", re.IGNORECASE | re.ASCII)
_DENIED = re.compile(r'disposition message is "([^"]{1,2000})', re.IGNORECASE)
_DISPOSITION = re.compile(r"Disposition message:?\s{0,200}([^<\r\n]{0,2000})", re.IGNORECASE)
_RENEWALS = re.compile(r"nRenewals\s{0,20}=\s{0,20}(\d{1,4})", re.ASCII)
_MOST_RENEWALS = 50
# CR_DISP_UNDER_SUBMISSION in the words of the CA, and as the page names the state.
_WAITING = re.compile(r"taken under submission|certificate pending|still pending|0x0{0,8}5\b", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What the CA said of a request. state: issued, pending, denied; words: its disposition."""

    state: str
    request_id: int | None
    words: str = ""
    pem: str | None = None


class Certsrv:
    """One session with a CA's web enrolment."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.account = options["username"]
        self._auth = options["auth"]
        example = "https://HOST/certsrv, and bind HTTPS to the CA's web site"
        self._web = WebSession(options, "adcs", "The CA", example=example)
        if not urlsplit(self._web.url).path.strip("/"):
            self._web.url += "/certsrv"
        self.url, self.warnings = self._web.url, self._web.warnings()
        self._log_in_by(options["password"])

    def _log_in_by(self, password: str) -> None:
        session = self._web.session
        session.headers.update({"User-Agent": _BROWSER})
        if self._auth == "ntlm":
            from requests_ntlm import HttpNtlmAuth

            # Channel binding is on by default: it ties the login to this TLS connection.
            session.auth = HttpNtlmAuth(self.account, password)
        else:
            # As bytes, for requests would encode text as Latin-1.
            session.auth = (self.account.encode(), password.encode())

    def login(self) -> None:
        """Log in; Failure if the account is refused."""
        self._get("/")

    def submit(self, csr: str, template: str | None, attributes: Mapping[str, Any] | None) -> Answer:
        """Submit a request."""
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
            f"Submitting the request at {self.url} as {self.account} failed. The CA's page says: {_excerpt(text)}. "
            "Check at the CA whether it has the request, then run again."
        )

    def retrieve(self, number: int) -> Answer:
        """The state of a request, and its certificate."""
        page = self._get("/certnew.cer", ReqID=str(number), Enc="b64")
        if b"-----BEGIN CERTIFICATE-----" in page.content:
            return Answer("issued", number, pem=read_certificate(page.content).pem)
        said = next((words for match in _DISPOSITION.finditer(page.text) if (words := _plain(match[1]))), "")
        words = said or _excerpt(page.text)
        return Answer("pending" if _WAITING.search(page.text) else "denied", number, words)

    def authorities(self) -> list[str]:
        """The CA's certificates with their chains, as PEM; that of the newest renewal first."""
        return [certificate.pem for certificate in dict.fromkeys(itertools.chain(*self._published()))]

    def signing(self) -> tuple[Certificate, ...]:
        """The CA that signs now and those above it."""
        newest, *older = self._published()
        return lowest_first(newest, itertools.chain(*older))

    def _published(self) -> list[list[Certificate]]:
        """Of each renewal of the CA, the newest first, its certificate and those above it in any order."""
        found: list[list[Certificate]] = []
        renewals = _RENEWALS.search(self._get("/certcarc.asp").text)
        newest = min(int(renewals[1]), _MOST_RENEWALS) if renewals else 0
        for renewal in range(newest, -1, -1):
            for page in ("/certnew.p7b", "/certnew.cer"):
                body = self._get(page, ReqID="CACert", Renewal=str(renewal), Enc="b64").content
                if b"-----BEGIN " in body:
                    found.append(read_certificates(body))
                    break
        if not found:
            raise Failure(
                f"The CA at {self.url} sent no certificate of its own (certcarc.asp, certnew.p7b). Check its web site."
            )
        return found

    def _get(self, page: str, **query: str) -> Page:
        return self._ask("GET", page, params=query)

    def _ask(self, method: str, path: str, **more: Any) -> Page:
        where = f"{self.url}{path}"
        try:
            page = self._web.ask(method, path, **more)
        except KeyError:
            # requests_ntlm looks for a challenge that the server did not send.
            raise self._refused(where) from None
        if page.status == 401:
            raise self._refused(where)
        if page.status != 200:
            hint = {
                403: "The account has no right to web enrolment, or the site requires a client certificate.",
                404: "Check adcs_url: web enrolment usually is at https://HOST/certsrv.",
            }.get(page.status, "Look at the web server's log, then run again.")
            raise Failure(f"The CA at {where} responded with HTTP {page.status} to {self.account}. {hint}")
        return page

    def _refused(self, where: str) -> Failure:
        return Failure(
            f"The CA at {where} refused the account {self.account} ({self._auth}). It was tried once. Check "
            "adcs_username (DOMAIN\\name or name@domain), the password, and which authentication the web site allows "
            "(adcs_auth).",
            reason="account",
        )


def _plain(text: str) -> str:
    """What a page shows, on one line."""
    return readable(html.unescape(page_text(text)), None)


def _excerpt(page: str) -> str:
    """What a page shows, cut to a readable length."""
    text = _plain(page)
    return (text[:300] + "…") if len(text) > 300 else text or "nothing"
