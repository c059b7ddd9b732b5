# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person or a test does to a running lab: fault, clock, syslog, dump, ca, csr; and openapi."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..control import ControlError, ask
from .commands import Command


def add(command: Command) -> None:
    """Its commands."""
    fault = command("fault", _fault, "add, list or clear faults")
    fault.add_argument("what", choices=["add", "list", "clear"])
    fault.add_argument("rule", nargs="*", metavar="KEY=VALUE", help="interface=axl action=status status=503 count=3")
    clock = command("clock", _clock, "show or shift the lab's clock")
    clock.add_argument("shift", nargs="?", help="seconds, or with a unit: +400d, -2h, 30m; or `reset`")
    clock.add_argument("--node", help="a node's name or address: shift only its clock, in addition to the lab's")
    syslog = command("syslog", _syslog, "send the nodes' alarms to a syslog server over UDP")
    syslog.add_argument("server", nargs="?", help="ADDRESS:PORT, or an empty string to send nothing")
    syslog.add_argument("--certificates", action="store_true", help="run the certificate monitor of every node now")
    dump = command("dump", _dump, "print the clusters' databases as JSON")
    dump.add_argument("cluster", nargs="?")
    dump.add_argument(
        "--stable",
        action="store_true",
        help="leave out what differs between identical runs, such as IDs and timestamps",
    )
    ca = command("ca", _ca, "act as the CA's administrator: list, issue or deny pending requests")
    ca.add_argument("what", choices=["list", "issue", "deny"])
    ca.add_argument("request", nargs="?", type=int)
    ca.add_argument("--ca", help="the CA's name in the scenario (default: the first one)")
    csr = command("csr", _csr, "act as a person on the certificate web page: replace the pending CSR with a new one")
    csr.add_argument("node", help="a node's name or address")
    csr.add_argument("--unit", default="CallManager")
    csr.add_argument("--multi-server", action="store_true", help="a multi-server CSR, which the CLI can't make")
    csr.add_argument("--key-length", type=int)
    command("openapi", _openapi, "print the OpenAPI document of the control interface")


def _fault(options: argparse.Namespace) -> int:
    pairs = dict(item.split("=", 1) for item in options.rule if "=" in item)
    order: dict[str, Any] = {key: _number(value) for key, value in pairs.items() if not key.startswith("extra.")}
    extra = {key[6:]: _number(value) for key, value in pairs.items() if key.startswith("extra.")}
    if extra:
        order["extra"] = extra
    print(json.dumps(ask(options.state, f"fault/{options.what}", order), indent=1))
    return 0


def _number(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _clock(options: argparse.Namespace) -> int:
    order: dict[str, Any] = {}
    if options.shift == "reset":
        order = {"reset": True}
    elif options.shift:
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(options.shift[-1])
        try:
            order = {"shift": float(options.shift[:-1]) * unit if unit else float(options.shift)}
        except ValueError:
            raise ControlError(f"{options.shift!r} is not a time span; write 3600, +400d, -2h or reset.") from None
    if options.node:
        order["node"] = options.node
    answer = ask(options.state, "clock", order)
    print(f"{answer['time']} (shifted by {answer['shift']:.0f} s)")
    return 0


def _syslog(options: argparse.Namespace) -> int:
    order: dict[str, Any] = {"certificates": options.certificates}
    if options.server is not None:
        order["server"] = options.server
    answer = ask(options.state, "syslog", order)
    where = "{}:{}".format(*answer["server"]) if answer["server"] else "nowhere"
    print(f"alarms go to {where}" + (f"; {answer['sent']} sent" if options.certificates else ""))
    return 0


def _dump(options: argparse.Namespace) -> int:
    order: dict[str, Any] = {"stable": options.stable}
    if options.cluster:
        order["cluster"] = options.cluster
    print(json.dumps(ask(options.state, "dump", order), indent=1, sort_keys=True))
    return 0


def _ca(options: argparse.Namespace) -> int:
    if options.what != "list" and options.request is None:
        raise ControlError(f"Name the request to {options.what}; `cucm_lab ca list` shows the numbers.")
    order = {"what": options.what, "request": options.request, "ca": options.ca}
    print(json.dumps(ask(options.state, "ca", order), indent=1, default=str))
    return 0


def _csr(options: argparse.Namespace) -> int:
    order = {name: getattr(options, name) for name in ("node", "unit", "multi_server", "key_length")}
    print(ask(options.state, "csr", order)["csr"], end="")
    return 0


def _openapi(_options: argparse.Namespace) -> int:
    from ..openapi import document

    print(json.dumps(document(), indent=1))
    return 0
