# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of SIP trunks with its reason in words: RIS says what, the alarms in the traces say why. Private."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import reasons, selection, trace_files
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.alarms import IN_SERVICE, OUT_OF_SERVICE
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import perfmon, ris

# The newest trace files in which an alarm is looked for; 2 MB of text each.
MOST_FILES = 3
PAUSE = 2.0  # seconds; CUCM allows 15 requests to RIS per minute
GENERAL_STEP = "Look at the handshake with sip_tls_probe, at both ends' trunks, and at the traces (cucm_trace_info)."


def gather(
    client: HttpClient, names: Sequence[str], *, alarms: bool, counters: bool, minutes: int, settle: float = 0
) -> tuple[dict[str, Any], list[str]]:
    """(result, warnings) of cucm_sip_trunk_info."""
    warnings: list[str] = []
    trunks = _settled(client, names, settle)
    down = [trunk for trunk in trunks if trunk["in_service"] is False]
    last: dict[str, dict[str, Any]] = {}
    if down and alarms:
        try:
            last = _alarms(client, minutes, warnings)
        except Failure as failure:
            warnings.append(f"Why a trunk is out of service could not be looked up in the traces: {failure.msg}")
    for trunk in trunks:
        trunk.update(_why(trunk, last.get(trunk["name"])))
    result: dict[str, Any] = {"trunks": trunks, "missing": sorted(set(names) - {trunk["name"] for trunk in trunks})}
    if counters:
        try:
            result["counters"] = perfmon.counters(client, client.host)
        except Failure as failure:
            warnings.append(f"The counters could not be read: {failure.msg}")
            result["counters"] = {}
    return result, [*warnings, *client.warnings]


def _settled(client: HttpClient, names: Sequence[str], seconds: float) -> list[dict[str, Any]]:
    """The trunks once the state of each is known, or after so many seconds."""
    latest = time.monotonic() + seconds
    trunks = ris.trunks(client, names)
    while any(trunk["in_service"] is None for trunk in trunks) and time.monotonic() < latest:
        time.sleep(PAUSE)
        trunks = ris.trunks(client, names)
    return trunks


def _alarms(client: HttpClient, minutes: int, warnings: list[str]) -> dict[str, dict[str, Any]]:
    """The last alarm of each trunk, when it says that the trunk is out of service."""
    files, left_out = trace_files.wanted_files(client, None, None, minutes, MOST_FILES)
    if left_out:
        warnings.append(
            f"Only the newest {MOST_FILES} trace files were searched for alarms of trunks; {left_out} older files of "
            "the time were not read."
        )
    reader = trace_files.Reader()
    trace_files.fetch(client, [file for file in files if file.name.startswith("SDL")], reader, None)
    found = selection.summary(reader.trace, [], selection.Wanted())["alarms"]
    last = {
        alarm["trunk"]: alarm for alarm in found if alarm["trunk"] and alarm["name"] in (OUT_OF_SERVICE, IN_SERVICE)
    }
    return {trunk: alarm for trunk, alarm in last.items() if alarm["name"] == OUT_OF_SERVICE}


def _why(trunk: dict[str, Any], alarm: dict[str, Any] | None) -> dict[str, Any]:
    """Destinations with their reasons, and one reason with its next step for the trunk."""
    if trunk["in_service"] is not False:
        return {"destinations": [], "reason": None, "meaning": None, "next_step": None}
    peers = (alarm or {}).get("peers") or []
    stated = next((peer for peer in peers if peer.get("reason")), None) or reasons.explain(trunk["description"])
    return {
        "destinations": peers,
        "reason": stated["reason"],
        "meaning": stated["meaning"] or trunk["status_text"],
        "next_step": stated["next_step"] or GENERAL_STEP,
    }
