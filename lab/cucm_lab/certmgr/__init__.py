# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate REST API of release 14 and later: `/platformcom/api/v1/certmgr/config/...`.

Bodies are those that public scripts send and read; everything else is registered as inferred. `lab.https` calls
`handle` for every request below /platformcom/ and applies the faults of interface `certmgr`.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..inferred import register
from ..pki.store import CsrOptions, StoreError
from ..pki.units import STORES
from ..shell.accounts import accounts_of
from .basic import credentials

if TYPE_CHECKING:
    from ..world import Lab, Node

BASE = "/platformcom/api/v1/certmgr/config"
REALM = "CMPlatform Realm"

register(
    "certmgr.status",
    {"1015": 500, "1017": 500, "1018": 400, "other": 400},
    "HTTP status of each class of refusal (500 for a foreign leaf and 400 without the CA have been seen)",
)
register("certmgr.missing", (404, "No CSR found for {service}"), "GET csr without a pending CSR")
register("certmgr.forbidden", (403, "Insufficient privilege"), "A write by an account of level 0")
register("certmgr.no_path", (404, "Not Found"), "A path that is not known")


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def handle(lab: Lab, node: Node, request: web.BaseRequest, body: bytes) -> web.Response:
    """Answer one request."""
    if not node.cluster.release.has_rest_certmgr:
        return web.Response(status=404, text="<html><body>404 Not Found</body></html>", content_type="text/html")
    given = credentials(request.headers.get("Authorization"))
    account = accounts_of(lab, node).check(*given, "certmgr") if given else None
    if account is None:
        headers = {"WWW-Authenticate": f'Basic realm="{REALM}"'}
        return web.Response(status=401, text="<html><body>401 Unauthorized</body></html>", headers=headers)
    path = request.path.removeprefix(BASE).rstrip("/")
    status, answer = 200, None
    try:
        run = ROUTES.get((request.method, path))
        if run is None or not request.path.startswith(BASE):
            raise _Refused(*lab.inferred["certmgr.no_path"])
        if request.method != "GET" and account.level < 1:
            raise _Refused(*lab.inferred["certmgr.forbidden"])
        answer = await asyncio.to_thread(run, lab, node, _order(request, body))
    except _Refused as error:
        status, answer = error.status, {"message": error.message}
    except StoreError as error:
        statuses = lab.inferred["certmgr.status"]
        status, answer = int(statuses.get(str(error.code), statuses["other"])), {"message": error.text}
    lab.log.write(
        "certmgr", node=node.name, operation=f"{request.method} {path}", account=account.username, status=status
    )
    return web.json_response(answer, status=status)


def _order(request: web.BaseRequest, body: bytes) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    try:
        order = json.loads(body)
    except ValueError:
        raise _Refused(400, "Malformed JSON") from None
    if not isinstance(order, dict):
        raise _Refused(400, "Malformed JSON")
    return order


def _service(order: dict[str, Any]) -> str:
    service = order.get("service")
    if not isinstance(service, str) or not service:
        raise _Refused(400, "service must be a string")
    return service


def _certificates(order: dict[str, Any]) -> str:
    pems = order.get("certificates")
    if not isinstance(pems, list) or not pems or not all(isinstance(pem, str) for pem in pems):
        raise _Refused(400, "certificates must be an array of strings")
    return "\n".join(pems)


def _snapshot(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    store = node.certs
    return {
        "trackingId": str(uuid.uuid4()),
        "server": node.fqdn,
        "identities": [
            {"service": unit, "certificate": store.held_certificate(unit), "csr": store.csr(unit) or ""}
            for unit in store.listed_units()
        ],
        "trusts": [
            {"service": name, "certificate_data": [{"filename": file, "certificate": pem} for file, pem in found]}
            for name in STORES
            if (found := store.trust(name))
        ],
        "revokedCertificates": [],
    }


def _options(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    return {
        "services": node.certs.units(),
        "distribution": ["this-server", lab.inferred["pki.multi_server_literal"]],
        "keyType": ["rsa", "ec"],
        "keyLength": [1024, 2048, 3072, 4096],
        "hashAlgorithm": ["sha256", "sha384", "sha512"],
    }


def _get_csr(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    service = _service(order)
    csr = node.certs.csr(service)
    if csr is None:
        status, text = lab.inferred["certmgr.missing"]
        raise _Refused(status, text.format(service=service))
    return {"csr": csr}


def _post_csr(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    service = _service(order)
    multi = lab.inferred["pki.multi_server_literal"]
    distribution = order.get("distribution", "this-server")
    if distribution not in ("this-server", multi):
        raise _Refused(400, f"Invalid distribution {distribution}")
    try:
        length = int(order["keyLength"]) if order.get("keyLength") else None
    except (TypeError, ValueError):
        raise _Refused(400, "Invalid keyLength") from None
    names = order.get("altNames")
    options = CsrOptions(
        key_length=length, hash=order.get("hashAlgorithm"), common_name=order.get("commonName"),
        alt_names=tuple(names) if isinstance(names, list) else None, multi_server=distribution == multi,
    )  # fmt: skip
    return {"csr": node.certs.generate_csr(service, options)}


def _get_identity(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    service = _service(order)
    return {"service": service, "certificate": node.certs.held_certificate(service)}


def _post_identity(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    service = _service(order)
    node.certs.import_own(service, _certificates(order))
    return {"message": f"Certificate uploaded for {service}. Restart the services that use it.", "service": service}


def _get_trust(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    return [{"filename": name, "certificate": pem} for name, pem in node.certs.trust(_service(order))]


def _post_trust(lab: Lab, node: Node, order: dict[str, Any]) -> Any:
    services = order.get("service")
    if not isinstance(services, list) or not services:
        raise _Refused(400, "service must be an array")
    pems = _certificates(order)
    names = [name for service in services for name in node.certs.import_trust(str(service), pems)]
    return {"message": "Trust certificates uploaded", "filenames": names}


ROUTES: dict[tuple[str, str], Callable[[Lab, Node, dict[str, Any]], Any]] = {
    ("GET", "/snapshot/server"): _snapshot,
    ("GET", "/options"): _options,
    ("GET", "/snapshot/options"): _options,
    ("GET", "/csr"): _get_csr,
    ("POST", "/csr"): _post_csr,
    ("GET", "/identity/certificate"): _get_identity,
    ("GET", "/identity/certificates"): _get_identity,
    ("POST", "/identity/certificates"): _post_identity,
    ("GET", "/trust/certificate"): _get_trust,
    ("GET", "/trust/certificates"): _get_trust,
    ("POST", "/trust/certificates"): _post_trust,
}
