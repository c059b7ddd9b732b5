# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTPS server per node: TLS of the release, dispatch by path, faults, a log line per request."""

from __future__ import annotations

import asyncio
import email.utils
import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import misbehave, pages, tls, wsdl
from .auth import COOKIE, Sessions
from .axl import service as axl
from .serviceability import ENDPOINTS, Endpoint
from .soap import XML

if TYPE_CHECKING:
    from ..scenario import Account
    from ..world import Lab, Node

BODY_LIMIT = 64 * 1024 * 1024
#: packages that respond below a path with `async handle(lab, node, request, body) -> web.Response`
MOUNTS = {"/platformcom/": "certmgr", "/cmplatform/": "cmplatform"}


@dataclass
class _Site:
    runner: web.ServerRunner

    async def stop(self) -> None:
        await self.runner.cleanup()


async def start(lab: Lab, node: Node) -> _Site:
    """Serve HTTPS on the node's address."""
    tls.send_alerts()
    runner = web.ServerRunner(web.Server(HttpsServer(lab, node).answer), shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, node.address, lab.ports.https, ssl_context=tls.TlsServer(node).context, backlog=512)
        await site.start()
    except BaseException:
        await runner.cleanup()
        raise
    return _Site(runner)


class HttpsServer:
    """A node's responses on 8443."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._accounts = node.cluster.accounts
        self._sessions = Sessions(node.cluster)
        self._axl = axl.AxlService(node)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Respond to one request; its Date is that of the node's clock."""
        answer = await self._answered(request)
        if not answer.prepared:
            answer.headers["Date"] = email.utils.format_datetime(self._node.clock.now(), usegmt=True)
        return answer

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        if (request.content_length or 0) > BODY_LIMIT:
            return _page(413)
        body = await request.content.read()
        interface, operation, handle = self._route(request, body)
        fault = self._lab.faults.match(interface, operation, self._node) if interface else None
        if fault is not None:
            self._lab.log.write(
                "fault", interface=interface, operation=operation, node=self._node.name, action=fault.action
            )
            if fault.action == "memory":
                handle = self._memory
            else:
                return await misbehave.apply(fault, request, handle)
        return await handle()

    def _route(self, request: web.BaseRequest, body: bytes) -> tuple[str, str, Callable[[], Awaitable[web.Response]]]:
        path = request.path
        if path == "/axl/":
            operation = self._axl.operation(body) if request.method == "POST" else "GET"
            return "axl", operation, partial(self._answer_axl, request, body)
        if path == "/axl":
            return "axl", "redirect", partial(_redirect, "/axl/")
        for endpoint in ENDPOINTS:
            if endpoint.serves(path, self._node):
                operation = self._axl.operation(body) if request.method == "POST" else "GET"
                return endpoint.interface, operation, partial(self._answer_endpoint, endpoint, operation, request, body)
        for prefix, name in MOUNTS.items():
            if path.startswith(prefix):
                return "certmgr", f"{request.method} {path}", partial(self._mounted, name, request, body)
        if path == "/cucm-uds/version":
            return "uds", "version", self._uds
        return "", "", partial(_done, _page(404))

    async def _answer_axl(self, request: web.BaseRequest, body: bytes) -> web.Response:
        node = self._node
        if not node.services.running("Cisco AXL Web Service"):
            return _page(404)
        cookie = request.cookies.get(COOKIE)
        if cookie is not None and not self._sessions.known(cookie):
            return _page(404)
        account = self._accounts.check(request.headers.get("Authorization"))
        if account is None:
            return self._unauthorized()
        if not self._axl.allowed(account):
            self._log("axl", "", account, 403)
            return _page(403)
        if request.method == "GET":
            answer = axl.Answer(200, pages.AXL, pages.HTML, "GET")
        elif request.method != "POST":
            return _page(405)
        else:
            answer = self._axl.handle(body, request.headers.get("SOAPAction", ""), account)
        peer = request.transport.get_extra_info("peername") if request.transport else None
        # The client's port identifies the connection.
        self._log("axl", answer.operation, account, answer.status, connection=peer and peer[1], **answer.facts)
        text = answer.body or pages.status(answer.status)
        made = web.Response(status=answer.status, body=text.encode(), headers={"Content-Type": answer.content_type})
        if cookie is None:
            made.set_cookie(COOKIE, self._sessions.new(), path="/", secure=True, httponly=True)
        return made

    async def _memory(self) -> web.Response:
        answer = self._axl.refuse(-1, misbehave.MEMORY)
        return web.Response(status=500, body=answer.body.encode(), headers={"Content-Type": XML})

    async def _answer_endpoint(
        self, endpoint: Endpoint, operation: str, request: web.BaseRequest, body: bytes
    ) -> web.Response:
        account = self._accounts.check(request.headers.get("Authorization"))
        if account is None:
            return self._unauthorized()
        if not endpoint.roles & set(account.roles):
            self._log(endpoint.interface, operation, account, 403)
            return _page(403)
        if request.method == "GET" and endpoint.description and "wsdl" in request.query:
            address = f"https://{self._node.address}:{self._lab.ports.https}{endpoint.path}"
            self._log(endpoint.interface, "?wsdl", account, 200)
            return web.Response(body=wsdl.text(endpoint.description, address).encode(), headers={"Content-Type": XML})
        if request.method != "POST":
            return _page(405)
        made = await endpoint.handle(self._node, body, request)
        self._log(endpoint.interface, operation, account, made.status)
        return made

    async def _mounted(self, name: str, request: web.BaseRequest, body: bytes) -> web.Response:
        package = f"{__package__.rsplit('.', 1)[0]}.{name}"
        if importlib.util.find_spec(package) is None:
            return _page(404)
        module: Any = importlib.import_module(package)
        answer: web.Response = await module.handle(self._lab, self._node, request, body)
        return answer

    async def _uds(self) -> web.Response:
        version = self._node.cluster.release.axl_version
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?><versionInformation uri="https://{self._node.fqdn}:8443/cucm-uds/version"'
            f' version="{version}"><version>{version}</version><capabilities/></versionInformation>'
        )
        return web.Response(body=text.encode(), headers={"Content-Type": "application/xml"})

    def _unauthorized(self) -> web.Response:
        realm = self._lab.inferred["axl.realm"]
        return web.Response(
            status=401,
            body=pages.status(401).encode(),
            headers={"Content-Type": pages.HTML, "WWW-Authenticate": f'Basic realm="{realm}"'},
        )

    def _log(self, interface: str, operation: str, account: Account, status: int, **facts: Any) -> None:
        self._lab.log.write(
            interface, node=self._node.name, operation=operation, account=account.username, status=status, **facts
        )


async def _done(answer: web.Response) -> web.Response:
    return answer


async def _redirect(target: str) -> web.Response:
    await asyncio.sleep(0)
    return web.Response(status=302, headers={"Location": target})


def _page(code: int) -> web.Response:
    return web.Response(status=code, body=pages.status(code).encode(), headers={"Content-Type": pages.HTML})
