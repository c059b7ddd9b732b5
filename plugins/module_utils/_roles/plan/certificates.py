# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a change document that renew CallManager certificates, in the order of Cisco document 214231. Pure.

That order is: check the phones, certificate on each node (publisher first), CTL file in mixed mode, reset of encrypted
phones, Cisco CallManager and then the other services, service by service, where they run, reset of all phones. What a
run does not do itself is a step of kind manual. Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._releases import features
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import (
    COMMAND,
    ITL_SIGNER,
    secure_phones,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.restarts import by_service
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import CALLMANAGER
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.registered import (
    Csr,
    Holder,
    RunFacts,
    Signed,
    ran,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.steps import Row, Step, row, step
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC

NEW_CA = "the new local CA"
#: what the restart of a service other than Cisco CallManager means
EFFECTS = {
    "Cisco CTIManager": "Calls go on. Applications that control phones connect to another node or wait.",
    "Cisco Trust Verification Service": "Calls go on. Phones verify certificates with another node meanwhile.",
    "Cisco Tftp": "Calls go on. A phone that starts meanwhile gets its files from another TFTP node or waits.",
    "Cisco HAProxy": "Calls go on. Phones that load files over HTTPS (ports 6971 and 6972) wait.",
}
_WOULD = re.compile(r"^would ")
_BEFORE = "Check that all phones are powered on and registered"
_CTL = f"Update the CTL file ({COMMAND}) and read it back"
_RESET_ALL = "System > Enterprise Parameters > Reset, or Device > Phone > Reset Selected"
_AFTER = f"Reset all phones ({_RESET_ALL}), and check in RTMT that they register again"


def certificate_steps(facts: RunFacts) -> Iterator[Step]:
    """Every step of a cluster that belongs to its certificates."""
    uploads = [*_requests(facts), *_uploads(facts)]
    ctl = [*_ctl(facts)] if uploads or _ctl_changes(facts) else []
    restarts = [*_restarts(facts)]
    phones = [*uploads, *ctl, *restarts]
    if uploads:
        yield step("manual", _BEFORE, where="RTMT", effect=_before(cluster_of(facts)))
    yield from phones
    if phones:
        yield step("manual", _AFTER, where="Cisco Unified CM Administration", effect=_after(cluster_of(facts)))


def kept_certificates(facts: RunFacts) -> Iterator[str]:
    """The certificates that the run does not change."""
    for result in ran(facts.get("callmanager_certificate_csrs")):
        view = result.get("certificate") or {}
        if not result.get("needed") and view:
            yield (
                f"{_purpose(result['item'])} certificate of {result['item']['name']}: signed by {view['issuer']}, "
                f"valid to {view['not_after']}"
            )


def shipped_certificates(facts: RunFacts, releases: Mapping[str, str]) -> Iterator[str]:
    """The CallManager-ECDSA certificates that remain self-signed, and the peers that could get them.

    releases: the versions of the clusters of the plan, by name.
    """
    found = cluster_of(facts)
    if found.options.get("ecdsa") != "leave":
        return
    nodes = [
        node for node, certificate in found.ec_certificates.items() if certificate and certificate.get("self_signed")
    ]
    peers = [peer for peer in found.peers or () if _has_ecdsa(releases.get(peer, ""))]
    peers += [peer.name for peer in found.external]
    if nodes and peers:
        yield (
            f"{TRUNK_EC.name} certificate of {', '.join(nodes)}: self-signed as shipped "
            f"(callmanager_certificate_ecdsa: leave). {', '.join(peers)} would be shown it where ECDSA is chosen, and "
            "refuse it"
        )


def _has_ecdsa(version: str) -> bool:
    """Whether a peer's release has ECDSA on its SIP TLS port; yes where the release is not known."""
    return features(version).ecdsa


def cluster_of(facts: RunFacts) -> Cluster:
    """What preflight found of the cluster."""
    return Cluster.from_facts({"name": "", **(facts.get("preflight_cluster") or {})})


def _purpose(item: Holder) -> str:
    return str(item.get("purpose") or TRUNK.name)


def _requests(facts: RunFacts) -> Iterator[Step]:
    for result in ran(facts.get("callmanager_certificate_csrs")):
        if result.get("needed"):
            title = f"New {_purpose(result['item'])} certificate: {result.get('reason')}"
            yield step("certificate", title, where=result["item"]["name"], changes=_rows(facts, result))


def _uploads(facts: RunFacts) -> Iterator[Step]:
    found = []
    for result in ran(facts.get("callmanager_certificate_uploads")):
        signed = result["item"]
        for action in result.get("actions") or ():
            # A CA that does not exist yet is made up again for each certificate that is predicted.
            text = str(action).replace(str(signed["view"]["issuer"]), NEW_CA) if _to_be_made(signed) else action
            found.append((signed["name"], sentence(text)))
    # Both certificates of a node have the same CA: the second prediction does not know of the first one.
    for node, title in dict.fromkeys(found):
        yield step("certificate", title, where=node)


def sentence(action: str) -> str:
    """What a module predicted, as a sentence without its "would"."""
    text = _WOULD.sub("", str(action))
    return text[:1].upper() + text[1:]


def _rows(facts: RunFacts, csr: Csr) -> Iterator[Row]:
    """What changes of the certificate, as far as it is known before it is signed."""
    before = csr.get("certificate") or {}
    holder = csr["item"]["name"], _purpose(csr["item"])
    made = facts.get("callmanager_certificate_signed") or ()
    signed: Signed = next((result for result in made if (result["name"], _purpose(result)) == holder), Signed())
    after = dict(signed.get("view") or {})
    if _to_be_made(signed):
        after["issuer"] = NEW_CA
    for key, label in (("subject", "subject"), ("issuer", "signed by"), ("not_after", "valid to"), ("sans", "names")):
        change = row(label, before.get(key), after.get(key))
        if after and change["before"] != change["after"]:
            yield change


def _to_be_made(signed: Signed) -> bool:
    """Whether the CA that signed is one that check mode made up, because there is none yet."""
    return bool(signed.get("predicted") and signed.get("ca_created") and signed.get("view"))


def _ctl_changes(facts: RunFacts) -> bool:
    """Whether the run would update the CTL file; a plan has that as would_change."""
    found = facts.get("callmanager_certificate_ctl_file") or {}
    return bool(found.get("would_change", found.get("changed")))


def _ctl(facts: RunFacts) -> Iterator[Step]:
    """In mixed mode: the CTL file, and the phones that have to load it."""
    found = cluster_of(facts)
    if found.security_mode != "mixed":
        return
    publisher = found.publisher or "publisher"
    if found.options.get("policy") == "done":
        yield step("manual", f"Update the CTL file ({COMMAND}) after the upload and before the restarts",
                   where=publisher, effect="The run does not do it (callmanager_certificate_ctl: done).")  # fmt: skip
    elif _ctl_changes(facts):
        yield step("ctl", _CTL, where=publisher, effect="Nothing is restarted unless it has every new certificate.")
    else:
        return
    yield step(
        "manual",
        f"{secure_phones(found.phone_security, 'reset ')} (Device > Phone > Reset Selected), so that they load "
        "the CTL file",
        where="Cisco Unified CM Administration",
        effect="The run does not wait for it. To reset them before the restarts, as Cisco document 214231 has it, run "
        "with callmanager_certificate_restart: false, reset the phones, and run again.",
    )  # fmt: skip


def _restarts(facts: RunFacts) -> Iterator[Step]:
    """Service by service, each on the publisher and then on the subscribers; a step per node where calls end."""
    found = cluster_of(facts)
    waiting = (facts.get("callmanager_certificate_following") or {}).get("waiting") or ()
    rows = by_service(
        ran(facts.get("callmanager_certificate_restarts")), ran(facts.get("callmanager_certificate_followed")), waiting
    )
    for service, pairs in groupby(rows, key=lambda pair: pair[0]):
        nodes = [node for _service, node in pairs]
        groups = [[node] for node in nodes] if service == CALLMANAGER else [nodes]
        for group in groups:
            where = ", then ".join(str(node["name"]) for node in group)
            effect = " ".join(_effects(found, group[0], service))
            restart = step("restart", f"Restart {service}", where=where, effect=effect)
            restart["services"] = [service]
            yield restart


def _effects(found: Cluster, node: Mapping[str, Any], service: str) -> Iterator[str]:
    """What the restart of a service of a node means for calls and phones, and when it happens."""
    options = found.options
    if options.get("window"):
        yield f"Only in the window {options['window']}, by the node's clock."
    if service != CALLMANAGER:
        yield EFFECTS.get(service, "Calls go on.")
        return
    if options.get("drain") not in (None, "", 0, "0"):
        yield f"Waits up to {options['drain']} minutes until no call is active on the node."
    serving = [candidate for candidate in found.nodes if candidate.callmanager]
    if len(serving) > 1:
        yield (
            "Calls of this node end, and its phones register with another node of their CallManager group until it is "
            "back, some minutes later."
        )
        if node.get("only_in"):
            yield (
                f"The CallManager group {', '.join(node['only_in'])} has no other node: its phones are out of service "
                "until then."
            )
    else:
        yield (
            "Calls of this node end. No other node of the cluster runs Cisco CallManager, so that its phones are out "
            "of service until it is back, some minutes later."
        )


def _before(found: Cluster) -> str:
    text = (
        "A phone that is off during the change keeps its old CTL and ITL files, and they may have to be deleted on the "
        "phone."
    )
    if not features(found.version).itl_recovery:
        text += (
            " Up to release 11.5 the CallManager certificate signs the ITL file: the TVS certificate must not change "
            "in the same window."
        )
    return text


def _after(found: Cluster) -> str:
    signer = ITL_SIGNER if features(found.version).itl_recovery else TRUNK.name
    return (
        f"They load the new files, which the {signer} certificate signs. Wait until they are registered before you "
        "renew another certificate of the cluster."
    )
