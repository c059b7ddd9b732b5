# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a SIP TLS port presents, asks for and answers. Private to this collection."""

from __future__ import annotations

import re
import ssl
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.handshake import (
    OLD_VERSIONS,
    Handshake,
    Identity,
    Seen,
    client_context,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.sip_options import ask
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import ALERTS, alert_words
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.tls import LEGACY_REASONS
from ansible_collections.siptls.cucm.plugins.module_utils._releases import LEGACY

# Seconds in which a TLS 1.3 server says no; the answer to OPTIONS is waited for much longer.
LATE_REFUSAL = 0.5
# Alerts of servers that were shown no certificate, by the library that they are made of.
_NONE_SHOWN = {"handshake_failure", "bad_certificate", "certificate_unknown", "certificate_required"}
_NEXT_STEPS = {
    "unknown_ca": "Import the root (and each CA between) of the client certificate into the node's CallManager-trust "
    "with cucm_cert_upload, and restart Cisco CallManager.",
    "bad_certificate": "Look whether the node's CallManager-trust holds this very CA, not an earlier one of that name.",
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


def served_certificate(host: str, port: int, *, legacy: bool, timeout: float) -> list[str]:
    """The chain that a TLS server presents, leaf first, as PEM, whether or not it lets us in.

    Nothing is verified: the caller compares. Raises Failure when no chain was seen, with state ``unreachable`` (no
    TCP connection) or ``no_handshake`` among its facts.
    """
    with connect(host, port, client_context(legacy), timeout) as connection:
        connection.shake()
        if not connection.seen.chain:
            raise no_chain(host, port, connection.seen, legacy)
        return [ssl.DER_cert_to_PEM_cert(der) for der in connection.seen.chain]


def connect(host: str, port: int, context: ssl.SSLContext, timeout: float) -> Handshake:
    """A TCP connection ready for its handshake; raises Failure with what the operating system said."""
    try:
        return Handshake(host, port, context, timeout)
    except TimeoutError:
        reason, said = "silent", f"no answer within {timeout:g} s"
        hint = "Look for a firewall between this machine and the node."
    except ConnectionRefusedError:
        reason, said = "refused", "the connection was refused"
        hint = "Look whether Cisco CallManager runs there, and whether a trunk with a TLS profile on this port exists."
    except OSError as error:
        reason, said = "unreachable", (error.strerror or type(error).__name__).lower()
        hint = "Check the name and the address."
    raise Failure(
        f"Connecting to {host} port {port} for a TLS handshake failed: {said}. {hint}",
        state="unreachable",
        port_state=reason,
    )


def no_chain(host: str, port: int, seen: Seen, legacy: bool) -> Failure:
    """Why a handshake ended before the server's certificate was seen, in a sentence."""
    if seen.plain_text:
        first = seen.plain_text.split(b"\r\n")[0][:60].decode("ascii", "replace")
        said = f"it does not speak TLS there (its first line is {first!r})"
        hint = "Use the port of the SIP trunk security profile with transport TLS, 5061 by default."
    else:
        code = seen.alert[1] if seen.alert else None
        name, meaning = ALERTS.get(code, (f"alert {code}", "")) if code is not None else ("", "")
        said = f"it answered {name}: {meaning}" if code is not None else (seen.trouble or "it closed the connection")
        hint = "Look whether Cisco CallManager runs there and the port takes TLS."
        if not legacy and LEGACY_REASONS.search(f"{name} {seen.trouble or ''}".replace("_", " ")):
            hint = f"Releases {LEGACY} speak only TLS 1.0 and old ciphers: set legacy_crypto: true for this cluster."
    return Failure(
        f"The TLS handshake with {host} port {port} showed no certificate: {said}. {hint}", state="no_handshake"
    )


def probe(
    host: str, port: int, *, legacy: bool, timeout: float, identity: Identity | None = None, options: bool = True
) -> dict[str, Any]:
    """A handshake and, where it is let in, an OPTIONS: the result of sip_tls_probe but for the comparison.

    Raises Failure when there was no connection or no certificate was seen.
    """
    try:
        context = client_context(legacy, identity)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(error, legacy) from None
    with connect(host, port, context, timeout) as connection:
        seen, answer, early = connection.seen, None, b""
        done = connection.shake()
        if not seen.chain:
            raise no_chain(host, port, seen, legacy)
        if done and seen.tls_version == "TLSv1.3":
            early = connection.receive(min(LATE_REFUSAL, timeout))
        if done and options and seen.alert is None and not seen.closed:
            answer = ask(connection, host, port, timeout, early)
    accepted = _accepted(seen, answer)
    return {
        "tls_version": seen.tls_version,
        "cipher": seen.cipher,
        "accepted": accepted,
        "client_certificate_asked": seen.asked,
        "acceptable_cas": seen.asked_cas,
        "mutual": _mutual(seen, accepted, shown=identity is not None),
        "alert": _alert(seen, shown=identity is not None),
        "trouble": None if accepted else seen.trouble,
        "options": answer,
        **_certificates(seen),
    }


def _certificates(seen: Seen) -> dict[str, Any]:
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    chain = [certificate_view(one) for one in seen.chain]
    alternatives = (re.sub(r"^(?:DNS|IP|URI|email):", "", one) for one in chain[0]["sans"])
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


def compare(leaf: dict[str, Any], held: str | None) -> dict[str, Any]:
    """``matches_held``, ``state`` and ``state_text``: what is presented (a certificate_view) against what is held.

    held is PEM or a SHA-256 fingerprint; raises Failure when it is neither.
    """
    if not held:
        return {"matches_held": None, "state": "presented", "state_text": "nothing was given to compare with"}
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import colons
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    digits = re.sub(r"^sha-?256[:=]|[:\s]", "", held.strip().lower())
    is_print = re.fullmatch(r"[0-9a-f]{64}", digits) is not None
    view = None if is_print else certificate_view(held)
    wanted = colons(digits) if view is None else view["sha256"]
    if leaf["sha256"] == wanted:
        return {
            "matches_held": True,
            "state": "active",
            "state_text": "the node presents the certificate that it holds",
        }
    shown = f"the node presents certificate {leaf['serial']} of {leaf['subject']}, issued by {leaf['issuer']}"
    if view is None or view["common_name"] != leaf["common_name"]:
        text = f"{shown}, not the one that it holds; look whether another server answers there"
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


def _unusable(error: ssl.SSLError | OSError, legacy: bool) -> Failure:
    """Why a client certificate could not be loaded; never a word of its key."""
    said = (getattr(error, "reason", None) or error.strerror or type(error).__name__).lower().replace("_", " ")
    hint = "Give the matching pair in PEM."
    if not legacy and LEGACY_REASONS.search(said):
        hint = "It is a certificate of an old release: set legacy_crypto: true."
    elif "bad decrypt" in said or "passphrase" in said or "password" in said:
        hint = "Give client_key_passphrase."
    return Failure(f"The client certificate and its key cannot be used: {said}. {hint}")
