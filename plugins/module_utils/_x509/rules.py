# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CA of ours signs, and what we take from a CA that is not ours; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import san_key

BOTH_USES = ("serverAuth", "clientAuth")
# What CUCM up to 12.5 asks for (certificates.md, 6.4); for the request that asks for nothing.
USUAL_KEY_USAGE = ("digitalSignature", "keyEncipherment", "dataEncipherment", "keyAgreement")
CA_KEY_USAGE = ("keyCertSign", "cRLSign")
SMALLEST_RSA, SOUND_RSA, LARGEST_RSA = 1024, 2048, 4096
CURVE_SIZES = (256, 384, 521)
# A clock of the node or of the CA that is this far behind does not spoil a fresh certificate.
CLOCK_TOLERANCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Policy:
    """What a certificate is to be like, whatever its request says. days: how long; skew: how far back it begins.

    eku_policy: both (exactly serverAuth and clientAuth) or keep (those and what the request asks for besides).
    """

    days: int = 730
    skew: timedelta = timedelta(hours=1)
    digest: str = "sha256"
    eku_policy: str = "both"
    allowed_sans: tuple[str, ...] = ()

    def eku(self, csr: dict[str, Any]) -> list[str]:
        """The extended key usages of a certificate for a request."""
        more = [one for one in csr["eku"] if one not in BOTH_USES] if self.eku_policy == "keep" else []
        return [*BOTH_USES, *more]

    @staticmethod
    def key_usage(csr: dict[str, Any]) -> list[str]:
        """The key usages of a certificate for a request: those asked for, except a CA's own."""
        return [one for one in csr["key_usage"] if one not in CA_KEY_USAGE] or list(USUAL_KEY_USAGE)


def judge_csr(csr: dict[str, Any], policy: Policy) -> list[str]:
    """Judge a request (a csr_view) before it is signed; returns warnings, raises Failure with every objection."""
    objections = list(_objections(csr, policy))
    if objections:
        raise Failure(
            f"The request of {csr['subject'] or 'an empty subject'} is not signed: {'; '.join(objections)}.",
            objections=objections,
        )
    warnings = []
    if csr["key_type"] == "RSA" and csr["key_size"] < SOUND_RSA:
        warnings.append(
            f"The request of {csr['subject']} holds an RSA key of {csr['key_size']} bits, which is weak: "
            f"ask for {SOUND_RSA} bits where the release can (10.5 and later)."
        )
    dropped = [one for one in csr["key_usage"] if one in CA_KEY_USAGE]
    if dropped:
        warnings.append(
            f"The request of {csr['subject']} asks for {' and '.join(dropped)}, which only a CA may have; left out."
        )
    return warnings


def _objections(csr: dict[str, Any], policy: Policy) -> Iterator[str]:
    if not csr["signature_valid"]:
        yield (
            "its own signature does not fit its key, so that it is damaged or forged; read it again from the node, "
            "or make a new one"
        )
    if not csr["common_name"]:
        yield "its subject has no common name, which is what a peer's security profile is compared with"
    if csr["is_ca"]:
        yield "it asks to become a CA"
    names = [csr["common_name"] or "", *csr["sans"]]
    wild = [one for one in names if "*" in one]
    if wild:
        yield f"it holds the wildcard {wild[0]}, and CUCM takes no wildcard certificates"
    yield from _key_objections(csr)
    if policy.allowed_sans:
        outside = [one for one in names if one and not _allowed(one, policy.allowed_sans)]
        if outside:
            yield f"allowed_sans does not allow the name {', '.join(outside)}"


def _key_objections(csr: dict[str, Any]) -> Iterator[str]:
    kind, bits = csr["key_type"], csr["key_size"]
    if kind == "RSA" and not SMALLEST_RSA <= bits <= LARGEST_RSA:
        yield f"its RSA key has {bits} bits, and CUCM uses {SMALLEST_RSA} to {LARGEST_RSA}"
    elif kind == "EC" and bits not in CURVE_SIZES:
        yield f"its EC key has {bits} bits, and CUCM uses {', '.join(map(str, CURVE_SIZES))}"
    elif kind not in ("RSA", "EC"):
        yield f"its key is of the kind {kind}, and CUCM uses RSA and EC"


def _allowed(name: str, patterns: tuple[str, ...]) -> bool:
    plain = san_key(name).partition(":")[2]
    return any(fnmatchcase(plain, san_key(one).partition(":")[2]) for one in patterns)


def judge_certificate(
    view: dict[str, Any], csr: dict[str, Any], *, now: datetime | None = None
) -> tuple[list[str], list[str]]:
    """(what makes a certificate useless for CUCM, what is merely worth a word) of a certificate for a request.

    What the CA left out or added is named, with what to change at the CA.
    """
    return list(_faults(view, csr, now or datetime.now(UTC))), list(_remarks(view, csr))


def _faults(view: dict[str, Any], csr: dict[str, Any], now: datetime) -> Iterator[str]:
    if view["public_key_sha256"] != csr["public_key_sha256"]:
        yield "it holds another public key than the request, so that it answers another request"
    if view["common_name"] != csr["common_name"]:
        yield (
            f"its common name is {view['common_name']}, not {csr['common_name']}; "
            "the CA must take the subject from the request"
        )
    wanted, got = ({san_key(one): one for one in side["sans"]} for side in (csr, view))
    added = [one for key, one in got.items() if key not in wanted]
    left_out = [one for key, one in wanted.items() if key not in got]
    if added:
        yield f"the CA added the alternative name {', '.join(added)}, and CUCM wants exactly those of the request"
    if left_out:
        yield f"the CA left out the alternative name {', '.join(left_out)}, and CUCM wants exactly those of the request"
    missing = [
        one for one in BOTH_USES if view["eku"] and one not in view["eku"] and "anyExtendedKeyUsage" not in view["eku"]
    ]
    if missing:
        yield (
            f"it lacks the extended key usage {' and '.join(missing)}; CallManager is server and client at once, so "
            "use a template or profile with both serverAuth and clientAuth"
        )
    lost = [one for one in csr["key_usage"] if one not in (*view["key_usage"], *CA_KEY_USAGE)]
    if view["key_usage"] and lost:
        yield f"it lacks the key usage {', '.join(lost)} that was asked for; allow it in the template or profile"
    if view["is_ca"]:
        yield "it is a CA certificate"
    begin, end = (datetime.fromisoformat(view[one].replace("Z", "+00:00")) for one in ("not_before", "not_after"))
    if begin > now + CLOCK_TOLERANCE:
        yield f"it is not valid before {view['not_before']}; compare the clocks"
    if end <= now:
        yield f"it ended on {view['not_after']}"


def _remarks(view: dict[str, Any], csr: dict[str, Any]) -> Iterator[str]:
    if not view["eku"]:
        yield "it names no extended key usage, which allows every use"
    more = [one for one in view["eku"] if one not in (*BOTH_USES, *csr["eku"])]
    if more:
        yield f"the CA added the extended key usage {', '.join(more)}"
    if view["subject"] != csr["subject"] and view["common_name"] == csr["common_name"]:
        yield f"its subject is {view['subject']}, where {csr['subject']} was asked for"
    if "sha1" in view["signature_algorithm"].lower() or "md5" in view["signature_algorithm"].lower():
        yield f"it is signed with {view['signature_algorithm']}, which newer peers refuse"
