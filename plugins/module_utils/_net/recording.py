# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchanges with CUCM, kept as fixtures when the environment variable CUCM_RECORD names a folder.

Each exchange is a line of JSON in exchanges.jsonl. It has no account, no cookie, no private key and no value whose name
says that it is a secret. Host names and addresses stay: without them no answer would fit its request.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

VARIABLE = "CUCM_RECORD"
FILE = "exchanges.jsonl"
MASK = "********"
#: bytes of a body that are kept; downloads of traces are longer
LARGEST = 1024 * 1024
#: headers that are kept, in lower case
_HEADERS = frozenset({"content-type", "soapaction", "retry-after", "location"})
_SECRET = re.compile(
    r"password|passphrase|passwd|pwd|secret|digest|credential|token|cookie|session|privatekey|psk|community|pin$",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"<([A-Za-z_][A-Za-z0-9_:.-]{0,79})([^<>]{0,400})>([^<]+)")
_MARKED = re.compile(r"(inline:|JSESSIONID(?:SSO)?=|Authorization: ?)[^\s;|]+(?: [A-Za-z0-9+/=]+)?", re.IGNORECASE)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_KEY_ENDS = re.compile(r"-----END [A-Z ]{1,60}-----")


def wanted() -> Path | None:
    """The folder for fixtures, or None."""
    folder = os.environ.get(VARIABLE)
    return Path(folder) if folder else None


def keep(exchange: Mapping[str, Any], secrets: Iterable[str]) -> str | None:
    """Append an exchange; only a warning if the folder cannot be written, because the task has to go on."""
    folder = wanted()
    if folder is None:
        return None
    line = json.dumps(redacted(exchange, [secret for secret in secrets if secret]), ensure_ascii=False) + "\n"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line)
    except OSError as error:
        return f"The exchange was not recorded: {error.strerror or error} ({VARIABLE}={folder})."
    return None


def http(
    host: str, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None, answer: Any
) -> dict[str, Any]:
    """An HTTPS exchange; answer is an HttpAnswer."""
    return {
        "kind": "https",
        "node": host,
        "method": method,
        "path": path,
        "headers": _kept(headers),
        "body": _text(body or b""),
        "answer": {"status": answer.status, "headers": _kept(answer.headers), "body": _text(answer.body)},
    }


def cli(host: str, command: str, output: str) -> dict[str, Any]:
    """A command of the CLI."""
    return {"kind": "cli", "node": host, "command": command, "answer": {"output": output[:LARGEST]}}


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() in _HEADERS}


def _text(body: bytes) -> str | None:
    """The body as text; None where it is none, or longer than what is kept."""
    try:
        return body.decode() if len(body) <= LARGEST else None
    except UnicodeDecodeError:
        return None


def redacted(value: Any, secrets: list[str]) -> Any:
    """An exchange without secrets."""
    if isinstance(value, Mapping):
        return {
            key: MASK if isinstance(inner, str) and inner and _SECRET.search(key) else redacted(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(inner, secrets) for inner in value]
    return _cleaned(value, secrets) if isinstance(value, str) else value


def _cleaned(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    if text[:1] in ("{", "["):
        try:
            return json.dumps(redacted(json.loads(text), secrets))
        except (ValueError, RecursionError):
            # It only begins as JSON does, or is nested more deeply than any answer of CUCM's.
            pass
    text = _MARKED.sub(lambda found: found[1] + MASK, _ELEMENT.sub(_element, text))
    return _without_keys(text)


def _element(found: re.Match[str]) -> str:
    if not _SECRET.search(found[1].rpartition(":")[2]):
        return found[0]
    return f"<{found[1]}{found[2]}>{MASK}"


def _without_keys(text: str) -> str:
    """A text without the contents of its private keys."""
    parts, at = [], 0
    for begin in _KEY_BEGINS.finditer(text):
        if begin.start() < at:
            continue
        end = _KEY_ENDS.search(text, begin.end())
        parts += [text[at : begin.start()], MASK]
        at = end.end() if end else len(text)
    return "".join((*parts, text[at:]))
