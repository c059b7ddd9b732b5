# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a SIP TLS port presents, asks for and answers. Private to this collection."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import (
    OLD_VERSIONS,
    Asked,
    Handshake,
    Identity,
    Seen,
    client_context,
    old_peer_context,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.sip_options import ask
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import (
    ALERTS,
    alert_words,
    dn_parts,
    dn_text,
)
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import confine
from ansible_collections.siptls.cucm.plugins.module_utils._net.tls import LEGACY_REASONS
from ansible_collections.siptls.cucm.plugins.module_utils._releases import LEGACY

# Seconds within which a TLS 1.3 server refuses a client; the wait for an answer to OPTIONS is much longer.
LATE_REFUSAL = 0.5
# Alerts of servers that were shown no certificate, by the library that they are made of.
_NONE_SHOWN = {"handshake_failure", "bad_certificate", "certificate_unknown", "certificate_required"}
_NEXT_STEPS = {
    "unknown_ca": "Import the root (and each CA between) of the client certificate into the node's CallManager-trust "
    "with cucm_cert_upload, and restart Cisco CallManager.",
    "bad_certificate": "Check that CallManager-trust of the node has this very CA, not an earlier one of that name.",
    "unsupported_certificate": "Have the client certificate issued anew with serverAuth and clientAuth (ca_sign).",
    "certificate_expired": "Renew the client certificate, and compare the node's clock.",
    "certificate_revoked": "Have the client certificate issued anew.",
    "certificate_unknown": "Compare the names of the client certificate with x509_subject_name in the node's SIP trunk "
    "security profile, and its CA with CallManager-trust.",
    "access_denied": "Compare the names of the client certificate with x509_subject_name in the node's SIP trunk "
    "security profile.",
    "handshake_failure": "Compare the ciphers: the enterprise parameter TLS Ciphers, and Device Security Mode in the "
    "profile.",
    "protocol_version": "Compare the TLS versions: set tls min-version on the node, legacy_crypto here.",
}


# The alert of a server that has no certificate of the kind that was asked for, and OpenSSL's words for it.
_NO_SUCH_IDENTITY = 40
_OTHER_VERSION = 70


class UnusableIdentity(Failure):
    """The client certificate could not be loaded."""


@dataclass(frozen=True)
class Target:
    """A SIP TLS port, and how it is reached; timeout in seconds."""

    host: str
    port: int
    legacy: bool
    timeout: float

    @property
    def where(self) -> str:
        """Host and port in words."""
        return f"{self.host} port {self.port}"


def served_certificate(target: Target, asked: Asked) -> list[str]:
    """The chain of one of the port's identities, leaf first, as PEM, whether or not the server lets us in.

    Nothing is verified: the caller compares. Raises Failure when no chain was seen, with state ``unreachable`` (no TCP
    connection), ``no_handshake`` or ``other_identity`` (the port showed the other one alone) among its facts.
    """
    with handshake(target, asked) as connection:
        return [ssl.DER_cert_to_PEM_cert(der) for der in connection.seen.chain]


def takes_old_peers(target: Target) -> bool | None:
    """Whether the port agrees on a TLS version and a cipher with a CUCM before 11.0; None when that is not known.

    A cluster offers as a client what it takes as a server: minimum TLS version and TLS Ciphers count for both.
    """
    try:
        with _connected(target, old_peer_context()) as connection:
            connection.shake()
            if connection.seen.chain:
                return True
            alert = connection.seen.alert
            return False if alert is not None and alert[1] in (_NO_SUCH_IDENTITY, _OTHER_VERSION) else None
    except Failure:
        return None


@contextmanager
def handshake(target: Target, asked: Asked, identity: Identity | None = None) -> Iterator[Handshake]:
    """A connection on which the server has shown the identity that was asked for; Failure when it did not.

    TLS 1.3 is tried where the server speaks nothing older, because only up to TLS 1.2 an offer names the identity.
    """
    first: Failure | None = None
    for tls13 in (False, True):
        context = _context(target, asked, identity, tls13=tls13)
        with _connected(target, context) as connection:
            connection.shake()
            # An old server shows its certificate and is then refused by OpenSSL for its version.
            if connection.seen.chain and (target.legacy or connection.seen.tls_version not in OLD_VERSIONS):
                _check_kind(target, asked, connection.seen)
                yield connection
                return
            first = first or no_chain(target, asked, connection.seen)
            if connection.seen.alert is None or connection.seen.alert[1] != _OTHER_VERSION:
                break
    raise first or AssertionError("a handshake without a chain has a reason")


def _context(target: Target, asked: Asked, identity: Identity | None, *, tls13: bool) -> ssl.SSLContext:
    try:
        return client_context(asked, legacy=target.legacy, identity=identity, tls13=tls13)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(error, target.legacy) from None


def _check_kind(target: Target, asked: Asked, seen: Seen) -> None:
    """In TLS 1.3 the server may show the other identity than the one that was asked for."""
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    leaf = certificate_view(seen.chain[0])
    shown = Asked.RSA if leaf["key_type"] == "RSA" else Asked.ECDSA
    if shown is not asked:
        raise Failure(
            f"Asking {target.where} for its {asked.value} certificate failed: over {seen.tls_version}, the only "
            f"version that it speaks, it presents its {shown.value} certificate, {leaf['subject']}. Look at it with "
            f"openssl s_client -sigalgs {'rsa_pss_rsae_sha256' if asked is Asked.RSA else 'ecdsa_secp384r1_sha384'}.",
            state="other_identity",
        )


def _connected(target: Target, context: ssl.SSLContext) -> Handshake:
    """A TCP connection ready for its handshake; raises Failure with what the operating system said."""
    confine.check(target.host, target.port)
    try:
        return Handshake(target.host, target.port, context, target.timeout)
    except TimeoutError:
        reason, said = "silent", f"no answer within {target.timeout:g} s"
        hint = "Look for a firewall between this machine and the node."
    except ConnectionRefusedError:
        reason, said = "refused", "the connection was refused"
        hint = "Check that Cisco CallManager runs there, and that there is a trunk with a TLS profile on this port."
    except OSError as error:
        reason, said = "unreachable", (error.strerror or type(error).__name__).lower()
        hint = "Check the name and the address."
    raise Failure(
        f"Connecting to {target.where} for a TLS handshake failed: {said}. {hint}",
        state="unreachable",
        port_state=reason,
    )


def no_chain(target: Target, asked: Asked, seen: Seen) -> Failure:
    """Why a handshake ended before the server's certificate was seen, in a sentence."""
    facts: dict[str, Any] = {"state": "no_handshake"}
    if seen.plain_text:
        first = seen.plain_text.split(b"\r\n")[0][:60].decode("ascii", "replace")
        said = f"it does not speak TLS there (its first line is {first!r})"
        hint = "Use the port of the SIP trunk security profile with transport TLS, 5061 by default."
    else:
        code = seen.alert[1] if seen.alert else None
        name, meaning = ALERTS.get(code, (f"alert {code}", "")) if code is not None else ("", "")
        said = f"it answered {name}: {meaning}" if code is not None else (seen.problem or "it closed the connection")
        hint = "Check that Cisco CallManager runs there and that the port accepts TLS."
        if code == _NO_SUCH_IDENTITY:
            facts["no_such_identity"] = True
            hint = f"It may have no {asked.value} certificate, or no cipher for it (enterprise parameter TLS Ciphers)."
        # No old release has an ECDSA certificate, so legacy_crypto can't bring one to light.
        lacking = asked is Asked.ECDSA and code == _NO_SUCH_IDENTITY
        if (
            not lacking
            and not target.legacy
            and LEGACY_REASONS.search(f"{name} {seen.problem or ''}".replace("_", " "))
        ):
            hint = f"Releases {LEGACY} speak only TLS 1.0 and old ciphers: set legacy_crypto: true for this cluster."
    return Failure(
        f"The TLS handshake with {target.where} for its {asked.value} certificate showed no certificate: {said}. "
        f"{hint}",
        **facts,
    )


def probe(target: Target, *, identity: Identity | None = None, options: bool = True) -> dict[str, Any]:
    """Handshakes for both identities and, where it is let in, an OPTIONS: the result of sip_tls_probe.

    What is not under ``identities`` is of the RSA identity, or of the ECDSA one where the port has no other. Raises
    Failure when there was no connection or no certificate was seen.
    """
    try:
        main, found = Asked.RSA, _probe(target, Asked.RSA, identity, options)
    except Failure as failure:
        if isinstance(failure, UnusableIdentity) or failure.facts.get("state") == "unreachable":
            raise
        refused = {Asked.RSA: failure}
        try:
            main, found = Asked.ECDSA, _probe(target, Asked.ECDSA, identity, options)
        except Failure:
            raise failure from None
    else:
        refused = {}
    return {**found, "identity": main.value, "identities": _identities(target, main, found, refused)}


def _identities(
    target: Target, main: Asked, found: Mapping[str, Any], refused: Mapping[Asked, Failure]
) -> dict[str, dict[str, Any]]:
    """Each identity by its kind: ``presented`` (None: not known), ``text`` why not, and what was seen of it."""
    result: dict[str, dict[str, Any]] = {}
    for asked in Asked:
        if asked is main:
            result[asked.value] = {"presented": True, "text": "", **{key: found[key] for key in _OF_IDENTITY}}
            continue
        failure = refused.get(asked)
        try:
            if failure is not None:
                raise failure
            with handshake(target, asked) as connection:
                seen = connection.seen
                shown = {"tls_version": seen.tls_version, "cipher": seen.cipher, **_certificates(seen)}
                result[asked.value] = {"presented": True, "text": "", **shown}
        except Failure as why:
            known = False if why.facts.get("no_such_identity") else None
            nothing: dict[str, Any] = {"tls_version": None, "cipher": None, "chain": [], "names": []}
            result[asked.value] = {"presented": known, "text": why.msg, **nothing}
    return result


_OF_IDENTITY = ("tls_version", "cipher", "chain", "names")


def _probe(target: Target, asked: Asked, identity: Identity | None, options: bool) -> dict[str, Any]:
    with handshake(target, asked, identity) as connection:
        seen, answer, early = connection.seen, None, b""
        if seen.finished and seen.tls_version == "TLSv1.3":
            early = connection.receive(min(LATE_REFUSAL, target.timeout))
        if seen.finished and options and seen.alert is None and not seen.closed:
            answer = ask(connection, target.host, target.port, target.timeout, early)
    accepted = _accepted(seen, answer)
    return {
        "tls_version": seen.tls_version,
        "cipher": seen.cipher,
        "accepted": accepted,
        "client_certificate_asked": seen.asked,
        "acceptable_cas": None if seen.asked_cas is None else [dn_text(der) for der in seen.asked_cas],
        "acceptable_ca_names": None if seen.asked_cas is None else [dn_parts(der) for der in seen.asked_cas],
        "mutual": _mutual(seen, accepted, shown=identity is not None),
        "alert": _alert(seen, shown=identity is not None),
        "trouble": None if accepted else seen.problem,
        "options": answer,
        **_certificates(seen),
    }


def _certificates(seen: Seen) -> dict[str, Any]:
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    chain = [certificate_view(certificate) for certificate in seen.chain]
    alternatives = (re.sub(r"^(?:DNS|IP|URI|email):", "", name) for name in chain[0]["sans"])
    return {"chain": chain, "names": list(dict.fromkeys(filter(None, (chain[0]["common_name"], *alternatives))))}


def _accepted(seen: Seen, answer: dict[str, Any] | None) -> bool | None:
    """Whether the server let us in. In TLS 1.3 only what it says after the handshake proves it."""
    if not seen.finished or seen.alert is not None:
        return False
    if seen.tls_version != "TLSv1.3" or (answer or {}).get("alive"):
        return True
    return False if seen.closed else None


def _mutual(seen: Seen, accepted: bool | None, *, shown: bool) -> bool | None:
    """Whether the server authenticates its clients: it asks for a certificate, and does not go on without one."""
    if seen.asked and not shown:
        return None if accepted is None else not accepted
    if seen.asked is None and not shown and accepted is not None:
        return None if accepted is False and seen.alert is None else not accepted
    return seen.asked


def _alert(seen: Seen, *, shown: bool) -> dict[str, Any] | None:
    """The alert that ended the handshake, in words."""
    found, sender = (seen.alert, "server") if seen.alert else (seen.alert_sent, "probe")
    if found is None:
        return None
    level, name, meaning = alert_words(*found)
    step = _NEXT_STEPS.get(name, "Read the traces of Cisco CallManager at this time (cucm_trace_info).")
    if sender == "server" and not shown and seen.asked is not False and name in _NONE_SHOWN:
        meaning = "the server asked for a certificate and was given none, as it should be with mutual TLS"
        step = "Give client_certificate and client_key of a peer to be let in; the chain was seen all the same."
    return {"from": sender, "level": level, "name": name, "code": found[1], "meaning": meaning, "next_step": step}


def compare(leaf: dict[str, Any], expected: str | None) -> dict[str, Any]:
    """``matches_held``, ``state`` and ``state_text``: what is presented (a certificate_view) against the expected one.

    expected is PEM or a SHA-256 fingerprint; raises Failure when it is neither.
    """
    if not expected:
        return {"matches_held": None, "state": "presented", "state_text": "nothing was given to compare with"}
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import colons
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    digits = re.sub(r"^sha-?256[:=]|[:\s]", "", expected.strip().lower())
    is_print = re.fullmatch(r"[0-9a-f]{64}", digits) is not None
    view = None if is_print else certificate_view(expected)
    wanted = colons(digits) if view is None else view["sha256"]
    if leaf["sha256"] == wanted:
        return {
            "matches_held": True,
            "state": "active",
            "state_text": "the node presents the certificate that it holds",
        }
    shown = f"the node presents certificate {leaf['serial']} of {leaf['subject']}, issued by {leaf['issuer']}"
    if view is None or view["common_name"] != leaf["common_name"]:
        text = f"{shown}, not the one that is installed; check whether another server responds there"
        return {"matches_held": False, "state": "different", "state_text": text}
    if leaf["not_before"] > view["not_before"]:
        text = f"{shown}, which is newer than the one given as held ({view['serial']}); read the held one again"
        return {"matches_held": False, "state": "newer_than_held", "state_text": text}
    text = f"{shown}, and not yet {view['serial']}, which was uploaded; restart Cisco CallManager on it"
    return {"matches_held": False, "state": "uploaded_not_active", "state_text": text}


def legacy_warning(host: str, found: dict[str, Any]) -> str | None:
    """What legacy_crypto let through, when it was needed."""
    leaf = found["chain"][0]
    used = (
        [f"{found['tls_version']} with {found['cipher'] or 'an unknown cipher'}"]
        if (found["tls_version"] in OLD_VERSIONS)
        else []
    )
    if leaf["key_type"] == "RSA" and leaf["key_size"] < 2048:
        used.append(f"a certificate with an RSA key of {leaf['key_size']} bits")
    if leaf["signature_algorithm"].lower().startswith(("sha1", "md5")):
        used.append(f"a certificate signed with {leaf['signature_algorithm'][:4].upper()}")
    return f"legacy_crypto let through on {host}: {', '.join(used)}." if used else None


def _unusable(error: ssl.SSLError | OSError, legacy: bool) -> UnusableIdentity:
    """Why a client certificate could not be loaded; never a word of its key."""
    said = (getattr(error, "reason", None) or error.strerror or type(error).__name__).lower().replace("_", " ")
    hint = "Give the matching pair in PEM."
    if not legacy and LEGACY_REASONS.search(said):
        hint = "It is a certificate of an old release: set legacy_crypto: true."
    elif "bad decrypt" in said or "passphrase" in said or "password" in said:
        hint = "Give client_key_passphrase."
    return UnusableIdentity(f"The client certificate and its key cannot be used: {said}. {hint}")
