# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web server of a CA. Faults of interface `adcs`, by operation: login, submit, fetch, ca, chain."""

from __future__ import annotations

import base64
import ssl
import textwrap
import warnings
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from ..https import misbehave
from . import pages
from .authority import DENIED, ERROR, ISSUED, PENDING, Authority
from .gate import Gate

if TYPE_CHECKING:
    from ..world import Lab

_HTML = "text/html"
_CERTIFICATE, _CHAIN = "application/pkix-cert", "application/x-pkcs7-certificates"
#: page -> operation, for faults and the log
_OPERATIONS = {"certfnsh.asp": "submit", "certnew.cer": "fetch", "certcarc.asp": "ca", "certnew.p7b": "chain"}


class _Site:
    def __init__(self, runner: web.ServerRunner, authority: Authority) -> None:
        self._runner = runner
        self._authority = authority

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._authority.close()


async def start(lab: Lab, authority: Authority) -> _Site:
    """Serve /certsrv at the CA's address."""
    certificate, key = authority.web_identity()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority.legacy_tls:
        context.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
        with warnings.catch_warnings():
            # TLS 1.0 is deprecated in Python; the old server speaks nothing else.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    path = authority.directory / "web.pem"
    path.touch(mode=0o600)
    path.write_text(key + certificate)
    context.load_cert_chain(path)
    path.unlink()
    runner = web.ServerRunner(web.Server(_Pages(lab, authority, Gate(authority, certificate)).answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, authority.address, authority.port, ssl_context=context, shutdown_timeout=0.5).start()
    except BaseException:
        await runner.cleanup()
        raise
    return _Site(runner, authority)


class _Pages:
    """The responses of a CA."""

    def __init__(self, lab: Lab, authority: Authority, gate: Gate) -> None:
        self._lab = lab
        self._authority = authority
        self._gate = gate

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        body = await request.content.read()
        page = request.path.lower().removeprefix("/certsrv").strip("/")
        operation = _OPERATIONS.get(page, "login")

        async def handle() -> web.Response:
            return self._page(request, page, body)

        fault = self._lab.faults.match("adcs", operation, self._authority.name)
        if fault is not None:
            return await misbehave.apply(fault, request, handle)
        return await handle()

    def _page(self, request: web.BaseRequest, page: str, body: bytes) -> web.Response:
        user, offers = self._gate.user(request)
        if user is None:
            if self._gate.carries_credentials(request):
                self._lab.log.write("adcs", ca=self._authority.name, page=page, result="refused")
            answer = web.Response(status=401, text=pages.page("401 - Unauthorized"), content_type=_HTML)
            for offer in offers:
                answer.headers.add("WWW-Authenticate", offer)
            return answer
        if not request.path.lower().startswith("/certsrv"):
            return web.Response(status=404, text=pages.page("404"), content_type=_HTML)
        self._lab.log.write("adcs", ca=self._authority.name, page=page, account=user)
        if page == "":
            return _html(pages.home())
        if page == "certfnsh.asp" and request.method == "POST":
            return self._submit(body, user)
        if page == "certcarc.asp":
            return _html(pages.authority(len(self._authority.generations) - 1))
        if page == "certnew.cer":
            return self._fetch(request)
        if page == "certnew.p7b":
            return self._chain(request)
        return web.Response(status=404, text=pages.page("404"), content_type=_HTML)

    def _submit(self, body: bytes, user: str) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
        if form.get("Mode", "").lower() != "newreq" or "CertRequest" not in form:
            return _html(pages.denied(0, "The parameter is incorrect. 0x80070057 (WIN32: 87)"))
        number = self._authority.submit(form["CertRequest"], form.get("CertAttrib", ""), user)
        row = self._authority.request(number)
        assert row is not None
        if row["state"] == ISSUED:
            return _html(pages.issued(number))
        if row["state"] == PENDING:
            return _html(pages.pending(number))
        return _html(pages.denied(number, row["disposition"]))

    def _fetch(self, request: web.BaseRequest) -> web.Response:
        number = request.query.get("ReqID", "")
        if number.lower() == "cacert":
            return self._certificate(request, self._generation(request)[0])
        row = self._authority.request(int(number)) if number.isdigit() else None
        if row is None:
            return _html(pages.not_issued("The request ID is invalid. 0x80070057 (WIN32: 87)"))
        if row["state"] in (DENIED, ERROR, PENDING):
            return _html(pages.not_issued(row["disposition"]))
        return self._certificate(request, x509.load_pem_x509_certificate(row["certificate"].encode()))

    def _generation(self, request: web.BaseRequest) -> list[x509.Certificate]:
        """The chain of the CA certificate that `Renewal` names, the first one without it."""
        index = request.query.get("Renewal", "0")
        known = self._authority.generations
        if request.query.get("ReqID", "").isdigit():
            return known[-1]
        return known[int(index)] if index.isdigit() and int(index) < len(known) else known[0]

    def _chain(self, request: web.BaseRequest) -> web.Response:
        number = request.query.get("ReqID", "")
        found = list(self._generation(request))
        if number.isdigit():
            row = self._authority.request(int(number))
            if row is None or row["state"] != ISSUED:
                return _html(pages.not_issued(row["disposition"] if row else "The request ID is invalid."))
            found.insert(0, x509.load_pem_x509_certificate(row["certificate"].encode()))
        return _download(request, pkcs7.serialize_certificates(found, Encoding.DER), _CHAIN, "CERTIFICATE")

    @staticmethod
    def _certificate(request: web.BaseRequest, certificate: x509.Certificate) -> web.Response:
        return _download(request, certificate.public_bytes(Encoding.DER), _CERTIFICATE, "CERTIFICATE")


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type=_HTML, charset="windows-1252")


def _download(request: web.BaseRequest, der: bytes, content_type: str, label: str) -> web.Response:
    body = der
    if request.query.get("Enc", "").lower() == "b64":
        text = "\r\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
        body = f"-----BEGIN {label}-----\r\n{text}\r\n-----END {label}-----\r\n".encode()
    if "mozilla" not in request.headers.get("User-Agent", "").lower():
        # Web enrolment looks at the browser to choose the type of its download.
        content_type = _HTML
    return web.Response(body=body, content_type=content_type)
