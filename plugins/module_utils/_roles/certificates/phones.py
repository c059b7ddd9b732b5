# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new CallManager certificate means for phones: CTL in mixed mode, ITL and TVS up to release 11.5. Pure.

Sources: Cisco documents 214231 (order of the steps, what signs the ITL) and 225746 (phones that lost both anchors).
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._releases import features
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import serial_of
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import ITL_RECOVERY, TVS

COMMAND = "utils ctl update CTLFile"
#: what signs CTL and ITL from 12.0 on, and days before its end from which that is worth a warning
ITL_SIGNER, SIGNER_DAYS = ITL_RECOVERY.name, 90


def due(cluster: Cluster, *, renew_before: int = 30, regenerate: str = "", issuer: str = "") -> list[str]:
    """The nodes whose CallManager certificate this run will change, as far as preflight can see."""
    found = []
    for node in cluster.nodes:
        certificate = cluster.certificates.get(node.name)
        if not node.callmanager or regenerate == "never":
            continue
        left = (certificate or {}).get("days_left")
        if (
            certificate is None
            or regenerate == "always"
            or certificate.get("self_signed")
            or (left is not None and left <= renew_before)
            or (issuer and certificate.get("issuer") != issuer)
        ):
            found.append(node.name)
    return found


def ctl_problems(cluster: Cluster, policy: str) -> Iterator[str]:
    """Why a run in mixed mode has to end before anything is changed, without the name of the cluster."""
    if cluster.security_mode != "mixed" or not cluster.due or policy == "done":
        return
    nodes = ", ".join(cluster.due)
    if policy == "update" and features(cluster.version).ctl_by_cli:
        return
    affected = (
        f"the cluster is in mixed mode and the CallManager certificate of {nodes} will change. "
        f"{secure_phones(cluster.phone_security)} then can't register until the CTL file is updated"
    )
    if policy == "update":
        yield (
            f"{affected}, which the CLI of release {cluster.version} can't do. Upload the certificates with "
            "callmanager_certificate_restart: false, update the CTL with the CTL client, and run again with "
            "callmanager_certificate_ctl: done."
        )
        return
    yield (
        f"{affected} (`{COMMAND}` on the publisher, after the upload and before the restart). Set "
        "callmanager_certificate_ctl to update, and the role runs the command and checks the CTL before it restarts "
        "anything; or to done if you update it yourself."
    )


def secure_phones(counted: Mapping[str, int] | None, lead: str = "") -> str:
    """The phones that depend on the CTL file, with their number where it is known (phone_security of cucm_info)."""
    count = sum(int(counted.get(kind) or 0) for kind in ("Authenticated", "Encrypted")) if counted else 0
    phones = {0: "phones", 1: "1 phone"}.get(count, f"{count} phones")
    text = f"{lead}{phones} with an authenticated or encrypted security profile"
    return text[:1].upper() + text[1:]


def anchor_problems(cluster: Cluster, trust_lists: Mapping[str, Any]) -> Iterator[str]:
    """Up to 11.5: whether phones could verify the new ITL with TVS. trust_lists is the result of cucm_ctl."""
    if features(cluster.version).itl_recovery or not cluster.due:
        return
    itl = trust_lists.get("itl")
    if itl is None:
        yield (
            "the ITL file could not be read, so it is not known whether phones can verify the next one. "
            f"{trust_lists.get('msg') or ''}".rstrip()
        )
        return
    known = {serial_of(row["serial_number"]) for row in itl["records"] if row["function"] == TVS.name}
    for node, certificate in cluster.tvs.items():
        left = certificate.get("days_left")
        expired = left is not None and left < 0
        if not expired and serial_of(str(certificate["serial"])) in known:
            continue
        what = "has expired" if expired else "is newer than the ITL file, which phones hold"
        yield (
            f"the TVS certificate of {node} {what}. Up to release 11.5 the CallManager certificate signs the ITL, and "
            "phones check a new one with TVS: if both change at once they trust neither, and the ITL has to be deleted "
            "on each phone (Cisco document 225746). Finish the change of TVS first: restart Cisco Trust Verification "
            "Service and Cisco Tftp, reset all phones, wait until they are registered (Cisco document 214231), then "
            "run again."
        )


def signer_warnings(cluster: Cluster) -> Iterator[str]:
    """From 12.0 on: whether the certificate that signs the CTL and ITL files is near its end."""
    signer = cluster.itl_signer
    left = (signer or {}).get("days_left")
    if not features(cluster.version).itl_recovery or signer is None or left is None or left > SIGNER_DAYS:
        return
    when = "has expired" if left < 0 else f"expires in {left} days"
    yield (
        f"the {ITL_SIGNER} certificate, which signs the CTL and ITL files from release 12.0 on, {when} "
        f"({signer['not_after']}). Renew it in a window of its own, once all phones are registered after this change: "
        "phones that lose both anchors have to be cleaned by hand."
    )


#: RIS lists that many devices, and may count no more; of the names of phones, a sentence has the first ones
MOST_PHONES, MOST_NAMES = 1000, 20
RESET = (
    "Next, reset all phones, so that they load the new ITL and CTL files: in Cisco Unified CM Administration, System > "
    "Enterprise Parameters > Reset, or Device > Phone > Reset Selected. Check in RTMT that they register again (Cisco "
    "document 214231)."
)


def registrations(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The phones of a cluster before and after the restarts, as RIS reports them (phones of cucm_info).

    `before` and `after` are the numbers of registered phones, None where RIS did not say. `lost` are the phones that
    were registered and are not any more, as far as RIS lists them. `text` is all of it in words, `next` what a person
    has to do with the phones.
    """
    lost = set(after.get("not_registered") or ()) - set(before.get("not_registered") or ())
    if before.get("listed") and after.get("listed"):
        # RIS forgets a phone that has not come back since its node started.
        lost = set(before.get("names") or ()) - set(after.get("names") or ())
    found = {"before": before.get("registered"), "after": after.get("registered"), "lost": sorted(lost)}
    unknown = str(after.get("unknown") or before.get("unknown") or "")
    return {**found, "text": _registered(found, unknown), "next": RESET}


def _registered(found: Mapping[str, Any], unknown: str) -> str:
    """How many phones were registered, and which are not any more."""
    if found["before"] is None or found["after"] is None:
        return f"How many phones are registered is not known. {unknown or 'RIS was not asked.'}"
    before, after = (f"{'at least ' * (found[key] == MOST_PHONES)}{found[key]}" for key in ("before", "after"))
    text = f"Registered phones by RIS: {before} before the restarts, {after} after them."
    if found["lost"]:
        more = len(found["lost"]) - MOST_NAMES
        names = ", ".join(found["lost"][:MOST_NAMES]) + (f" and {more} others" if more > 0 else "")
        text += f" Not registered any more: {names}."
    return text


def add_anchor_problems(cluster: Cluster, trust_lists: Mapping[str, Any], *, check: bool = False) -> None:
    """Add what the ITL file shows to the problems of a cluster, or to its warnings in check mode."""
    found = [f"{cluster.name}: {text}" for text in anchor_problems(cluster, trust_lists)]
    (cluster.warnings if check else cluster.problems).extend(found)
