# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CUCM says when it refuses a certificate: failure classes with cause and remedy, recognized tolerantly.

Only a few texts are documented (Cisco document 217138); the others are paraphrased in Cisco's own list of failure
classes, so that each pattern looks for words that any wording would contain.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._text import readable


@dataclass(frozen=True)
class Refusal:
    """One class of failure, named as Cisco's HCM-F numbers it."""

    code: str
    pattern: re.Pattern[str]
    cause: str
    remedy: str


def _refusal(code: str, pattern: str, cause: str, remedy: str) -> Refusal:
    return Refusal(code, re.compile(pattern, re.IGNORECASE | re.DOTALL), cause, remedy)


# The first that matches wins: the specific before the general.
REFUSALS: tuple[Refusal, ...] = (
    _refusal(
        "1015", r"public\s*key.{0,60}(do(es)? not|don't|mis)\s*match",
        "the certificate was made for another key than that of the CSR that is pending on the node",
        "Sign the pending CSR (a new CSR replaces the older one and its key) and upload that certificate.",
    ),
    _refusal(
        "1016", r"\bSANs?\b.{0,60}(do(es)? not|don't|mis)\s*match|subject alt\w* name.{0,60}not match",
        "the subject alternative names of certificate and CSR differ",
        "Have the CA take the names of the CSR exactly; often it adds the common name, a www name or an address.",
    ),
    _refusal(
        "1017", r"\.csr\b.{0,40}(does not|doesn't) exist|no csr|csr.{0,40}(not found|does not exist|unavailable)",
        "no CSR is pending on the node, so that CUCM has no key for this certificate",
        "Run cucm_csr, sign what it returns and upload that certificate.",
    ),
    _refusal(
        "1018",
        r"CA certificate is not available|\b(CA|issuer)\b.{0,60}not\b.{0,30}trust|trust.?store.{0,40}(not|missing)",
        "the CA that signed the certificate is not in the trust store",
        "Give the whole chain up to the root with the option chain.",
    ),
    _refusal(
        "duplicate", r"common name.{0,120}(exist|later|already)|already exists",
        "the trust store holds another certificate with this common name that starts later",
        "CUCM keeps one certificate per common name; remove the other one or use a CA with another name.",
    ),
    _refusal("1019", r"error in CA certificate", "CUCM finds a fault in the CA certificate",
             "Check its dates, key length and constraints."),
    _refusal("1021", r"not in PEM|PEM format", "CUCM does not take the input as PEM",
             "Try again; if it happens again, something disturbs the paste."),
    _refusal("1020", r"error reading", "CUCM could not read the certificate", "Check the certificate with openssl."),
    _refusal("1025", r"invalid certificate type|invalid (unit|purpose|service)",
             "this release does not know the purpose", "Use a purpose that cucm_certificate_info lists."),
    _refusal("1022", r"invalid certificate", "CUCM does not accept the file as a valid certificate",
             "Check dates, key length and extensions of the certificate."),
    _refusal("1014", r"csr can\s?not be generated", "CUCM makes no CSR for this purpose",
             "Use a purpose that has an identity certificate."),
    _refusal("expired", r"expired|not yet valid", "the certificate is not valid at the node's time",
             "Check the node's clock (NTP) and the dates of the certificate."),
    _refusal("level", r"privilege|not authori[sz]ed|permission|forbidden",
             "the platform account may not work with certificates",
             "Use an account of level 1 (set account name) or the installer's account."),
    _refusal(
        "1015 or 1017", r"could not be uploaded",
        "releases up to 9.1 say this when the node has no pending CSR and when the certificate belongs to another key",
        "Run cucm_csr again, sign what it returns and upload that certificate.",
    ),
    _refusal("disk", r"no space left|disk.{0,20}full", "the node's disk is full", "Free space on the node."),
    _refusal("1027", r"internal error", "CUCM reports an internal error", "Try again; if it recurs, look at its logs."),
    _refusal("1026", r"fail|unsuccessful|error", "CUCM does not say why", "Look at the node's certificate log."),
)  # fmt: skip


def classify(words: str) -> Refusal | None:
    """The class of failure that CUCM's words indicate."""
    return next((refusal for refusal in REFUSALS if refusal.pattern.search(words)), None)


def explain(words: str) -> str:
    """Cause, CUCM's own words and the remedy, as the end of a sentence."""
    said = f'CUCM said: "{readable(words)}"' if readable(words) else "CUCM said nothing"
    found = classify(words)
    if found is None:
        return f"a fresh read shows that it did not take. {said}. Run again; if it happens again, try it by hand."
    return f"{found.cause}. {said}. {found.remedy}"
