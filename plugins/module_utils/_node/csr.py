# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CSR of a purpose: whether one is needed, whether the pending one is as requested, and if not, a new one.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import PLATFORM, ArgSpec, Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node.opening import open_store
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import (
    MULTI_SERVER_NAME,
    CertificateStore,
    CsrOptions,
    check_replaced,
    refused,
    write_once,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import ORGANIZATIONAL_UNIT, san_key
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, is_trust, unit_of
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import (
    fingerprint_of,
    read_certificate,
    read_request,
)

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = PLATFORM + ArgSpec(
    options={
        "purpose": {"type": "str", "default": TRUNK.name},
        "key_type": {"type": "str", "choices": ["rsa", "ec"], "no_log": False},
        "key_length": {"type": "int", "no_log": False},
        "hash_algorithm": {"type": "str", "choices": ["sha1", "sha256", "sha384", "sha512"]},
        "distribution": {"type": "str", "choices": ["this_server", "multi_server"]},
        "common_name": {"type": "str"},
        "sans": {"type": "list", "elements": "str"},
        "parent_domain": {"type": "str"},
        "include_ou": {"type": "bool"},
        "covers": {"type": "list", "elements": "str"},
        "regenerate": {"type": "str", "choices": ["if_needed", "always", "never"], "default": "if_needed"},
        "renew_before": {"type": "int", "default": 30},
        "issuer": {"type": "str"},
        "replaces": {"type": "str"},
    },
)


@dataclass(frozen=True)
class Decision:
    """Whether a CSR is needed and made, and why."""

    needed: bool
    generate: bool
    reason: str


def service(task: Task) -> Outcome:
    """The whole of cucm_csr."""
    params = task.params
    if is_trust(params["purpose"]):
        raise Failure(f"purpose {params['purpose']} is a trust store; a CSR is made for {unit_of(params['purpose'])}.")
    given: dict[str, Any] = {name: params[name] for name in CsrOptions.__dataclass_fields__}
    for name, value in given.items():
        given[name] = tuple(value) if isinstance(value, list) else value
    options = CsrOptions(**given)
    issuer = read_certificate(params["issuer"], "issuer") if params["issuer"] else None
    store = open_store(params)
    try:
        outcome = _run(store, options, issuer, params, task.check_mode)
        outcome.warnings += store.warnings
        return outcome
    finally:
        store.close()


def _run(
    store: CertificateStore,
    options: CsrOptions,
    issuer: Certificate | None,
    params: Mapping[str, Any],
    check_mode: bool,
) -> Outcome:
    entry = store.identity(options.purpose)
    known = fingerprint_of(params["replaces"], "replaces")
    check_replaced(entry, known, f"Making a CSR for {options.purpose} on {store.where}")
    installed = entry.facts if entry is not None else None
    pem = store.csr(options.purpose)
    pending = read_request(pem) if pem else None
    if installed is None and pending is None and entry is None and params["regenerate"] == "never":
        raise Failure(f"{store.where} shows no certificate and no CSR for {options.purpose}; is it a purpose there?")
    decision = decide(
        options, installed, pending, issuer, regenerate=params["regenerate"], renew_before=params["renew_before"],
        clock=store.clock,
    )  # fmt: skip
    result: dict[str, Any] = {
        "csr": None,
        "needed": decision.needed,
        "reason": decision.reason,
        "certificate": installed.view(store.clock.now()) if installed else None,
        "clock": store.clock.for_result(),
        "predicted": False,
        "interface": store.kind.lower(),
    }
    answer, predicted = _answer(store, options, decision, installed, pending, check_mode=check_mode)
    if answer is not None:
        result |= {"csr": answer.pem, "request": answer.view(), "predicted": predicted}
    return Outcome(
        changed=decision.generate,
        before=_for_diff(options.purpose, pending),
        after=_for_diff(options.purpose, answer if decision.generate else pending, predicted),
        result=result,
    )


def _answer(
    store: CertificateStore,
    options: CsrOptions,
    decision: Decision,
    installed: Certificate | None,
    pending: Request | None,
    *,
    check_mode: bool,
) -> tuple[Request | None, bool]:
    """The request that is to be signed, and whether it is a stand-in for one that would be made."""
    if not decision.generate:
        return pending if decision.needed else None, False
    if options.distribution == "multi_server" and not store.can_choose:
        raise Failure(
            f"A multi-server CSR for {options.purpose} is needed ({decision.reason}), and the CLI of {store.where} "
            "cannot make one; nothing was done. Make it on the publisher's web page (OS Administration, Certificate "
            "Management, Distribution: Multi-server) and run again: it is kept. From release 14 interface: rest can."
        )
    if check_mode:
        from ansible_collections.siptls.cucm.plugins.module_utils._node.standin import stand_in_csr

        return read_request(stand_in_csr(options, installed)), True
    return _generate(store, options, pending), False


def decide(
    options: CsrOptions,
    installed: Certificate | None,
    pending: Request | None,
    issuer: Certificate | None,
    *,
    regenerate: str = "if_needed",
    renew_before: int = 30,
    clock: NodeClock | None = None,
) -> Decision:
    """What to do, from what is there; renew_before in days, counted by the clock (default the controller's)."""
    clock = clock or NodeClock()
    if regenerate == "always":
        return Decision(True, True, "regenerate is always")
    why_not = next(serves(options, installed, issuer, renew_before, clock), None)
    if why_not is None:
        if installed is None:
            raise AssertionError("only an installed certificate is kept")
        return Decision(
            False, False, f"the installed certificate is kept: issued by {installed.issuer.text}, "
            f"{int(installed.days_left(clock.now()))} days left",
        )  # fmt: skip
    if pending is None:
        if regenerate == "never":
            return Decision(True, False, f"{why_not}; no CSR is pending, and regenerate is never")
        return Decision(True, True, f"{why_not}; no CSR is pending")
    differs = next(mismatches(options, pending), None)
    if differs is None or regenerate == "never":
        kept = "the pending CSR is as requested and is kept" if differs is None else f"regenerate is never ({differs})"
        return Decision(True, False, f"{why_not}; {kept}")
    return Decision(True, True, f"{why_not}; the pending CSR is not as requested: {differs}")


def serves(
    options: CsrOptions, installed: Certificate | None, issuer: Certificate | None, renew_before: int, clock: NodeClock
) -> Iterator[str]:
    """Every reason to replace the installed certificate."""
    if installed is None:
        yield "no certificate is installed"
        return
    if installed.self_signed:
        yield "the installed certificate is self-signed"
    elif issuer is not None and not installed.signed_by(issuer):
        yield (
            f"the installed certificate was issued by {installed.issuer.text}, not by the key of {issuer.subject.text}"
        )
    left = installed.days_left(clock.now())
    if left < renew_before:
        yield (
            "the installed certificate has expired"
            if left < 0
            else f"the installed certificate has {int(left)} days left, fewer than {renew_before}"
        )
    if not installed.both_uses:
        yield "the installed certificate lacks serverAuth or clientAuth, and a SIP trunk is both server and client"
    yield from (f"of the installed certificate, {text}" for text in _content(options, installed))


def mismatches(options: CsrOptions, request: Request) -> Iterator[str]:
    """Every difference between a request and what was asked for."""
    if not request.signature_valid:
        yield "its signature is wrong"
    if options.hash_algorithm and request.signature.digest != options.hash_algorithm:
        yield f"its hash is {request.signature.digest}, not {options.hash_algorithm}"
    if options.include_ou is False and request.subject.values(ORGANIZATIONAL_UNIT):
        yield f"its subject {request.subject.text} contains an organizational unit"
    if options.include_ou and not request.subject.values(ORGANIZATIONAL_UNIT):
        yield f"its subject {request.subject.text} contains no organizational unit"
    if not request.both_uses:
        yield "it does not ask for serverAuth and clientAuth"
    yield from _content(options, request)


def _content(options: CsrOptions, found: Certificate | Request) -> Iterator[str]:
    """What a request and the certificate made from it have in common: key, common name, names."""
    if options.key_type and found.key.kind.lower() != options.key_type:
        yield f"the key is {found.key.kind}, not {options.key_type.upper()}"
    if options.key_length and found.key.bits != options.key_length:
        yield f"the key has {found.key.bits} bits, not {options.key_length}"
    yield from _common_name(options, found)
    yield from _alternatives(options, found)


def _common_name(options: CsrOptions, found: Certificate | Request) -> Iterator[str]:
    if options.common_name and found.common_name.lower() != options.common_name.lower():
        yield f"the common name is {found.common_name}, not {options.common_name}"
    elif options.distribution and not options.common_name:
        multi = bool(MULTI_SERVER_NAME.search(found.common_name))
        if multi != (options.distribution == "multi_server"):
            yield f"the common name {found.common_name} is that of {'multi-server' if multi else 'this server alone'}"


def _alternatives(options: CsrOptions, found: Certificate | Request) -> Iterator[str]:
    wanted = [*(options.sans or ()), *([options.parent_domain] if options.parent_domain else [])]
    missing = [name for name in wanted if san_key(name) not in found.san_keys]
    if missing:
        yield f"the subject alternative names lack {', '.join(missing)}"
    hosts = {name.partition(":")[2].split(".")[0] for name in found.san_keys}
    # The name of a node that the cluster knows by its address is not known.
    named = [name for name in options.covers or () if not is_address(name)]
    left_out = [name for name in named if name.lower().split(".")[0] not in hosts]
    if left_out:
        yield f"no subject alternative name is for the node {', '.join(left_out)}"


def _generate(store: CertificateStore, options: CsrOptions, before: Request | None) -> Request:
    """Make it, read it back, and compare it with what was asked for."""

    def new() -> Request | None:
        pem = store.csr(options.purpose)
        found = read_request(pem) if pem else None
        return None if found is not None and before is not None and found.key == before.key else found

    words = write_once(lambda: store.generate(options), lambda: new() is not None)
    made = new()
    if made is None:
        raise refused(f"Generating a CSR for {options.purpose} by {store.kind}", store.where, words)
    wrong = list(mismatches(options, made))
    if wrong:
        hint = (
            "REST cannot do it either; ask only for what the release offers."
            if store.can_choose
            else "The CLI cannot choose key, hash and names: make the CSR with these on the node's web page (OS "
            "Administration, Certificate Management), and this module keeps it; from release 14 interface: rest can."
        )
        raise Failure(
            f"{store.where} made a CSR for {options.purpose} that differs from the request: {'; '.join(wrong)}. {hint}",
            changed=True,
            csr=made.pem,
            request=made.view(),
        )
    return made


def _for_diff(purpose: str, request: Request | None, predicted: bool = False) -> dict[str, Any]:
    """The pending CSR as the diff shows it; the key of a stand-in belongs to nobody."""
    if request is None:
        return {"purpose": purpose, "csr": None}
    names = ("subject", "sans", "key_type", "key_size", "signature_algorithm", "public_key_sha256")
    shown = {name: value for name, value in request.view().items() if name in names}
    if predicted:
        shown["public_key_sha256"] = "(made by CUCM)"
    return {"purpose": purpose, "csr": shown}
