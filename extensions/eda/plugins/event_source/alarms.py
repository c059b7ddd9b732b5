# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source: the alarms that CUCM nodes send by syslog."""

from __future__ import annotations

import asyncio
import re
from typing import Any

DOCUMENTATION = r"""
short_description: Receive the alarms that CUCM sends by syslog
description:
  - Listens for syslog over UDP. Name the controller as Remote Syslog Server of the clusters (Cisco Unified
    Serviceability, Alarm, Configuration), with the alarm level Error or lower.
  - Each alarm is an event C(alarm) with C(name), such as V(SIPTrunkOOS) or V(CertValidLessthanMonth), C(severity)
    (0 is an emergency), C(facility), C(node), C(parameters) and C(sender), the address from which it came.
  - Anybody who reaches the port can send an alarm. The rulebooks of this collection therefore start playbooks that
    compare before they act, and take no value from an alarm but the name of a cluster in the inventory.
options:
  host:
    description: Address to listen on.
    type: str
    default: 127.0.0.1
  port:
    description: UDP port to listen on.
    type: int
    default: 5514
  names:
    description: Names of the alarms that become events. The default is every alarm.
    type: list
    elements: str
"""

EXAMPLES = r"""
- siptls.cucm.alarms:
    host: 0.0.0.0
    port: 5514
    names: [SIPTrunkOOS, CertExpired]
"""

ALARM = re.compile(r"%UC_(?P<facility>\w*)-(?P<severity>\d)-(?P<name>\w+): ?%(?P<parameters>.*)", re.DOTALL)
PARAMETER = re.compile(r"\[(\w+)=((?:[^\[\]]|\[[^\[\]]*\])*)\]")
#: a datagram's size that no alarm reaches, and how many alarms wait for the rulebook
LARGEST, MOST_WAITING = 8192, 1000


def parse(data: bytes, sender: str) -> dict[str, Any] | None:
    """The event of a datagram; None where it is not an alarm of CUCM."""
    text = "".join(mark if mark.isprintable() else " " for mark in data[:LARGEST].decode("utf-8", "replace"))
    found = ALARM.search(text)
    if found is None:
        return None
    parameters = dict(PARAMETER.findall(found["parameters"]))
    return {
        "alarm": {
            "name": found["name"],
            "severity": int(found["severity"]),
            "facility": found["facility"],
            "node": parameters.get("NodeID", ""),
            "parameters": parameters,
            "sender": sender,
        }
    }


class Receiver(asyncio.DatagramProtocol):
    """Puts alarms into the queue; a queue that is full loses the newest, and nothing waits for it."""

    def __init__(self, queue: asyncio.Queue[Any], names: set[str]) -> None:
        self._queue, self._names = queue, names

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """One datagram."""
        event = parse(data, str(addr[0]))
        if event is None or (self._names and event["alarm"]["name"] not in self._names):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            return


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Listen until the rulebook ends."""
    # The rulebook's own queue holds one event; a burst waits here.
    received: asyncio.Queue[Any] = asyncio.Queue(MOST_WAITING)
    transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Receiver(received, set(args.get("names") or ())),
        local_addr=(args.get("host", "127.0.0.1"), int(args.get("port", 5514))),
    )
    try:
        while True:
            await queue.put(await received.get())
    finally:
        transport.close()
