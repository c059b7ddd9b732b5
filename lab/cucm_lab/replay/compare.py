# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a lab what the fixtures ask, and shows where it answers differently.

Values differ between a real cluster and a lab. Compared are therefore forms: HTTP status and content type, the elements
of an answer, the texts of SOAP faults, the keys of JSON, and the labels and sentences of the CLI.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncssh
from lxml import etree

from .fixtures import Exchange

_WAIT = 30
_PROMPT = "admin:"
_NUMBER = re.compile(r"[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*")
_READS = ("get", "list", "executeSQLQuery", "SelectCm", "selectCm", "soapGet", "perfmonCollect", "perfmonList")
_COMMANDS = ("show ", "file list ", "file view ", "file search ", "utils ntp status", "utils service list", "run sql ")


@dataclass(frozen=True)
class Access:
    """A node of the lab, with the lab's accounts: (user, password)."""

    address: str
    https: int
    ssh: int
    application: tuple[str, str]
    platform: tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """Where the lab answers differently: parts that only the fixture has, and only the lab."""

    title: str
    missing: tuple[str, ...]
    added: tuple[str, ...]


def harmless(exchange: Exchange) -> bool:
    """Whether it only reads: nothing else is asked of the lab."""
    if exchange.kind == "cli":
        return exchange.command.startswith(_COMMANDS)
    return exchange.method in ("GET", "OPTIONS", "HEAD") or exchange.operation.startswith(_READS)


async def compare(exchanges: Iterable[Exchange], nodes: Mapping[str, Access]) -> list[Difference]:
    """The differences, each request once; nodes are the lab's by the names in the fixtures."""
    # Of equal requests the last: what was written in between shows in its answer.
    requests = {exchange.key: exchange for exchange in exchanges if exchange.node in nodes and harmless(exchange)}
    found = []
    for request in requests.values():
        theirs = set(form(request.kind, request.answer))
        ours = set(form(request.kind, await _asked(request, nodes[request.node])))
        if theirs != ours:
            found.append(Difference(request.title, tuple(sorted(theirs - ours)), tuple(sorted(ours - theirs))))
    return found


async def _asked(exchange: Exchange, access: Access) -> dict[str, Any]:
    return await _command(exchange, access) if exchange.kind == "cli" else _request(exchange, access)


def _request(exchange: Exchange, access: Access) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    rest = exchange.path.startswith("/platformcom/")
    user, password = access.platform if rest else access.application
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    connection = http.client.HTTPSConnection(access.address, access.https, timeout=_WAIT, context=context)
    try:
        headers = {**(exchange.headers or {}), "Authorization": f"Basic {token}"}
        connection.request(exchange.method, exchange.path, (exchange.body or "").encode(), headers)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
        kept = {"content-type": answer.headers.get("Content-Type", "")}
        return {"status": answer.status, "headers": kept, "body": body}
    finally:
        connection.close()


async def _command(exchange: Exchange, access: Access) -> dict[str, Any]:
    user, password = access.platform
    async with asyncssh.connect(
        access.address, access.ssh, username=user, password=password, known_hosts=None, client_keys=None,
        server_host_key_algs=["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"],
        kex_algs=["ecdh-sha2-nistp256", "diffie-hellman-group14-sha256", "diffie-hellman-group14-sha1",
                  "diffie-hellman-group1-sha1"],
    ) as connection:  # fmt: skip
        process = await connection.create_process(term_type="vt100", term_size=(200, 2000))
        await process.stdout.readuntil(_PROMPT)
        process.stdin.write("set cli pagination off\n")
        await process.stdout.readuntil(_PROMPT)
        process.stdin.write(exchange.command + "\n")
        text = str(await process.stdout.readuntil(_PROMPT))
        return {"output": text.replace("\r", "").partition("\n")[2].removesuffix(_PROMPT).strip("\n")}


def form(kind: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """What of an answer is compared."""
    if kind == "cli":
        yield from (found for line in answer["output"].split("\n") if (found := _line(line)))
        return
    yield f"status {answer['status']}"
    yield f"type {answer['headers'].get('content-type', '').partition(';')[0]}"
    body = (answer["body"] or "").strip()
    if body[:1] in ("{", "["):
        yield from _json("", json.loads(body))
    elif body[:1] == "<":
        yield from _xml(body)


def _line(line: str) -> str:
    """A line of the CLI without its values: the label before a colon, otherwise its words without numbers."""
    label, colon, _value = line.strip().partition(":")
    text = f"{label}:" if colon else label
    return " ".join("#" if _NUMBER.search(word) else word for word in text.split())


def _xml(body: str) -> Iterator[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(body.encode(), parser)
    if root is None:
        yield "no XML"
        return
    for element in root.iter(etree.Element):
        names = [etree.QName(element).localname]
        names += [etree.QName(above).localname for above in element.iterancestors()]
        yield "/".join(reversed(names))
        if names[0] in ("faultstring", "axlcode", "axlmessage"):
            yield f"{names[0]}: {_NUMBER.sub('#', element.text or '')}"


def _json(where: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{where}/{key}"
            yield from _json(f"{where}/{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _json(f"{where}[]", inner)
