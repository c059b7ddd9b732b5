# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters by PerfMon: how many SIP trunks of a node are connected over TLS. Private."""

from __future__ import annotations

from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import soap
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.soap import element

PATH = "/perfmonservice2/services/PerfmonService"
CALLMANAGER = "Cisco CallManager"
# What of the object says something of SIP over TLS.
COUNTERS = ("TLSConnectedSIPTrunks", "EncryptedCallsActive", "EncryptedCallsCompleted", "CallsActive", "CallsCompleted")


def counters(client: HttpClient, node: str, wanted: tuple[str, ...] = COUNTERS) -> dict[str, int]:
    """The counters of Cisco CallManager on a node; those that its release does not have are missing."""
    body = element("perfmonCollectCounterData", inner=element("Host", node) + element("Object", CALLMANAGER))
    answer = soap.call(client, PATH, "perfmonCollectCounterData", body, "The counters of Cisco CallManager (PerfMon)")
    found: dict[str, int] = {}
    for entry in soap.find_all(answer.body, "perfmonCollectCounterDataReturn"):
        # A name is \\host\Object\Counter or \\host\Object(Instance)\Counter.
        name = (soap.text_of(entry, "Name") or "").rpartition("\\")[2]
        value = soap.text_of(entry, "Value") or ""
        if name in wanted and value.lstrip("-").isdecimal():
            found[name] = int(value)
    return found
