# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break the trunk between two clusters of a lab that are set up, each with its mending.

A breaking is made on a pair of clusters alone, so that one lab can have several pairs, each broken in another way.
"""

from __future__ import annotations

import base64
import functools
import http.client
import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, unescape

import yaml

from tests.support.operator_site import Site

Mend = Callable[[], object]
CONNECTION = (
    "cucm_host", "cucm_os_username", "cucm_os_password", "cucm_ssh_port", "cucm_ssh_known_hosts", "cucm_legacy_crypto",
)  # fmt: skip
APPLICATION = ("cucm_host", "cucm_username", "cucm_password", "cucm_port", "cucm_ca_path", "cucm_legacy_crypto")
DAY = 86_400
SECURE = {"securityMode": "Encrypted", "incomingTransport": "TLS", "outgoingTransport": "TLS"}
OPEN = {"securityMode": "Non Secure", "incomingTransport": "TCP+UDP", "outgoingTransport": "TCP"}


@dataclass(frozen=True, eq=False)
class Pair:
    """Two clusters of a site with a trunk to each other; what is broken concerns calls from a to b."""

    site: Site
    a: str = "cucma"
    b: str = "cucm10"

    def peer(self, name: str) -> str:
        """The other cluster."""
        return self.b if name == self.a else self.a

    @property
    def back(self) -> Pair:
        """The same, seen from the other end."""
        return Pair(self.site, self.b, self.a)

    def host(self, name: str) -> dict[str, Any]:
        """What the inventory says of a cluster."""
        text = self.site.lab.inventory.read_text()
        found: dict[str, Any] = yaml.safe_load(text)["cucm_clusters"]["hosts"][name]
        return found

    def axl(self, name: str, operation: str, /, **fields: Any) -> str:
        """The answer to an AXL request to a cluster as any client makes it; TLS 1.0 is what 9.1 and 10.5 speak."""
        host = self.host(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        account = base64.b64encode(f"{host['cucm_username']}:{host['cucm_password']}".encode()).decode()
        version = next(
            cluster["axl_version"] for cluster in self.site.lab.description["clusters"] if cluster["name"] == name
        )
        body = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            f'xmlns:ns="http://www.cisco.com/AXL/API/{version}"><soapenv:Body><ns:{operation}>{xml(fields)}'
            f"</ns:{operation}></soapenv:Body></soapenv:Envelope>"
        )
        connection = http.client.HTTPSConnection(host["cucm_host"], 8443, context=context, timeout=60)
        connection.request(
            "POST", "/axl/", body.encode(),
            {"Content-Type": "text/xml", "SOAPAction": f'"CUCM:DB ver={version} {operation}"',
             "Authorization": f"Basic {account}"},
        )  # fmt: skip
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text

    def reset(self, name: str) -> None:
        """Resets the trunk of a cluster to its peer, the way that every release has."""
        self.axl(name, "doDeviceReset", deviceName=f"SIP-TLS-{self.peer(name)}", isHardReset=True)

    def task(self, name: str, called: str, connection: tuple[str, ...], /, **options: Any) -> None:
        """One task of a module on a cluster, which changes something."""
        known = {key.removeprefix("cucm_"): value for key, value in self.host(name).items() if key in connection}
        order = [
            sys.executable, "-m", "ansible", "adhoc", name, "-i", str(self.site.lab.inventory), "-c", "local",
            "-m", f"siptls.cucm.{called}", "-a", json.dumps({**known, **options}),
        ]  # fmt: skip
        environment = self.site.environment()
        done = subprocess.run(order, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert "CHANGED" in done.stdout, done.stdout + done.stderr


def xml(value: Any) -> str:
    """Fields as elements, in their order."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{xml(part)}</{key}>" for key, part in value.items())
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _trunk(pair: Pair, name: str, **fields: Any) -> None:
    pair.axl(name, "updateSipTrunk", name=f"SIP-TLS-{pair.peer(name)}", **fields)
    pair.reset(name)


def _profile(pair: Pair, name: str, **fields: Any) -> None:
    pair.axl(name, "updateSipTrunkSecurityProfile", name=f"SIP TLS {pair.peer(name)}", **fields)
    pair.reset(name)


def _destination(pair: Pair, address: str, port: int = 5061) -> None:
    wanted = {"addressIpv4": address, "port": port, "sortOrder": 1}
    _trunk(pair, pair.a, destinations={"destination": wanted})


def fault(pair: Pair, **rule: Any) -> Mend:
    """A fault of the lab at the peer's SIP ports."""
    made = pair.site.lab.ask("fault/add", interface="sip", node=pair.b, **rule)
    return lambda: pair.site.lab.ask("fault/clear", id=made["id"])


def clocks(pair: Pair, days: float, ends: str = "ab") -> Mend:
    """Moves the clocks of both clusters, or of one."""

    def move(days: float) -> None:
        for name in (getattr(pair, end) for end in ends):
            pair.site.lab.ask("clock", node=pair.site.lab.address(name), shift=days * DAY)

    move(days)
    return functools.partial(move, -days)


def untrusted(pair: Pair) -> Mend:
    """Takes the CA out of the peer's trust store."""

    def trust(state: str) -> None:
        ca = (pair.site.ca / "ca.pem").read_text()
        pair.task(pair.b, "cucm_cert_upload", CONNECTION, purpose="CallManager", chain=[ca], state=state)

    trust("absent")
    return functools.partial(trust, "present")


def stopped(pair: Pair) -> Mend:
    """Stops Cisco CallManager on the peer."""

    def callmanager(state: str) -> None:
        pair.task(pair.b, "cucm_service", APPLICATION, name="Cisco CallManager", state=state)

    callmanager("stopped")
    return functools.partial(callmanager, "started")


def wrong_name(pair: Pair) -> Mend:
    """Has the profile accept another name than those of the peer's certificate."""
    answer = pair.axl(pair.a, "getSipTrunkSecurityProfile", name=f"SIP TLS {pair.b}")
    found = re.search(r"<x509SubjectName>([^<]*)</x509SubjectName>", answer)
    assert found, answer
    _profile(pair, pair.a, x509SubjectName="somebody.else")
    return lambda: _profile(pair, pair.a, x509SubjectName=unescape(found[1]))


def elsewhere(pair: Pair) -> Mend:
    """Points the trunk to an address of the net where nobody is."""
    address = pair.site.lab.address(pair.a).rsplit(".", 1)[0] + ".77"
    _destination(pair, address)
    return lambda: _destination(pair, pair.site.lab.address(pair.b))


def wrong_port(pair: Pair) -> Mend:
    """Points the trunk to the peer's port for SIP without TLS."""
    address = pair.site.lab.address(pair.b)
    _destination(pair, address, 5060)
    return lambda: _destination(pair, address)


def unknown_host(pair: Pair) -> Mend:
    """Points the trunk to a name that no DNS server knows."""
    _destination(pair, "cucm.nowhere.invalid")
    return lambda: _destination(pair, pair.site.lab.address(pair.b))


def refused_call(pair: Pair) -> Mend:
    """Has the peer refuse calls with 503, and places one."""
    mend = fault(pair, action="status", operation="INVITE", status=503)
    numbers = [str(pair.host(name)["cucm_local_patterns"][0]) for name in (pair.a, pair.b)]
    answer = pair.site.call(pair.a, *numbers)
    assert answer["result"] == "failed", answer
    return mend


def at_peer(breaking: Callable[[Pair], Mend], pair: Pair) -> Mend:
    """The same at the other end of the trunk."""
    return breaking(pair.back)


def plain(pair: Pair, **fields: str) -> Mend:
    """Takes encryption out of the trunk's profile, or gives the profile these fields."""
    _profile(pair, pair.a, **(fields or OPEN))
    return lambda: _profile(pair, pair.a, **SECURE)


def no_srtp(pair: Pair) -> Mend:
    """Forbids SRTP on the trunk."""
    _trunk(pair, pair.a, srtpAllowed=False)
    return lambda: _trunk(pair, pair.a, srtpAllowed=True)


def not_routed(pair: Pair) -> Mend:
    """Changes the route pattern to the phones of the peer."""
    number = str(pair.host(pair.b)["cucm_local_patterns"][0])

    def pattern(now: str, new: str) -> None:
        pair.axl(pair.a, "updateRoutePattern", pattern=now, newPattern=new)

    pattern(number, "7777")
    return functools.partial(pattern, "7777", number)


def _handshake(action: str, **extra: Any) -> Callable[[Pair], Mend]:
    return functools.partial(fault, action=action, operation="handshake", **({"extra": extra} if extra else {}))


def _options(action: str, **rule: Any) -> Callable[[Pair], Mend]:
    return functools.partial(fault, action=action, operation="OPTIONS", **rule)


#: what is broken -> how
BREAKINGS: dict[str, Callable[[Pair], Mend]] = {
    "untrusted CA": untrusted,
    "name mismatch": wrong_name,
    "another certificate is active": _handshake("wrong_certificate"),
    "an expired certificate is active": _handshake("wrong_certificate", how="expired"),
    "certificates expired": functools.partial(clocks, days=1200),
    "no mutual authentication": functools.partial(fault, action="refuse", operation="client-certificate"),
    "the trunk points elsewhere": elsewhere,
    "a trunk that only looks like TLS": plain,
    "SRTP off": no_srtp,
    "calls not routed": not_routed,
    "Cisco CallManager is stopped": stopped,
    # The other end of the same things.
    "untrusted CA of the peer": functools.partial(at_peer, untrusted),
    "name mismatch at the peer": functools.partial(at_peer, wrong_name),
    "the peer's trunk points elsewhere": functools.partial(at_peer, elsewhere),
    "the peer's trunk only looks like TLS": functools.partial(at_peer, plain),
    "SRTP off at the peer": functools.partial(at_peer, no_srtp),
    # Other values of the same settings.
    "the trunk points to another port": wrong_port,
    "the trunk points to an unknown name": unknown_host,
    "Authenticated is not Encrypted": functools.partial(plain, **SECURE | {"securityMode": "Authenticated"}),
    "a certificate with another name is active": _handshake("wrong_certificate", how="name"),
    "the peer's clock is behind": functools.partial(clocks, days=-400, ends="b"),
    "the peer's clock is ahead": functools.partial(clocks, days=1200, ends="b"),
    # What the lab's faults do to a connection.
    "connections are reset": functools.partial(fault, action="reset", operation="accept"),
    "the handshake is refused": _handshake("refuse"),
    "the handshake stalls": _handshake("stall"),
    "the handshake ends with an alert": _handshake("alert", alert=80),
    "OPTIONS are lost": _options("drop"),
    "OPTIONS are answered late": _options("stall", seconds=30),
    "OPTIONS end the connection": _options("refuse"),
    "OPTIONS reset the connection": _options("reset"),
    "OPTIONS are answered with rubbish": _options("garbage"),
    "OPTIONS are answered in part": _options("truncated"),
    "OPTIONS are refused": _options("status", status=503),
    "OPTIONS time out behind the peer": _options("status", status=408),
    "calls are refused": refused_call,
}


def settle(pairs: Iterable[Pair], seconds: float = 60) -> None:
    """Waits until all trunks of these pairs are in service again."""
    pairs = list(pairs)
    for pair in pairs:
        pair.reset(pair.a)
        pair.reset(pair.b)
    ours = {name for pair in pairs for name in (pair.a, pair.b)}
    end = time.monotonic() + seconds
    trunks: list[Any] = []
    while time.monotonic() < end:
        clusters = pairs[0].site.lab.ask("status")["clusters"]
        trunks = [trunk for each in clusters if each["name"] in ours for trunk in each["trunks"]]
        if trunks and all(trunk["status"] == "Registered" for trunk in trunks):
            return
        time.sleep(0.3)
    raise AssertionError(f"the trunks did not come back: {trunks}")
