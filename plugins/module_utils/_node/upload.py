# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates into a node: CAs into the trust store first, then the signed certificate, everything read back.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import PLATFORM, ArgSpec, Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node import checks
from ansible_collections.siptls.cucm.plugins.module_utils._node.opening import open_store
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import (
    MULTI_SERVER_NAME,
    CertificateStore,
    Entry,
    check_replaced,
    refused,
    write_once,
)
from ansible_collections.siptls.cucm.plugins.module_utils._releases import FIRST_WITH_REST
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import rules
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb, leaf_first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import (
    TRUNK,
    TRUST_SUFFIX,
    is_trust,
    purpose_of,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import (
    fingerprint_of,
    read_certificates,
    read_request,
)

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = PLATFORM + ArgSpec(
    options={
        "certificate": {"type": "str"},
        "certificate_path": {"type": "path"},
        "chain": {"type": "list", "elements": "str"},
        "chain_path": {"type": "path"},
        "csr": {"type": "str"},
        "purpose": {"type": "str", "default": TRUNK.name},
        "trust_purpose": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "trust_certificates": {"type": "list", "elements": "str"},
        "prune_expired": {"type": "bool", "default": False},
        "eku_policy": {"type": "str", "choices": ["require", "warn", "ignore"], "default": "require"},
        "replaces": {"type": "str"},
    },
    mutually_exclusive=(("certificate", "certificate_path"),),
)


@dataclass
class Input:
    """The user's input, parsed."""

    purpose: str
    trust_purpose: str
    leaf: Certificate | None
    chain: list[Certificate]
    csr: Request | None
    remove: list[str]  # names and fingerprints
    doomed: list[Certificate]  # certificates to remove, by what they are
    prune_expired: bool
    eku_policy: str
    replaces: str | None  # SHA-256 of the certificate that the run found
    check_mode: bool


@dataclass
class Work:
    """What is to be done, after the checks; and what of it was done."""

    deletions: list[Entry]
    uploads: Sequence[Certificate]
    replaced: Sequence[Entry]
    identity: Certificate | None
    issuers: list[Certificate]
    actions: list[str] = field(default_factory=list)


def service(task: Task) -> Outcome:
    """The whole of cucm_cert_upload."""
    given = _read(task.params, task.check_mode)
    store = open_store(task.params)
    try:
        outcome = _run(store, given, task.params)
        outcome.warnings += store.warnings
        return outcome
    finally:
        store.close()


def _read(params: Mapping[str, Any], check_mode: bool) -> Input:
    """Parse every input; Failure when one of them is not what its option says."""
    trust_purpose = _stores(params)
    leaves = _certificates("certificate", params["certificate"], params["certificate_path"])
    chain = [certificate for text in params["chain"] or [] for certificate in _certificates("chain", text, None)]
    chain += _certificates("chain_path", None, params["chain_path"])
    _check_choice(params, leaves, chain)
    leaf, *rest = leaf_first(leaves) if leaves else [None]
    authorities = [
        authority for authority in dict.fromkeys([*rest, *chain]) if authority is not None and authority != leaf
    ]
    absent = params["state"] == "absent"
    return Input(
        purpose=params["purpose"],
        trust_purpose=trust_purpose,
        leaf=leaf,
        chain=[] if absent else authorities,
        csr=read_request(params["csr"], "csr") if params["csr"] else None,
        remove=params["trust_certificates"] or [],
        doomed=authorities if absent else [],
        prune_expired=params["prune_expired"],
        eku_policy=params["eku_policy"],
        replaces=fingerprint_of(params["replaces"], "replaces"),
        check_mode=check_mode,
    )


def _stores(params: Mapping[str, Any]) -> str:
    """The trust store that the options name."""
    purpose = params["purpose"]
    if is_trust(purpose):
        raise Failure(f"purpose {purpose} is a trust store. Set trust_purpose: {purpose} and give the CAs in chain.")
    trust_purpose = str(params["trust_purpose"] or purpose_of(purpose).trust)
    if not is_trust(trust_purpose):
        raise Failure(f"trust_purpose {trust_purpose} is not a trust store; its name ends in {TRUST_SUFFIX}.")
    return trust_purpose


def _check_choice(params: Mapping[str, Any], leaves: Sequence[Certificate], chain: Sequence[Certificate]) -> None:
    """Failure where the options ask for nothing, or for what cannot be done together."""
    absent = params["state"] == "absent"
    if absent and leaves:
        raise Failure("An identity certificate cannot be taken away; state: absent removes from a trust store only.")
    if not (leaves or chain or params["trust_certificates"] or params["prune_expired"]):
        raise Failure("Nothing to do: give certificate, chain, trust_certificates or prune_expired.")
    if params["trust_certificates"] and not absent:
        raise Failure("trust_certificates names what state: absent removes; put CA certificates into chain.")


def handed_out(option: str, text: str) -> list[Certificate]:
    """The certificates from a CA, in any form, with the leaf first; Failure if there is none."""
    return leaf_first(_certificates(option, text, None))


def _certificates(option: str, text: str | None, path: str | None) -> list[Certificate]:
    """The certificates of an option: PEM, PKCS#7, or either as bare Base-64; from a file also DER."""
    source: str | bytes | None = text
    if path:
        try:
            with open(path, "rb") as file:
                source = file.read(1 << 20)
        except OSError as error:
            raise Failure(f"{path} cannot be read: {error.strerror}.") from None
    if not source:
        return []
    if isinstance(source, str) and "-----BEGIN" not in source:
        try:
            source = base64.b64decode(re.sub(r"\s", "", source), validate=True)
        except (binascii.Error, ValueError):
            raise Failure(
                f"{option} is not in PEM format: it has no BEGIN CERTIFICATE line, and it is not Base-64 of DER "
                "or PKCS#7 either. Give the certificate as the CA exported it."
            ) from None
    return read_certificates(source, path or option)


def _run(store: CertificateStore, given: Input, params: Mapping[str, Any]) -> Outcome:
    stored = store.trust(given.trust_purpose)
    entry = store.identity(given.purpose) if given.leaf is not None else None
    _check_unchanged(store, given, entry)
    work, warnings = plan(store, given, stored, entry)
    before = _for_diff(entry, stored)
    if not given.check_mode:
        _carry_out(store, given, work)
        if work.actions:
            stored = store.trust(given.trust_purpose)
            entry = store.identity(given.purpose) if given.leaf is not None else None
    else:
        stored, entry = _foreseen(given, work, stored, entry)
    changed = bool(work.deletions or work.uploads or work.identity)
    # The REST API shows that the release is at least the first one with it; over the CLI the release is not known here.
    release = FIRST_WITH_REST if store.kind == "REST" else ""
    restart = purpose_of(given.purpose).services_at(release) if work.identity is not None else ()
    installed = entry.facts if entry is not None else None
    moment = store.clock.now()
    return Outcome(
        changed=changed,
        before=before,
        after=_for_diff(entry, stored),
        result={
            "certificate": installed.view(moment) if installed is not None else None,
            "trust": [
                {"name": trusted.name, **found.view(moment)}
                for trusted in stored
                if (found := trusted.facts) is not None
            ],
            "actions": work.actions if not given.check_mode else _intended(given, work),
            "restart_required": [
                {"node": node, "service": name}
                for node in (nodes_of(work.identity, params["host"]) if work.identity is not None else [])
                for name in restart
            ],
            "interface": store.kind.lower(),
            "clock": store.clock.for_result(),
        },
        warnings=warnings,
    )


def _check_unchanged(store: CertificateStore, given: Input, entry: Entry | None) -> None:
    """Failure if the node holds neither the certificate that the run found nor the one that it uploads."""
    if given.leaf is None or (entry is not None and entry.is_certificate(given.leaf)):
        return
    check_replaced(entry, given.replaces, f"Putting {given.leaf.subject.text} into {given.purpose} on {store.where}")


def nodes_of(leaf: Certificate, host: str) -> list[str]:
    """The nodes that a certificate is for: the host it was put on; of a multi-server one all that its names name."""
    if not MULTI_SERVER_NAME.search(leaf.common_name):
        return [host]
    names = sorted(name.partition(":")[2] for name in leaf.san_keys if name.startswith("DNS:"))
    domains = {name.partition(".")[2] for name in names}
    return [name for name in names if name not in domains and not MULTI_SERVER_NAME.search(name)] or [host]


def plan(store: CertificateStore, given: Input, stored: Sequence[Entry], entry: Entry | None) -> tuple[Work, list[str]]:
    """Check everything; Failure with all problems, or the work in its order and warnings."""
    deletions = _deletions(store, given, stored)
    kept = [trusted for trusted in stored if trusted not in deletions]
    held = entry.facts if entry is not None and given.leaf is None else None
    trust = checks.trust_plan(
        given.trust_purpose, given.chain, kept, store.clock, issued=[held] if held is not None else []
    )
    work = Work(deletions, trust.uploads, trust.replaced, None, [])
    problems, warnings = list(trust.problems), list(trust.warnings)
    if given.leaf is not None and not (entry is not None and entry.is_certificate(given.leaf)):
        work.identity = given.leaf
        # CUCM checks the certificate after the CAs are in the store, and what they replace is gone then.
        left = [trusted for trusted in kept if trusted not in trust.replaced]
        problems += _leaf_problems(store, given, left, work)
        if given.eku_policy == "warn":
            purpose = purpose_of(given.purpose)
            lacking = [
                *rules.eku_problems(given.leaf, purpose), *rules.issuer_eku_problems(work.issuers, purpose.uses)
            ]  # fmt: skip
            warnings += [f"{given.leaf.subject.text}: {text}." for text in lacking]
    if problems:
        listed = " ".join(f"({number}) {text}." for number, text in enumerate(problems, 1))
        raise Failure(
            f"Nothing was written to {store.where}, because CUCM's rules forbid it: "
            f"{listed if problems[1:] else problems[0] + '.'}",
            problems=problems,
        )
    return work, warnings


def _deletions(store: CertificateStore, given: Input, stored: Sequence[Entry]) -> list[Entry]:
    """What of the trust store is to be removed."""
    found = [
        entry for entry in stored if _is_named(entry, given.remove) or any(map(entry.is_certificate, given.doomed))
    ]
    if given.prune_expired:
        # By both clocks: a certificate that one wrong clock calls expired is not thrown away.
        earlier = min(store.clock.now(), NodeClock().now())
        found += [entry for entry in stored if entry not in found and (f := entry.facts) and f.days_left(earlier) < 0]
    return found


def _leaf_problems(store: CertificateStore, given: Input, kept: Sequence[Entry], work: Work) -> list[str]:
    """What is wrong with the certificate that is to be uploaded; its issuers are noted in the work."""
    if given.leaf is None:
        return []
    pem = store.csr(given.purpose)
    # In check mode an earlier task may have returned a stand-in for the CSR that it would have made.
    stand_in = given.csr if given.check_mode else None
    request = stand_in or (read_request(pem) if pem else None)
    pool = [*given.chain, *(found for trusted in kept if (found := trusted.facts) is not None)]
    chain = climb(given.leaf, pool, store.clock.now())
    work.issuers = list(chain.issuers)
    case = checks.Case(
        given.purpose, chain, request, given.csr, given.eku_policy, store.where, store.clock, tuple(pool)
    )
    return [f"{given.leaf.subject.text}: {text}" for text in checks.leaf_problems(case)]


def _is_named(entry: Entry, names: Sequence[str]) -> bool:
    """True when a name is this entry's: its file name, common name or SHA-256 fingerprint."""
    known = entry.facts
    own = {entry.name.lower(), entry.name.lower().removesuffix(".pem")}
    if known is not None:
        own |= {known.common_name.lower(), known.sha256.lower(), known.sha256.lower().replace(":", "")}
    return any(name.strip().lower() in own for name in names)


def _carry_out(store: CertificateStore, given: Input, work: Work) -> None:
    """Remove, upload the CAs root first, upload the certificate; each is read back afterwards."""
    for doomed in work.deletions:
        gone = partial(_gone, store, doomed)
        words = write_once(partial(store.delete_trust, doomed), gone)
        if not gone():
            raise refused(f"Removing {doomed.name} from {doomed.purpose}", store.where, words)
        work.actions.append(f"removed {doomed.name} from {doomed.purpose}")
    for result in work.uploads:
        time.sleep(checks.wait_for(result, store.clock))
        trusts = partial(_trusts, store, given.trust_purpose, result)
        words = write_once(partial(store.import_trust, given.trust_purpose, result), trusts)
        if not trusts():
            raise refused(
                f"Putting {result.subject.text} into {given.trust_purpose} by {store.kind}", store.where, words
            )
        work.actions.append(f"put {result.subject.text} into {given.trust_purpose}")
    if work.identity is not None:
        time.sleep(checks.wait_for(work.identity, store.clock))
        holds = partial(_holds, store, given.purpose, work.identity)
        words = write_once(partial(store.import_identity, given.purpose, work.identity, work.issuers), holds)
        if not holds():
            raise refused(
                f"Putting {work.identity.subject.text} into {given.purpose} by {store.kind}", store.where, words
            )
        work.actions.append(f"put {work.identity.subject.text} into {given.purpose}")


def _gone(store: CertificateStore, doomed: Entry) -> bool:
    return not any(left.name == doomed.name and left.pem == doomed.pem for left in store.trust(doomed.purpose))


def _trusts(store: CertificateStore, purpose: str, certificate: Certificate) -> bool:
    return any(entry.is_certificate(certificate) for entry in store.trust(purpose))


def _holds(store: CertificateStore, purpose: str, certificate: Certificate) -> bool:
    entry = store.identity(purpose)
    return entry is not None and entry.is_certificate(certificate)


def _intended(given: Input, work: Work) -> list[str]:
    return [
        *(f"would remove {entry.name} from {entry.purpose}" for entry in work.deletions),
        *(f"would put {result.subject.text} into {given.trust_purpose}" for result in work.uploads),
        *([f"would put {work.identity.subject.text} into {given.purpose}"] if work.identity is not None else []),
    ]


def _foreseen(
    given: Input, work: Work, stored: Sequence[Entry], entry: Entry | None
) -> tuple[list[Entry], Entry | None]:
    """What the node would hold afterwards."""
    gone = [*work.deletions, *work.replaced]
    trust = [trusted for trusted in stored if trusted not in gone]
    trust += [Entry(given.trust_purpose, f"{result.common_name}.pem", result.pem) for result in work.uploads]
    if work.identity is not None:
        entry = Entry(given.purpose, f"{given.purpose}.pem", work.identity.pem)
    return trust, entry


def _for_diff(entry: Entry | None, stored: Sequence[Entry]) -> dict[str, Any]:
    """Identity and trust as the diff shows them."""
    found = entry.facts if entry is not None else None
    names = ("subject", "issuer", "serial", "not_before", "not_after", "sha256")
    identity = {name: value for name, value in found.view().items() if name in names} if found is not None else None
    trust = sorted(
        f"{known.subject.text} (until {time_text(known.not_after)}, {known.sha256})"
        if known is not None
        else trusted.name
        for trusted in stored
        for known in [trusted.facts]
    )
    return {"identity": identity, "trust": trust}
