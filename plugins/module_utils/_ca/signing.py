# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way from a request to a certificate, whoever signs; private to siptls.cucm.

Before: is the request valid, and may this node have these names? Is an earlier certificate still good? Then a provider
signs. After: is the certificate what was requested, and does CUCM accept it?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca import signer
from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder
from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import Choice, chosen
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Issued, Job, Signer, Terms
from ansible_collections.siptls.cucm.plugins.module_utils._ca.requester import Requester
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, climb_to_root
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import (
    Policy,
    certificate_problems,
    chain_problems,
    check_request,
    date_problems,
    remarks,
    request_differences,
)

_SHOWN = ("subject", "issuer", "serial", "not_before", "not_after", "sans", "eku")


@dataclass(frozen=True)
class Settled:
    """The certificate for a request. reissued_because: None when nothing had been issued for its node before."""

    issued: Issued
    chain: Chain
    is_new: bool
    reissued_because: str | None = None


def sign(params: Mapping[str, Any], *, dry: bool) -> Outcome:
    """Have a request signed, or return an earlier certificate that is still good. With dry nothing is written or
    submitted.

    Raises Failure when the request must not be signed, is pending (status pending among its facts) or was refused, or
    when the certificate cannot be used.
    """
    choice = chosen(params)
    if choice.values["csr"] is None:
        return _authority(choice, dry=dry)
    given = choice.values
    requester = Requester.read(given["requester"])
    job = _job(given, choice.options, dry=dry)
    warnings = [*choice.warnings, *_check(job, requester)]
    with choice.provider.open(job) as at_work:
        settled = _settle(job, at_work, requester, gives_back=choice.provider.gives_back)
        warnings += at_work.warnings
        facts = at_work.facts
        if settled is not None and settled.is_new and job.folder and not settled.issued.predicted:
            job.folder.keep(settled.issued.certificate, () if at_work.authorities else settled.chain.issuers)
    warnings += job.folder.stray_warnings() if job.folder else []
    if settled is None:
        return Outcome(warnings=warnings, result={"status": "checked", "certificate": None, "chain": []})
    warnings += _remarks(job, settled) if settled.is_new else []
    return _outcome(job, settled, facts, warnings)


def _authority(choice: Choice, *, dry: bool) -> Outcome:
    """The CA alone, made where there is none: nothing is signed without a request."""
    if choice.provider.authority is None:
        raise Failure(
            f"csr is not set, and the provider {choice.provider.name} signs requests only. Set csr to the request of a "
            "node."
        )
    terms = Terms(**_terms(choice.values, choice.options, dry=dry))
    chain, made = choice.provider.authority(terms)
    pems = [certificate.pem for certificate in chain]
    return Outcome(
        changed=made, before={}, after={"ca": chain[0].subject.text} if made else {}, warnings=choice.warnings,
        result={
            "status": "ready", "certificate": None, "chain": pems, "root": pems[-1], "ca": chain[0].view(terms.now),
            "ca_created": made, "predicted": dry and made,
        },
    )  # fmt: skip


def _job(given: Mapping[str, Any], options: Mapping[str, Any], *, dry: bool) -> Job:
    return Job(
        **_terms(given, options, dry=dry),
        request=read_request(given["csr"], "csr"),
        force=given["force"],
        allowed=tuple(given["allowed_sans"] or ()),
    )


def _terms(given: Mapping[str, Any], options: Mapping[str, Any], *, dry: bool) -> dict[str, Any]:
    now = signer.real_now()
    policy = Policy(
        days=given["days"],
        skew=timedelta(minutes=given["local_clock_skew"]),
        digest=given["local_hash"],
        eku_policy=given["eku_policy"],
        # With a requester allowed_sans adds to the node's own names; without one it is all that is allowed.
        allowed_sans=() if given["requester"] else tuple(given["allowed_sans"] or ()),
        kept_eku=tuple(given["kept_eku"] or ()),
    )
    if abs(given["clock_offset"]) > signer.MOST_DAYS * 86_400:
        raise Failure(f"clock_offset is {given['clock_offset']} s, and no clock is that wrong. Give seconds.")
    return {
        "policy": policy,
        "options": options,
        "folder": CaFolder(given["path"]) if given["path"] else None,
        "renew_before": given["renew_before"],
        "now": now,
        "there": now + timedelta(seconds=given["clock_offset"]),
        "dry": dry,
    }


def _check(job: Job, requester: Requester | None) -> list[str]:
    """Warnings about a request; Failure with every problem where it must not be signed."""
    problems = list(requester.problems(job.request, job.allowed)) if requester else []
    return check_request(job.request, job.policy, problems)


def _settle(job: Job, at_work: Signer, requester: Requester | None, *, gives_back: bool) -> Settled | None:
    """The earlier certificate if it is still good, or a new one with the reason; None if nothing was to be signed."""
    reason: str | None = None
    if job.folder is not None and gives_back:
        for bundle in job.folder.kept(job.request.key.sha256):
            chain = _chain(job, bundle[0], (*bundle[1:], *at_work.authorities))
            why = next(_outdated(job, at_work, bundle[0], chain), None)
            if why is None and chain is not None:
                return Settled(Issued(bundle[0], chain.issuers), chain, is_new=False)
            reason = reason or f"{why} (certificate {bundle[0].serial_text})"
        reason = reason or _older(job.folder, job.request)
    issued = at_work.sign()
    if issued is None:
        return None
    _check_ca(job, issued)
    chain = climb_to_root(issued.certificate, issued.authorities, job.there)
    problems = list(_problems(job, issued.certificate, chain))
    if requester:
        problems += requester.problems(issued.certificate, job.allowed)
    if problems:
        raise Failure(
            f"The certificate {issued.certificate.serial_text} that {issued.certificate.issuer.text} issued for "
            f"{job.request.subject.text} is not used, and nothing was uploaded: {'; '.join(problems)}.",
            status="issued", problems=problems, view=issued.certificate.view(job.there), **at_work.facts,
        )  # fmt: skip
    return Settled(issued, chain, is_new=True, reissued_because=reason)


def _check_ca(job: Job, issued: Issued) -> None:
    """Failure if peers would refuse what the CA signs, because of its own certificate or those above it."""
    if not issued.signing:
        return
    ca, *above = issued.signing
    climb_to_root(ca, above, job.there)
    chain = Chain((issued.certificate, *issued.signing))
    problems = list(dict.fromkeys(chain_problems(chain, partial(date_problems, now=job.there))))
    if problems:
        raise Failure(
            f"Peers would refuse a certificate for {job.request.subject.text} that {ca.subject.text} signs: "
            f"{'; '.join(problems)}. Nothing was requested. Use another CA.",
            problems=problems,
        )


def _chain(job: Job, certificate: Certificate, authorities: Sequence[Certificate]) -> Chain | None:
    try:
        return climb_to_root(certificate, authorities, job.there)
    except Failure:
        return None


def _outdated(job: Job, at_work: Signer, certificate: Certificate, chain: Chain | None) -> Iterator[str]:
    """Why an earlier certificate for the same key is no longer good."""
    if job.force:
        yield "force was set"
    why = at_work.outdated(certificate)
    if why:
        yield why
    left = int(certificate.days_left(job.there))
    if left < job.renew_before:
        yield f"the earlier certificate has {left} days left, and renew_before is {job.renew_before}"
    if chain is None:
        yield "the chain of the earlier certificate was not kept"
    else:
        yield from (f"of the earlier certificate, {text}" for text in _problems(job, certificate, chain))


def _problems(job: Job, certificate: Certificate, chain: Chain) -> Iterator[str]:
    """Why CUCM could not use a certificate."""
    yield from request_differences(certificate, job.request)
    yield from certificate_problems(certificate, TRUNK_EC if job.request.key.kind == EC else TRUNK)
    yield from date_problems(certificate, job.there)
    yield from chain_problems(chain, partial(date_problems, now=job.there))


def _older(folder: CaFolder, request: Request) -> str | None:
    """The reason that the request has a new key, if its node has had a certificate with another one."""
    for bundle in folder.kept():
        if bundle[0].subject.key == request.subject.key and bundle[0].san_keys == request.san_keys:
            return f"the request contains a new key (certificate {bundle[0].serial_text} was for another)"
    return None


def _remarks(job: Job, settled: Settled) -> Iterator[str]:
    """Warnings about a new certificate."""
    certificate = settled.issued.certificate
    if settled.issued.predicted:
        return
    for remark in remarks(certificate, job.request):
        yield f"The certificate {certificate.serial_text} of {certificate.issuer.text}: {remark}."
    left = int(certificate.days_left(job.there))
    if left < job.renew_before:
        yield (
            f"The CA gave {left} days, and renew_before is {job.renew_before}: the certificate is due for renewal at "
            "once. Have the CA give more days, or lower renew_before."
        )


def _outcome(job: Job, settled: Settled, facts: Mapping[str, Any], warnings: list[str]) -> Outcome:
    view = settled.issued.certificate.view(job.there)
    made = facts.get("ca_created", False)
    chain = [issuer.pem for issuer in settled.chain.issuers]
    return Outcome(
        changed=settled.is_new or made,
        before={},
        after={name: view[name] for name in _SHOWN} if settled.is_new else {},
        warnings=warnings,
        result={
            "status": "issued",
            "certificate": view["pem"],
            "chain": chain,
            "root": chain[-1],
            "reissued_because": settled.reissued_because,
            "view": view,
            "ca": settled.chain.issuers[0].view(job.there),
            "ca_created": made,
            "request_id": facts.get("request_id"),
            "predicted": settled.issued.predicted,
            "signing_chain": [certificate.pem for certificate in settled.issued.signing],
        },
    )
