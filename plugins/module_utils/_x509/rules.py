# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUCM's rules for requests, certificates and chains, each said once; private to siptls.cucm.

Each broken rule is the end of a sentence about the certificate: what is wrong, and what to do. Signing checks the
request before and the certificate after; uploading checks the certificate, its request and its chain. Sources: Cisco
document 217138 (upload), the Security Guide of 12.5 (key sizes, usages), RFC 5280 (chains).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import constraints
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, other_issuer
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import BOTH_USES, TLS_KEY_USAGES
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC, NIST_CURVES, RSA
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import AltName, name_problems
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, Purpose

# What CUCM up to 12.5 asks for (certificates.md, 6.4); for the request that asks for nothing.
USUAL_KEY_USAGE = ("digitalSignature", "keyEncipherment", "dataEncipherment", "keyAgreement")
CA_KEY_USAGE = ("keyCertSign", "cRLSign")
SMALLEST_RSA, SOUND_RSA, LARGEST_RSA = 1024, 2048, 4096
#: alternative names of one request; a cluster has at most some 20 nodes
MOST_SANS = 100
#: kinds of alternative names that CUCM puts into its requests
SAN_KINDS = ("DNS", "IP")
#: what CAs of Microsoft mark as critical, by the names in their templates; and what no CA may mark so
_CRITICAL = {
    "1.3.6.1.4.1.311.21.10": "Microsoft's Application Policies", "1.3.6.1.4.1.311.21.7": "Microsoft's template",
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess", "2.5.29.14": "subjectKeyIdentifier",
    "2.5.29.35": "authorityKeyIdentifier",
}  # fmt: skip
# A clock of the node or of the CA that is this far behind does not spoil a fresh certificate.
CLOCK_TOLERANCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Policy:
    """What a certificate has to be like, whatever its request says. days: how long; skew: how far back it begins.

    eku_policy: both (exactly serverAuth and clientAuth) or keep (those, and of kept_eku what the request asks for).
    """

    days: int = 730
    skew: timedelta = timedelta(hours=1)
    digest: str = "sha256"
    eku_policy: str = "both"
    allowed_sans: tuple[str, ...] = ()
    kept_eku: tuple[str, ...] = ("ipsecEndSystem",)

    def eku(self, request: Request) -> list[str]:
        """The extended key usages of a certificate for a request."""
        asked = request.extensions.eku or ()
        more = [use for use in asked if use not in BOTH_USES and use in self.kept_eku]
        return [*BOTH_USES, *(more if self.eku_policy == "keep" else ())]

    @staticmethod
    def key_usage(request: Request) -> list[str]:
        """The key usages of a certificate for a request: those asked for, except a CA's own."""
        asked = request.extensions.key_usage or ()
        return [use for use in asked if use not in CA_KEY_USAGE] or list(USUAL_KEY_USAGE)


def check_request(request: Request, policy: Policy, more: Iterable[str] = ()) -> list[str]:
    """Check a request before it is signed; returns warnings, raises Failure with every problem, `more` among them."""
    problems = [*request_problems(request, policy), *more]
    title = request.subject.text or "an empty subject"
    if problems:
        raise Failure(f"The request of {title} is not signed: {'; '.join(problems)}.", problems=problems)
    warnings = []
    if request.key.kind == RSA and request.key.bits < SOUND_RSA:
        warnings.append(
            f"The request of {title} holds an RSA key of {request.key.bits} bits, which is weak: "
            f"ask for {SOUND_RSA} bits where the release can (10.5 and later)."
        )
    uses = [use for use in request.extensions.eku or () if use not in policy.eku(request)]
    if uses and policy.eku_policy == "keep":
        warnings.append(
            f"The request of {title} asks for the extended key usage {', '.join(uses)}, which is left out. To keep it, "
            "list it in kept_eku."
        )
    dropped = [usage for usage in request.extensions.key_usage or () if usage in CA_KEY_USAGE]
    if dropped:
        warnings.append(f"The request of {title} asks for {' and '.join(dropped)}, which only a CA may have; left out.")
    return warnings


def request_problems(request: Request, policy: Policy) -> Iterator[str]:
    """Why a request is not signed, whoever signs."""
    if not request.signature_valid:
        yield (
            "its own signature does not fit its key, so that it is damaged or forged; read it again from the node, "
            "or make a new one"
        )
    if request.extensions.ca:
        yield "it asks to become a CA"
    yield from request.extensions.unread
    sans = request.extensions.sans
    if len(sans) > MOST_SANS:
        # The names themselves would make a sentence of many pages.
        yield f"it contains {len(sans)} alternative names, and a certificate for CUCM has at most {MOST_SANS}"
        return
    yield from name_problems(request.subject, sans)
    nets = [name.text for name in sans if name.kind == "IP" and not is_address(name.value)]
    if nets:
        yield f"it contains {', '.join(nets)}, which is not the address of one node"
    odd = [name.text for name in sans if name.kind not in SAN_KINDS]
    if odd:
        yield f"it contains the alternative name {', '.join(odd)}, and CUCM uses DNS names and IP addresses only"
    yield from key_problems(request)
    if policy.allowed_sans:
        names = [AltName.parse(common_name) for common_name in request.subject.common_names] + list(sans)
        outside = [name.value for name in names if name.value and not _allowed(name, policy.allowed_sans)]
        if outside:
            yield f"allowed_sans does not allow the name {', '.join(dict.fromkeys(outside))}"


def key_problems(holder: Certificate | Request) -> Iterator[str]:
    """Why CUCM cannot use a key."""
    kind, bits = holder.key.kind, holder.key.bits
    if kind == RSA and not SMALLEST_RSA <= bits <= LARGEST_RSA:
        yield f"its RSA key has {bits} bits, and CUCM takes no more than {LARGEST_RSA} and no less than {SMALLEST_RSA}"
    elif kind == EC and holder.key.curve not in NIST_CURVES:
        shown = f"{bits} bits" if bits else "an unknown size"
        yield f"its EC key has {shown} on a curve that CUCM does not use. CUCM uses {', '.join(NIST_CURVES.values())}"
    elif kind not in (RSA, EC):
        yield f"its key is of the kind {kind}, and CUCM uses RSA and EC"


def _allowed(name: AltName, patterns: tuple[str, ...]) -> bool:
    plain = name.key.partition(":")[2]
    return any(fnmatchcase(plain, AltName.parse(pattern).key.partition(":")[2]) for pattern in patterns)


def certificate_problems(
    certificate: Certificate, purpose: Purpose = TRUNK, *, eku_required: bool = True
) -> Iterator[str]:
    """Why CUCM would refuse a certificate for a purpose, or a trunk would fail with it; dates are date_problems."""
    if certificate.is_ca:
        yield "it is a CA certificate, which belongs in a trust store. Give CAs in chain and the leaf in certificate"
    if certificate.self_signed:
        yield "it is self-signed, and CUCM takes only what a CA signed. Sign the CSR with a CA"
    yield from certificate.extensions.unread
    yield from name_problems(certificate.subject, certificate.extensions.sans)
    if eku_required:
        yield from eku_problems(certificate, purpose)
    if certificate.key.kind != purpose.key:
        yield f"its key is {certificate.key.kind}, and purpose {purpose.name} takes {purpose.key}"
    yield from key_problems(certificate)


def eku_problems(certificate: Certificate, purpose: Purpose = TRUNK) -> Iterator[str]:
    """The extended key usages that a purpose needs and the certificate lacks."""
    missing = [use for use in purpose.uses if not certificate.extensions.allows(use)]
    if missing:
        yield (
            f"its extended key usage is {', '.join(certificate.extensions.eku or ()) or 'empty'} alone. It lacks "
            f"{' and '.join(missing)}: a SIP trunk is TLS server and client at once. Have the CA issue with a template "
            "or profile for both (public CAs no longer do), or set eku_policy"
        )
    yield from key_usage_problems(certificate, purpose.uses)


def key_usage_problems(certificate: Certificate, uses: Iterable[str] = BOTH_USES) -> Iterator[str]:
    """The key usages that OpenSSL needs for these uses and the certificate lacks."""
    for use in uses:
        needed = TLS_KEY_USAGES.get(use, ())
        if needed and not certificate.extensions.signs_for(use):
            yield (
                f"its key usage is {', '.join(certificate.extensions.key_usage or ()) or 'empty'} alone, and "
                f"{use} needs {' or '.join(needed)}. Have the CA issue with digitalSignature"
            )


def request_differences(certificate: Certificate, request: Request) -> Iterator[str]:
    """Where a certificate differs from its request although CUCM requires them to be the same."""
    if certificate.key != request.key:
        yield (
            "it was made for another key than that of the CSR. Sign the pending CSR (cucm_csr returns it) and use that "
            "certificate"
        )
        return
    added, lost = certificate.san_keys - request.san_keys, request.san_keys - certificate.san_keys
    if added or lost:
        parts = [f"{word} {', '.join(sorted(keys))}" for word, keys in (("added", added), ("left out", lost)) if keys]
        yield (
            f"its subject alternative names are not those of the CSR: the CA {' and '.join(parts)}. Have the CA take "
            "the names of the CSR exactly (it often adds the common name, a www name or an address)"
        )
    if certificate.common_name.lower() != request.common_name.lower():
        yield (
            f"its common name is {certificate.common_name}, that of the CSR {request.common_name}. Have the CA keep it"
        )
    given, asked = certificate.extensions.key_usage, request.extensions.key_usage or ()
    missing = [use for use in asked if given is not None and use not in (*given, *CA_KEY_USAGE)]
    if missing:
        yield f"it lacks the key usages {', '.join(missing)} of the CSR. Have the CA keep them"


def remarks(certificate: Certificate, request: Request) -> Iterator[str]:
    """Warnings about a certificate that CUCM accepts."""
    if certificate.extensions.eku is None:
        yield "it names no extended key usage, which allows every use"
    asked = (*BOTH_USES, *(request.extensions.eku or ()))
    more = [use for use in certificate.extensions.eku or () if use not in asked]
    if more:
        yield f"the CA added the extended key usage {', '.join(more)}"
    if certificate.subject.key != request.subject.key and certificate.common_name == request.common_name:
        yield f"its subject is {certificate.subject.text}, where {request.subject.text} was asked for"
    if certificate.signature.digest in ("sha1", "md5", "md2"):
        yield f"it is signed with {certificate.signature.algorithm}, which newer peers refuse"


def date_problems(
    certificate: Certificate,
    now: datetime | None = None,
    *,
    early: timedelta = CLOCK_TOLERANCE,
    late: timedelta = timedelta(),
    clock: str = "",
) -> Iterator[str]:
    """Why a certificate is not valid now. early and late: how far the clock may be off; clock: whose time it is."""
    now = now or datetime.now(UTC)
    said = f", and {clock}" if clock else ""
    if certificate.not_before > now + early:
        begin = time_text(certificate.not_before)
        yield f"it is not yet valid: it begins at {begin}{said}. Set the clock (NTP), or wait"
    if certificate.not_after < now - late:
        yield f"it expired at {time_text(certificate.not_after)}{said}. Get a new one"


def chain_problems(
    chain: Chain,
    dates: Callable[[Certificate], Iterable[str]] = date_problems,
    uses: Sequence[str] = BOTH_USES,
) -> Iterator[str]:
    """Why OpenSSL, which CUCM uses, would not follow a chain (RFC 5280, 6.1); what is missing above is Chain.gap.

    dates: date_problems by the clock of whoever follows the chain; those of the leaf are not among the problems. uses:
    what the leaf is followed for.
    """
    yield from _critical_problems(chain.leaf, "it")
    yield from _link_problems(chain)
    yield from issuer_eku_problems(chain.issuers, uses)
    for below, issuer in enumerate(chain.issuers):
        title = f"the CA certificate {issuer.subject.text} in its chain"
        yield from (f"{title} cannot be used: {text}" for text in dates(issuer))
        # OpenSSL takes no certificate for a CA's of which it cannot read a part.
        yield from (f"{title} is damaged: {text}. Get it from the CA again" for text in issuer.extensions.unread)
        yield from _critical_problems(issuer, title)
        yield from _rights_problems(chain, issuer)
        yield from _length_problems(chain, below, issuer)
        for certificate in chain.certificates[: below + 1]:
            leaf = certificate is chain.leaf
            if leaf or not certificate.self_issued:
                yield from _constraint_problems(issuer, certificate, leaf=leaf)


def _critical_problems(certificate: Certificate, title: str) -> Iterator[str]:
    """The critical extensions for which OpenSSL refuses a certificate."""
    for number in certificate.extensions.unhandled:
        known = f" ({_CRITICAL[number]})" if number in _CRITICAL else ""
        yield (
            f"{title} holds the critical extension {number}{known}, which OpenSSL does not know and so refuses. Have "
            "the CA leave it out, or not mark it as critical"
        )


def _link_problems(chain: Chain) -> Iterator[str]:
    """Where a certificate names another one as its issuer than the one above it, often that from before a renewal."""
    # OpenSSL takes a root for self-signed only where it names itself.
    above = [*chain.issuers, *([chain.top] if chain.complete and chain.issuers else [])]
    for certificate, issuer in zip(chain.certificates, above, strict=False):
        difference = other_issuer(certificate, issuer)
        # The stand-in of check mode is signed by another CA, so that what it names says nothing about this one.
        if difference and certificate.signed_by(issuer):
            title = "it" if certificate is chain.leaf else f"the CA certificate {certificate.subject.text} in its chain"
            yield (
                f"{title} names as its issuer (authorityKeyIdentifier) another certificate than that of "
                f"{issuer.subject.text} which is given: {difference}. OpenSSL does not follow that even if the key is "
                "the same. Keep the certificate that is named in the trust stores, or have the CA issue anew"
            )


def _rights_problems(chain: Chain, issuer: Certificate) -> Iterator[str]:
    """Why a certificate may not stand above another one."""
    if not issuer.may_sign:
        why = "may not sign certificates (keyCertSign is missing)" if issuer.is_ca else "is not a CA certificate"
        yield f"{issuer.subject.text}, which signed it, {why}. Have it issued by a CA"
    elif not issuer.is_ca and issuer is not chain.top:
        yield (
            f"{issuer.subject.text}, which signed it, does not say that it is a CA (basicConstraints is missing). "
            "OpenSSL since 1.1.1 lets no CA below the root do that; older ones let it pass. Have the CA renew its "
            "certificate with CA:TRUE"
        )


def issuer_eku_problems(issuers: Iterable[Certificate], uses: Sequence[str] = BOTH_USES) -> Iterator[str]:
    """The CAs whose own extended key usages do not let what they sign be used so."""
    for issuer in issuers:
        missing = [use for use in uses if not issuer.extensions.allows(use)]
        if missing:
            yield (
                f"the CA certificate {issuer.subject.text} in its chain is restricted to the extended key usage "
                f"{', '.join(issuer.extensions.eku or ()) or '(none)'}, which OpenSSL applies to all that it signs: "
                f"{' and '.join(missing)} is missing. Have it issued by a CA without that restriction"
            )


def _length_problems(chain: Chain, below: int, issuer: Certificate) -> Iterator[str]:
    # Self-issued certificates, of a CA that changed its key, do not count.
    between = sum(not authority.self_issued for authority in chain.issuers[:below])
    limit = issuer.extensions.path_length
    if limit is not None and between > limit:
        yield f"{issuer.subject.text} allows {limit} CAs below it (pathLenConstraint), and there are {between}"


def _constraint_problems(issuer: Certificate, below: Certificate, *, leaf: bool) -> Iterator[str]:
    """Names that the name constraints of a CA forbid to what is below it."""
    permitted, excluded = issuer.extensions.permitted, issuer.extensions.excluded
    if not permitted and not excluded:
        return
    names = [*constraints.subject_names(below.subject), *below.extensions.sans]
    if leaf and not any(name.kind == "DNS" for name in names):
        names += constraints.host_names(below.subject)
    for text in constraints.problems(permitted, excluded, names):
        yield f"the name constraints of {issuer.subject.text} {text}"


def authority_problems(certificate: Certificate, now: datetime | None = None) -> Iterator[str]:
    """Why a certificate cannot be that of a CA to trust or to sign with."""
    if not certificate.may_sign:
        yield "it is not a CA certificate. Give the CA's own"
    yield from date_problems(certificate, now)
    if certificate.key.kind == RSA and certificate.key.bits > LARGEST_RSA:
        yield f"its key has {certificate.key.bits} bits, and CUCM takes no more than {LARGEST_RSA}"
