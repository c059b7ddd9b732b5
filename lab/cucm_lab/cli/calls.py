# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a lab, and calls: status, call, calls."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..control import ask
from .commands import Command


def add(command: Command) -> None:
    """Its commands."""
    status = command("status", _status, "what runs")
    status.add_argument("--json", action="store_true")
    status.add_argument(
        "--wait-for-trunks", type=float, default=0, metavar="SECONDS",
        help="wait until no trunk is out of service, or so many seconds",
    )  # fmt: skip
    call = command("call", _call, "place a call: from a cluster's phone to a number")
    call.add_argument("cluster")
    call.add_argument("calling")
    call.add_argument("called")
    call.add_argument("--hold", type=float, default=0.0, metavar="SECONDS", help="talk so long before hanging up")
    call.add_argument("--json", action="store_true")
    calls = command("calls", _calls, "place a call from each cluster to every other one")
    calls.add_argument("--until", type=Path, metavar="FILE", help="again and again, until this file exists")
    calls.add_argument("--pause", type=float, default=2, help="seconds between two rounds (default: 2)")
    calls.add_argument("--json", action="store_true")


def _trunks_out_of_service(status: Mapping[str, Any]) -> bool:
    """Whether a trunk's pings have no answer, or none yet: after a restart some seconds pass before the first."""
    return any(trunk["status"] == "UnRegistered" for cluster in status["clusters"] for trunk in cluster["trunks"])


def _status(options: argparse.Namespace) -> int:
    deadline = time.monotonic() + options.wait_for_trunks
    status = ask(options.state, "status")
    while _trunks_out_of_service(status) and time.monotonic() < deadline:
        time.sleep(0.5)
        status = ask(options.state, "status")
    if options.json:
        print(json.dumps(status, indent=1))
        return 0
    print(
        f"Scenario {status['scenario']}, process {status['pid']}, lab time {status['time']}, {status['faults']} faults"
    )
    for cluster in status["clusters"]:
        print(f"{cluster['name']}: {cluster['version']}, extensions {', '.join(cluster['phones']) or 'none'}")
        for phone in cluster["registrations"]:
            how = "encrypted" if phone["encrypted"] else "not encrypted"
            where = f"registered with {phone['node']}" if phone["node"] else f"NOT registered: {phone['reason']}"
            print(f"  phone {phone['phone']} ({how}): {where}")
        for trunk in cluster["trunks"]:
            print(f"  trunk {trunk['name']} on {trunk['node']}: {trunk['status']} ({trunk['transport']})")
        for node in cluster["nodes"]:
            stopped = [
                f"{name} {state}{node['reasons'][name]}"
                for name, state in node["services"].items()
                if state != "Started"
            ]
            odd = ", ".join(stopped) or "all services started"
            print(f"  {node['name']:<10} {node['address']:<13} {node['role']:<10} {odd}")
    return 0


def _call(options: argparse.Namespace) -> int:
    order = {"cluster": options.cluster, "calling": options.calling, "called": options.called, "hold": options.hold}
    result = ask(options.state, "call", order, timeout=60 + options.hold)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print("\n".join(_told(result)))
    return 0 if result.get("result") == "answered" else 2


def _calls(options: argparse.Namespace) -> int:
    from .. import rounds

    if options.until:
        placed = rounds.until(options.state, options.until.absolute(), options.pause)
    else:
        placed = rounds.one_round(options.state)
    rows = rounds.summary(placed)
    if options.json:
        print(json.dumps({"summary": rows, "calls": placed}, indent=1))
    else:
        for row in rows:
            why = f": {row['reason']}" if row["reason"] else ""
            print(f"{row['from']} to {row['to']}: {row['answered']} of {row['calls']} calls answered{why}")
    return 0 if all(row["answered"] == row["calls"] for row in rows) else 2


def _told(call: dict[str, Any]) -> list[str]:
    """A call in one sentence, and its steps."""
    way = f"over {call['transport']}" if call["transport"] else "inside the cluster"
    if call["tls_version"]:
        way += f" ({call['tls_version']}, {call['cipher']})"
    if call["trunk"]:
        way += f" through trunk {call['trunk']}, from {call['node']} to {call['peer']}"
    if call["result"] == "answered":
        end = f"answered {way}, {'with SRTP' if call['srtp'] else 'with plain RTP'}"
    elif call["result"] == "lost":
        end = f"answered {way}, and lost: {call['reason']}"
    else:
        status = f" {call['status']}" if call["status"] else ""
        end = f"failed{status}: {call['reason']}" + (f" ({way})" if call["transport"] else "")
    return [f"{call['from']} called {call['to']}: {end}", *(f"  {step}" for step in call["steps"])]
