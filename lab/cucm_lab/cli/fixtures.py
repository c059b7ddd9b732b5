# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real clusters answered, held against the lab: learn, replay."""

from __future__ import annotations

import argparse
import json
import os
import signal
from pathlib import Path
from typing import Any

from ..control import ControlError
from ..outputs import INVENTORY, LAB
from .commands import Command


def add(command: Command) -> None:
    """Its commands."""
    learn = command("learn", _learn, "compare what a real cluster answered (playbook truth.yml) with the lab's table")
    learn.add_argument("file", type=Path)
    learn.add_argument("--patch", type=Path, metavar="FILE", help="write a patch of the table to this file")
    replay = command("replay", _replay, "serve exchanges that clients recorded (CUCM_RECORD), or ask the lab the same")
    replay.add_argument("folder", type=Path)
    replay.add_argument("--net", default=os.environ.get("CUCM_LAB_NET", "127.0"), help="first two octets, e.g. 127.37")
    replay.add_argument(
        "--compare", action="store_true", help="ask the running lab the same, and show where it answers differently"
    )


def _learn(options: argparse.Namespace) -> int:
    from .. import learning

    try:
        answers = learning.load(options.file)
    except learning.LearningError as error:
        raise ControlError(str(error)) from None
    found = learning.differences(answers["answers"])
    for lesson in found:
        print(f"{lesson.row} ({lesson.what})\n  the lab: {lesson.inferred!r}\n  seen:    {lesson.seen!r}")
    print(f"{len(found)} rows of the table differ from what the cluster answered ({answers['release']}).")
    if found and options.patch:
        options.patch.write_text(learning.patch(found), encoding="utf-8")
        print(f"{options.patch} is the patch; for a scenario:\n{learning.overrides(found)}")
    return 0


def _replay(options: argparse.Namespace) -> int:
    from .. import replay

    try:
        exchanges = replay.load(options.folder)
    except replay.FixtureError as error:
        raise ControlError(str(error)) from None
    return _compared(options, exchanges) if options.compare else _replayed(options, exchanges)


def _replayed(options: argparse.Namespace, exchanges: list[Any]) -> int:
    import asyncio

    from ..replay import serve

    def ready(described: dict[str, Any]) -> None:
        for name, address in described["nodes"].items():
            print(f"  {name} at {address}, https {described['https']}, ssh {described['ssh']}", flush=True)
        print(f"{described['exchanges']} exchanges; {options.state}/replay.json has the addresses.", flush=True)

    async def run() -> int:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        try:
            await serve(exchanges, options.state, options.net, ready, ended)
        except OSError as error:
            raise ControlError(
                f"The fixtures cannot be served on {options.net}: {error.strerror or error}. Choose another --net."
            ) from None
        return 0

    return asyncio.run(run())


def _compared(options: argparse.Namespace, exchanges: list[Any]) -> int:
    import asyncio

    from ..replay import compare

    found = asyncio.run(compare(exchanges, _places(options.state, exchanges)))
    for difference in found:
        print(difference.title)
        for what, parts in (("only the fixture", difference.missing), ("only the lab", difference.added)):
            print("".join(f"  {what}: {part}\n" for part in parts), end="")
    print(f"{len(found)} requests are answered differently by the lab.")
    return 1 if found else 0


def _places(state: Path, exchanges: list[Any]) -> dict[str, Any]:
    """The lab's nodes for those of the fixtures: by name or address, the others by the lab's first publisher."""
    import yaml

    from ..replay.compare import Access

    try:
        lab = json.loads((state / LAB).read_text())
        hosts = yaml.safe_load((state / INVENTORY).read_text())["cucm_clusters"]["hosts"]
    except OSError:
        raise ControlError(f"No lab runs in {state}; start one with `cucm_lab up --state {state}`.") from None
    known: dict[str, Access] = {}
    first: Access | None = None
    for cluster in lab["clusters"]:
        host = hosts[cluster["name"]]
        for node in cluster["nodes"]:
            access = Access(
                node["address"], lab["ports"]["https"], lab["ports"]["ssh"],
                (host["cucm_username"], host["cucm_password"]), (host["cucm_os_username"], host["cucm_os_password"]),
            )  # fmt: skip
            first = first or access
            known |= dict.fromkeys((node["name"], node["fqdn"], node["address"]), access)
    return {exchange.node: known.get(exchange.node, first) for exchange in exchanges}
