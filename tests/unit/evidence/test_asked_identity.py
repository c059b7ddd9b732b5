# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No place of the product opens TLS to a SIP port without naming the identity that it asks for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
#: what opens TLS, and the only files that may: SIP handshake, HTTPS, and a table of cipher names that never connects
OPENERS = {"SSLContext", "create_default_context", "wrap_bio", "wrap_socket", "get_server_certificate"}
MAY_OPEN = {"_evidence/probes/handshake.py": {"SSLContext", "wrap_bio"}, "_net/tls.py": {"SSLContext"},
            "_evidence/tls_names.py": {"SSLContext"}}  # fmt: skip
#: what connects to a SIP port, and the place of the identity among its arguments
CONNECTORS = {"client_context": 0, "handshake": 1, "served_certificate": 1}


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call of a source by the last part of its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function = node.func
            yield str(getattr(function, "attr", None) or getattr(function, "id", "")), node


def unnamed(name: str, source: str) -> list[str]:
    """What a file does without naming the identity, in words."""
    found = []
    for called, node in calls(source):
        if called in OPENERS and called not in MAY_OPEN.get(name, set()):
            found.append(f"{name}:{node.lineno} calls {called}")
        place = CONNECTORS.get(called)
        if place is not None and len(node.args) > place:
            called_with = ast.unparse(node.args[place])
            if not (called_with == "asked" or called_with.startswith("Asked.")):
                found.append(f"{name}:{node.lineno} calls {called} with {called_with}")
        elif place is not None:
            found.append(f"{name}:{node.lineno} calls {called} without an identity")
    return found


def test_every_handshake_with_a_sip_port_names_the_identity_it_asks_for() -> None:
    files = {str(path.relative_to(PLUGINS / "module_utils")): path for path in (PLUGINS / "module_utils").rglob("*.py")}
    files |= {path.name: path for folder in ("modules", "filter", "action") for path in (PLUGINS / folder).glob("*.py")}
    found = [text for name, path in files.items() for text in unnamed(name, path.read_text(encoding="utf-8"))]
    assert not found
    used = {called for path in files.values() for called, _unused in calls(path.read_text(encoding="utf-8"))}
    assert used >= CONNECTORS.keys(), "a connector has another name now: name it here"


@pytest.mark.parametrize(
    "source",
    ["ssl.create_default_context()", "served_certificate(target)", "client_context(legacy=True)",
     "handshake(target, kind)", "ssl.get_server_certificate((host, 5061))"],
)  # fmt: skip
def test_it_would_be_seen(source: str) -> None:
    assert unnamed("_node/new.py", source)
