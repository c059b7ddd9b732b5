# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences about certificates, claims and roll-overs: known before the first write, or of a cause that arose later.

tests/integration/test_mistakes.py has the other sentences of preflight. A sentence that is in neither table fails here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import failure_sentences

ROOT = Path(__file__).resolve().parents[2]
MODULE_UTILS = "plugins/module_utils"
#: files whose sentences are all known before the first write
CHECKS = (
    "_node/checks", "_roles/certificates/roll_over", "_roles/certificates/signing", "_roles/preflight/secrets",
    "_roles/undo/run_claim",
)  # fmt: skip
FILES = tuple(
    f"{MODULE_UTILS}/{name}.py" for name in ("_ca/signing", "_x509/chain", "_x509/names", "_x509/rules", *CHECKS)
)
_SIGNING, _ROLL_OVER = "tests/unit/roles/test_signing_check.py", "tests/unit/roles/test_roll_over_phases.py"
_CLASSES, _RULES = "tests/unit/node/test_failure_classes.py", "tests/unit/x509/test_rules.py"
_CHAIN = "tests/unit/node/test_chain_checks.py"
_PEERS = "tests/unit/roles/test_external_peers.py"
_CLAIM, _PROVIDERS = "tests/unit/roles/test_two_runs.py", "tests/unit/ca/test_providers.py"
_LOCAL, _ADCS = "tests/unit/ca/test_ca_sign_local.py", "tests/unit/ca/test_ca_sign_adcs.py"
#: known before the first write: part of the sentence, the test that shows it there by the same function, and its words
BEFORE = {
    # preflight, of a CSR that is pending on a node
    "that is pending there cannot be signed": (_SIGNING, "that is pending there cannot be signed"),
    "the request of <title> is not signed": (_SIGNING, "cannot be signed: The request of"),
    "its own signature does not fit its key": (_SIGNING, "its own signature does not fit its key"),
    "it asks to become a CA": (_SIGNING, "it asks to become a CA"),
    "alternative names, and a certificate for CUCM has at most": (_SIGNING, "it contains 101 alternative names"),
    "which is not the address of one node": (_SIGNING, "which is not the address of one node"),
    "and CUCM uses DNS names and IP addresses only": (_SIGNING, "it contains the alternative name URI:"),
    "no less than": (_SIGNING, "its RSA key has 512 bits"),
    "on a curve that CUCM does not use": (_SIGNING, "its EC key has"),
    "and CUCM uses RSA and EC": (_SIGNING, "its key is of the kind"),
    "its subject has no common name": (_SIGNING, "its subject has no common name"),
    "common names (<listed>)": (_SIGNING, "has 2 common names"),
    "it holds an empty name": (_SIGNING, "it holds an empty name"),
    "holds characters that cannot be seen": (_SIGNING, "holds characters that cannot be seen"),
    "which separates names in the X.509": (_SIGNING, "which separates names in the X.509"),
    "does not support wildcard certificates": (_SIGNING, "does not support wildcard certificates"),
    # preflight, of the CA that signs, of CAs that are to be trusted, and of external peers
    "peers would refuse a certificate for": (_PROVIDERS, "Nothing was requested"),
    "it is not a CA certificate. Give the CA's own": (_PEERS, "it is not a CA certificate. Give the CA's own"),
    "its key has <bits> bits, and CUCM takes no more than": (_PEERS, "its key has 4104 bits"),
    "two certificates named": (_SIGNING, "certificate named Ours"),
    "does not reach a root: <candidates>": (_PEERS, "not complete"),
    "the value of <secret> is part of a name": ("tests/unit/roles/test_secret_names.py", "is part of a name"),
    # the task that claims a cluster, before the first write
    "the file that keeps a second run away": (_CLAIM, "the file that keeps a second run away"),
    "another run is changing this cluster": (_CLAIM, "another run is changing this cluster"),
    # the phase of a roll-over, which is worked out before the first write
    "are of an old CA": (_ROLL_OVER, "preflight_roll_over"),
    "sip_tls_old_cas is not set, so that it is not known": (_ROLL_OVER, "sip_tls_old_cas is not set"),
    "the certificate of the new CA is not known": (_ROLL_OVER, "certificate of the new CA is not known"),
    "is both old": (_ROLL_OVER, "requires no roll-over"),
    "which is not an external peer": (_ROLL_OVER, "roll_over_ready_peers names sbx"),
    "the chain of the new CA": (_ROLL_OVER, "does not reach a root"),
    "CUCM keeps one certificate per name in a trust store": (_ROLL_OVER, "has the name of a CA in CallManager-trust"),
    "was not read completely": (_ROLL_OVER, "was not read completely"),
    "it is not known whether its SIP TLS port": (_ROLL_OVER, "not known whether its SIP TLS port presents"),
    "has to trust the new CA before certificates change": (_ROLL_OVER, "roll_over_ready_peers"),
    "callmanager_certificate_ecdsa is leave": (_ROLL_OVER, "callmanager_certificate_ecdsa is leave"),
    "has a certificate of the old CA, by its ca_chain": (_ROLL_OVER, "of the old CA, by its ca_chain"),
}  # fmt: skip
#: causes that arise after the first write of a run, which is a CSR
ISSUED = "the certificate that a CA issued in this run"
CHANGED = "another run, or a person, changed the node since"
ALONE = "options that no role passes: a module that runs by itself, before it writes"
WARNED = "no cause that ends a run: a warning"
#: part of the sentence, its cause, the test that shows that nothing is uploaded, and its words
LATER = {
    "is not used, and nothing was uploaded": (ISSUED, _ADCS, "WRONG"),
    "it is a CA certificate": (ISSUED, _CLASSES, "it is a CA certificate"),
    "it is self-signed, and CUCM takes only": (ISSUED, _CLASSES, "Give CAs in chain and the leaf in certificate"),
    "and purpose <name> takes": (ISSUED, _RULES, "and purpose"),
    "its extended key usage is": (ISSUED, _CLASSES, "is serverAuth alone"),
    "it was made for another key than that of the CSR": (ISSUED, _CLASSES, "another key than that of the CSR"),
    "its subject alternative names are not those": (ISSUED, _CLASSES, "the CA added DNS:www.example.com"),
    "its chain cannot be followed": (ISSUED, _RULES, "cannot be verified here"),
    "its key usage is": (ISSUED, _RULES, "encrypts keys alone"),
    "the critical extension": (ISSUED, _RULES, "unknown critical"),
    "(authorityKeyIdentifier) another certificate": (ISSUED, _RULES, "issuer:always"),
    "is restricted to the extended key usage": (ISSUED, _CHAIN, "is restricted to the extended key usage serverAuth"),
    "its common name is": (ISSUED, _CLASSES, "its common name is else"),
    "it lacks the key usages": (ISSUED, _CLASSES, "lacks the key usages"),
    "it is not yet valid": (ISSUED, _CLASSES, "not yet valid: it begins at"),
    "it expired at": (ISSUED, _CLASSES, "expired at 2024-01-01"),
    "which signed it": (ISSUED, _RULES, "between may not sign"),
    "pathLenConstraint": (ISSUED, _RULES, "path too long"),
    "the name constraints of": (ISSUED, _PROVIDERS, "name constraints"),
    "the chain is not complete": (ISSUED, _CLASSES, "the chain is not complete"),
    "is pending on the node, so that CUCM has no key": (CHANGED, _CLASSES, "no CSR for tomcat"),
    "is not the one that was signed": (CHANGED, _CLASSES, "it was replaced in between"),
    "allowed_sans does not allow": (ALONE, _LOCAL, "allowed_sans does not allow the name"),
    "csr is not set, and the provider": (ALONE, _LOCAL, "csr is not set"),
    "no clock is that wrong": (ALONE, _LOCAL, "no clock is that wrong"),
    "it is not known whether CUCM": (WARNED, _SIGNING, "accepts one"),
    "it names no extended key usage": (WARNED, _RULES, "remarks"),
    "the CA added the extended key usage": (WARNED, _RULES, "added the extended key usage"),
    "was asked for": (WARNED, _RULES, "remarks"),
    "name as their issuer": (WARNED, _CHAIN, "name as their issuer"),
    "which newer peers refuse": (WARNED, _RULES, "remarks"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """All sentences of the files, in lower case."""
    return [sentence.text.lower() for sentence in failure_sentences.of_files(ROOT, FILES)]


def test_each_sentence_is_shown_before_the_first_write_or_has_a_cause_that_arises_later(sentences: list[str]) -> None:
    parts = [part.lower() for part in (*BEFORE, *LATER)]
    assert len(sentences) > 50
    assert not [text for text in sentences if not any(part in text for part in parts)]
    assert not [part for part in parts if not any(part in text for text in sentences)], "no file has these any more"


def test_the_tests_that_show_them_have_their_words() -> None:
    rows = [*BEFORE.values(), *((file, words) for _cause, file, words in LATER.values())]
    missing = [(file, words) for file, words in rows if words.lower() not in (ROOT / file).read_text("utf-8").lower()]
    assert not missing


def test_the_page_puts_no_sentence_that_is_known_before_into_a_later_phase() -> None:
    # Rules of certificates stand where a CA signs; what preflight reports of them is in the text of that phase.
    phases = {phase.title: phase for phase in failure_sentences.PHASES}
    assert "CSRs that are pending" in phases["While a CA signs"].about
    for name in CHECKS:
        assert failure_sentences.phase_of(f"{MODULE_UTILS}/{name}.py").before
