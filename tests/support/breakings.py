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
import re
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, unescape

import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._module import PLATFORM
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell, Answer

from tests.support.module_processes import run_module
from tests.support.operator_site import Site

Mend = Callable[[], object]
CONNECTION = (
    "cucm_host", "cucm_os_username", "cucm_os_password", "cucm_ssh_port", "cucm_ssh_known_hosts", "cucm_legacy_crypto",
)  # fmt: skip
APPLICATION = ("cucm_host", "cucm_username", "cucm_password", "cucm_port", "cucm_ca_path", "cucm_legacy_crypto")
DAY = 86_400
CALLMANAGER = "Cisco CallManager"
SECURE = {"securityMode": "Encrypted", "incomingTransport": "TLS", "outgoingTransport": "TLS"}
OPEN = {"securityMode": "Non Secure", "incomingTransport": "TCP+UDP", "outgoingTransport": "TCP"}


@dataclass(frozen=True, eq=False)
class Pair:
    """Two clusters of a site with a trunk to each other; what is broken concerns calls from a to b."""

    site: Site
    a: str = "cucma"
    b: str = "cucm10"

    @property
    def releases(self) -> tuple[str, str]:
        """The releases of a and b."""
        known = {one["name"]: one["release"] for one in self.site.lab.description["clusters"]}
        return known[self.a], known[self.b]

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
        """The answer to an AXL request to a cluster as any client makes it."""
        version = next(
            cluster["axl_version"] for cluster in self.site.lab.description["clusters"] if cluster["name"] == name
        )
        body = (
            f'<ns:{operation} xmlns:ns="http://www.cisco.com/AXL/API/{version}">{xml(fields)}</ns:{operation}>'
        )  # fmt: skip
        return self._soap(name, "/axl/", f"CUCM:DB ver={version} {operation}", body)

    def deploy(self, name: str, how: str, service: str) -> None:
        """Activate (`Deploy`) or deactivate (`UnDeploy`) a service on the publisher, and wait until that is done."""
        body = (
            '<s:soapDoServiceDeployment xmlns:s="http://schemas.cisco.com/ast/soap"><s:DeploymentServiceRequest>'
            f"<s:NodeName/><s:DeployType>{how}</s:DeployType><s:ServiceList><s:item>{service}</s:item></s:ServiceList>"
            "</s:DeploymentServiceRequest></s:soapDoServiceDeployment>"
        )
        self._soap(name, "/controlcenterservice2/services/ControlCenterServices", "soapDoServiceDeployment", body)
        self.wait_for(name, service, "Started" if how == "Deploy" else "Stopped")

    def wait_for(self, name: str, service: str, status: str, seconds: float = 60) -> None:
        """Waits until a service has this status on all nodes of a cluster."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            (cluster,) = [one for one in self.site.lab.ask("status")["clusters"] if one["name"] == name]
            if all(node["services"][service] == status for node in cluster["nodes"]):
                return
            time.sleep(0.2)
        raise AssertionError(f"{service} of {name} did not become {status}")

    def shell(self, name: str) -> AdminShell:
        """A log-in to the CLI of the publisher."""
        defaults = {key: option.get("default") for key, option in PLATFORM.options.items()}
        return AdminShell.from_params(defaults | self._known(name, CONNECTION))

    def _soap(self, name: str, path: str, action: str, body: str) -> str:
        """The answer of an interface; TLS 1.0 is what 9.1 and 10.5 speak."""
        host = self.host(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        account = base64.b64encode(f"{host['cucm_username']}:{host['cucm_password']}".encode()).decode()
        envelope = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
            f"{body}</soapenv:Body></soapenv:Envelope>"
        )
        connection = http.client.HTTPSConnection(host["cucm_host"], 8443, context=context, timeout=60)
        connection.request(
            "POST", path, envelope.encode(),
            {"Content-Type": "text/xml", "SOAPAction": f'"{action}"', "Authorization": f"Basic {account}"},
        )  # fmt: skip
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text

    def _known(self, name: str, variables: tuple[str, ...]) -> dict[str, Any]:
        """These variables of the inventory as options of a module."""
        return {key.removeprefix("cucm_"): value for key, value in self.host(name).items() if key in variables}

    def reset(self, name: str) -> None:
        """Resets the trunk of a cluster to its peer, the way that every release has."""
        self.axl(name, "doDeviceReset", deviceName=f"SIP-TLS-{self.peer(name)}", isHardReset=True)

    def task(self, name: str, called: str, connection: tuple[str, ...], /, **options: Any) -> None:
        """One task of a module on a cluster, which changes something."""
        result = run_module(called, **self._known(name, connection), **options)
        assert result.get("changed"), result


def xml(value: Any) -> str:
    """Fields as elements, in their order."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{xml(part)}</{key}>" for key, part in value.items())
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _trunk(pair: Pair, name: str, *, reset: bool = True, **fields: Any) -> None:
    pair.axl(name, "updateSipTrunk", name=f"SIP-TLS-{pair.peer(name)}", **fields)
    if reset:
        pair.reset(name)


def _profile(pair: Pair, name: str, *, reset: bool = True, **fields: Any) -> None:
    pair.axl(name, "updateSipTrunkSecurityProfile", name=f"SIP TLS {pair.peer(name)}", **fields)
    if reset:
        pair.reset(name)


def _destination(pair: Pair, address: str, port: int = 5061, *, reset: bool = True) -> None:
    wanted = {"addressIpv4": address, "port": port, "sortOrder": 1}
    _trunk(pair, pair.a, reset=reset, destinations={"destination": wanted})


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
    _callmanager(pair, "stopped")
    return functools.partial(_callmanager, pair, "started")


def _callmanager(pair: Pair, state: str) -> None:
    """Brings Cisco CallManager on the peer into a state of cucm_service."""
    pair.task(pair.b, "cucm_service", APPLICATION, name=CALLMANAGER, state=state)


def _accepted_names(pair: Pair) -> str:
    """The names that the profile accepts, as CUCM has them."""
    answer = pair.axl(pair.a, "getSipTrunkSecurityProfile", name=f"SIP TLS {pair.b}")
    found = re.search(r"<x509SubjectName>([^<]*)</x509SubjectName>", answer)
    assert found, answer
    return unescape(found[1])


def wrong_name(pair: Pair, *, reset: bool = True) -> Mend:
    """Has the profile accept another name than those of the peer's certificate."""
    names = _accepted_names(pair)
    _profile(pair, pair.a, reset=reset, x509SubjectName="somebody.else")
    return lambda: _profile(pair, pair.a, x509SubjectName=names)


def corrected_name(pair: Pair) -> Mend:
    """Has the profile accept the right name again, without a reset after it accepted another one."""
    names = _accepted_names(pair)
    wrong_name(pair)
    # The refusal has to be in the traces.
    time.sleep(2)
    _profile(pair, pair.a, reset=False, x509SubjectName=names)
    return lambda: pair.reset(pair.a)


def _nowhere(pair: Pair) -> str:
    """An address of the net where nobody is."""
    return pair.site.lab.address(pair.a).rsplit(".", 1)[0] + ".77"


def elsewhere(pair: Pair, *, reset: bool = True) -> Mend:
    """Points the trunk to an address of the net where nobody is."""
    _destination(pair, _nowhere(pair), reset=reset)
    return lambda: _destination(pair, pair.site.lab.address(pair.b))


def corrected_destination(pair: Pair) -> Mend:
    """Points the trunk to the peer again, without a reset after it pointed elsewhere."""
    elsewhere(pair)
    _destination(pair, pair.site.lab.address(pair.b), reset=False)
    return lambda: pair.reset(pair.a)


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
    answer = _call(pair)
    assert answer["result"] == "failed", answer
    return mend


def _call(pair: Pair) -> dict[str, Any]:
    """A call from a phone of a to one of b."""
    return pair.site.call(pair.a, *(str(pair.host(name)["cucm_local_patterns"][0]) for name in (pair.a, pair.b)))


def at_peer(breaking: Callable[[Pair], Mend], pair: Pair) -> Mend:
    """The same at the other end of the trunk."""
    return breaking(pair.back)


def plain(pair: Pair, *, reset: bool = True, **fields: str) -> Mend:
    """Takes encryption out of the trunk's profile, or gives the profile these fields."""
    _profile(pair, pair.a, reset=reset, **(fields or OPEN))
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


def hidden_phones(pair: Pair) -> Mend:
    """Moves the phones of the peer to a partition that its trunk does not search."""
    return _in_partition(pair, pair.b, "Line", "Hidden phones")


def hidden_pattern(pair: Pair) -> Mend:
    """Moves the route pattern to the peer to a partition that no phone searches."""
    return _in_partition(pair, pair.a, "RoutePattern", "Hidden patterns")


def _in_partition(pair: Pair, name: str, kind: str, partition: str) -> Mend:
    """Moves the objects of this kind with the number of the peer's phones to a partition of their own."""
    number = str(pair.host(pair.b)["cucm_local_patterns"][0])
    pair.axl(name, "addRoutePartition", routePartition={"name": partition})
    pair.axl(name, f"update{kind}", pattern=number, newRoutePartitionName=partition)
    # 404, unless the trunk is broken as well.
    answer = _call(pair)
    assert answer["result"] == "failed", answer

    def mend() -> None:
        pair.axl(name, f"update{kind}", pattern=number, routePartitionName=partition, newRoutePartitionName="")
        pair.axl(name, "removeRoutePartition", name=partition)

    return mend


def not_activated(pair: Pair) -> Mend:
    """Deactivates Cisco CallManager on the peer."""
    pair.deploy(pair.b, "UnDeploy", CALLMANAGER)
    return functools.partial(pair.deploy, pair.b, "Deploy", CALLMANAGER)


def high_minimum(pair: Pair) -> Mend:
    """Raises the minimum TLS version of the peer above all that this end supports (see NO_VERSION)."""
    with pair.shell(pair.b) as shell:
        found = re.search(r"\b1\.[0-3]\b", shell.run("show tls min-version"))
    assert found
    wanted = "1.3" if pair.releases[1] == "15SU2" else "1.2"

    def minimum(version: str) -> None:
        with pair.shell(pair.b) as shell:
            shell.run(f"set tls min-version {version}", [Answer(re.compile("yes/no"), "yes")])
        # The restart begins once the command has ended.
        time.sleep(1)
        pair.wait_for(pair.b, CALLMANAGER, "Started")

    minimum(wanted)
    return functools.partial(minimum, found[0])


def strong_ciphers(pair: Pair) -> Mend:
    """Sets the peer's TLS Ciphers to those that a release before 11.0 does not support."""

    def allow(value: str) -> None:
        pair.axl(
            pair.b, "executeSQLUpdate",
            sql=f"update processconfig set paramvalue = '{value}' where paramname = 'TLSCiphers'",
        )  # fmt: skip
        pair.reset(pair.a)

    allow("Strongest-AES-256 SHA-384 Only: RSA Preferred")
    return functools.partial(allow, "All Ciphers RSA Preferred")


def regenerated(pair: Pair) -> Mend:
    """Has the peer make a self-signed certificate in place of the CA's, as somebody does who sees that it ends soon."""
    with pair.shell(pair.b) as shell:
        shell.run("set cert regen CallManager", [Answer(re.compile(r"yes\|no"), "yes")])
    _callmanager(pair, "restarted")

    def signed() -> None:
        """Has the CA sign again."""
        platform = pair._known(pair.b, CONNECTION)
        request = run_module("cucm_csr", **platform)
        answer = run_module("ca_sign", provider="local", path=str(pair.site.ca), csr=request["csr"])
        pair.task(
            pair.b, "cucm_cert_upload", CONNECTION, certificate=answer["certificate"], chain=answer["chain"],
            csr=request["csr"],
        )  # fmt: skip
        _callmanager(pair, "restarted")

    return signed


def _handshake(action: str, **extra: Any) -> Callable[[Pair], Mend]:
    return functools.partial(fault, action=action, operation="handshake", **({"extra": extra} if extra else {}))


def _options(action: str, **rule: Any) -> Callable[[Pair], Mend]:
    return functools.partial(fault, action=action, operation="OPTIONS", **rule)


#: the releases of pairs of which the second can have settings that the first does not support
NO_VERSION = (("9.1", "14"), ("10.5", "14"), ("14", "15SU2"))
NO_CIPHER = (("9.1", "14"), ("10.5", "14"))
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
    # What several settings of a cluster do.
    "the peer's phones are in a partition that its trunk does not search": hidden_phones,
    "the pattern is in a partition that no phone searches": hidden_pattern,
    "Cisco CallManager is not activated": not_activated,
    "the peer's certificate was regenerated": regenerated,
    "the peer's minimum TLS version is too high": high_minimum,
    "the peer's ciphers are too strong": strong_ciphers,
}
#: settings that were changed without a reset: corrected ones of a trunk that is down, wrong ones of a trunk that works
UNRESET: tuple[Callable[[Pair], Mend], ...] = (
    corrected_name, corrected_destination, functools.partial(wrong_name, reset=False),
    functools.partial(elsewhere, reset=False), functools.partial(plain, reset=False),
)  # fmt: skip
#: breakings that need certain releases
NEEDS = {"the peer's minimum TLS version is too high": NO_VERSION, "the peer's ciphers are too strong": NO_CIPHER}


def settle(pairs: Iterable[Pair], seconds: float = 60) -> None:
    """Waits until all trunks of these pairs are in service again, and has a call answered over each.

    Without it, the last call that traces show would be one that failed.
    """
    pairs = list(pairs)
    for pair in pairs:
        pair.reset(pair.a)
        pair.reset(pair.b)
    ours = {name for pair in pairs for name in (pair.a, pair.b)}
    end = time.monotonic() + seconds
    while not _in_service(trunks := _trunks(pairs[0].site, ours)):
        assert time.monotonic() < end, f"the trunks did not come back: {trunks}"
        time.sleep(0.3)
    for pair in pairs:
        answer = _call(pair)
        assert answer["result"] == "answered", answer


def _trunks(site: Site, clusters: set[str]) -> list[Any]:
    found = site.lab.ask("status")["clusters"]
    return [trunk for cluster in found if cluster["name"] in clusters for trunk in cluster["trunks"]]


def _in_service(trunks: list[Any]) -> bool:
    return bool(trunks) and all(trunk["status"] == "Registered" for trunk in trunks)
