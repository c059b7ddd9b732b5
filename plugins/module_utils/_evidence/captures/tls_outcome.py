# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a captured TLS handshake ended. Private to this collection.

Every answer is True, False or None: yes, no, not shown. Missing bytes never become "no": that something did not happen
is said only of a direction that was captured whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.streams import sent_after
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.tls_records import (
    Application,
    TlsSide,
)

SERVER_REFUSED = "by its length, the server's answer to the client's certificate is an alert: a refusal"
CLIENT_REFUSED = "by its length, the client's answer to the server's certificate is an alert: a refusal"
UNCLEAR = "the server's first record after the client's answer is as short as an alert: a refusal, or the end of a \
connection that worked"
# A server judges a certificate at once; what it sends later than this many seconds is more likely the end of its work.
JUDGING = 5.0
# Ciphers of TLS 1.3 and the length of an alert. Most have a tag of 16 bytes, CCM_8 of 8; the last two don't encrypt.
_ALERTS = {0x1301: 19, 0x1302: 19, 0x1303: 19, 0x1304: 19, 0x1305: 11, 0xC0B4: 35, 0xC0B5: 51}


@dataclass
class Outcome:
    """What a capture shows of a handshake."""

    established: bool | None = None
    resumed: bool | None = None
    asked_for_certificate: bool | None = None
    mutual: bool | None = None
    note: str | None = None


def outcome(client: TlsSide, server: TlsSide, *, whole: bool, ended: bool) -> Outcome:
    """``whole``: no byte of either end is missing; ``ended``: an end closed or reset the connection."""
    found = Outcome()
    if any(alert.level == 2 for alert in (*client.alerts, *server.alerts)):
        # An alert that can be read came before encryption, so before the end of the handshake.
        found.established = False
    elif server.is_tls13:
        found.established, found.note = _established_13(client, server, whole=whole, ended=ended)
    elif server.hello:
        found.established = _established_12(client, server, whole=whole, ended=ended)
    else:
        found.established = _established_unknown(client, server, whole=whole, ended=ended)
    if server.is_tls13:
        found.resumed = None if server.retry else server.psk_chosen
    elif server.hello:
        found.resumed = _resumed(client, server)
        found.asked_for_certificate = _asked(server)
        found.mutual = _mutual(client, found)
    return found


def _established_12(client: TlsSide, server: TlsSide, *, whole: bool, ended: bool) -> bool | None:
    # Each end sends ChangeCipherSpec, and then data, after it has accepted what the other has shown.
    if all(side.cipher_changed or side.application for side in (client, server)):
        return True
    return False if whole and ended else None


def _established_13(client: TlsSide, server: TlsSide, *, whole: bool, ended: bool) -> tuple[bool | None, str | None]:
    """All records after the ServerHello look like application data: their order and lengths have to tell."""
    alerts = alert_lengths(server.cipher)
    if _answered(client, server, alerts):
        return True, None
    first = next(iter(_answers(client, server)), None)
    if first is None:
        return (False if whole and ended else None), None
    if not whole:
        return None, None
    if first.size in alerts:
        return False, CLIENT_REFUSED
    after = [record for record in server.application if sent_after(record.at, first.acknowledged)]
    if not after or after[0].size not in alerts:
        return None, None
    refused = len(after) == 1 and _is_refusal(client, first, after[0], alerts)
    return (False, SERVER_REFUSED) if refused else (None, UNCLEAR)


def _is_refusal(client: TlsSide, first: Application, answer: Application, alerts: frozenset[int]) -> bool:
    """Whether the server's only record after the client's first is a refusal, and not an early close_notify.

    A server without session tickets sends nothing when it accepts. Its close_notify then looks like a refusal, unless
    the client answers it. It is unlikely only where the client had already asked something, and got no answer.
    """
    answered = any(sent_after(record.acknowledged, answer.at + 1) for record in client.application)
    return not answered and answer.time - first.time < JUDGING and _said_more(client, first, alerts)


def _said_more(client: TlsSide, first: Application, alerts: frozenset[int]) -> bool:
    """Whether the client sent data behind its Finished, which is known by its length (a hash of 32 or 48 bytes)."""
    sizes = [record.size for record in client.application if sent_after(record.at, first.at)]
    return any(size - alert in (34, 50) for size in sizes[:-1] for alert in alerts)


def _established_unknown(client: TlsSide, server: TlsSide, *, whole: bool, ended: bool) -> bool | None:
    """Without a ServerHello: a running connection is recognised, whatever its version."""
    old = client.old_application and server.old_application
    if old or (client.finished and server.finished) or _answered(client, server, alert_lengths(None)):
        return True
    return False if whole and ended else None


def alert_lengths(cipher: int | None) -> frozenset[int]:
    """Bytes that an encrypted alert of TLS 1.3 may have: two, its content type, and the cipher's tag."""
    return frozenset({_ALERTS[cipher]} if cipher in _ALERTS else {11, 19})


def _answers(client: TlsSide, server: TlsSide) -> list[Application]:
    """The client's records from its answer to the server's flight on: early data (0-RTT) came before that flight."""
    if client.hello and not client.early_data:
        return client.application
    if not server.application:
        return []
    # In a connection that runs already, the client had all before the server's first record, if none is missing there.
    begun = server.application[0].at + server.hello
    return [record for record in client.application if sent_after(record.acknowledged, begun)]


def _answered(client: TlsSide, server: TlsSide, alerts: frozenset[int]) -> bool:
    """Whether the server sent data after the client's Finished, and no alert.

    The client's first records after the server's are its Finished or, of alert's length, its refusal. What the server
    sends then is a ticket or data when it accepted the client, or an alert. Early data may still come while the
    server's flight arrives, and would look like an answer to it.
    A capture may show frames out of order; what the client acknowledges with its Finished was sent before.
    """
    if client.early_data:
        return False
    first = next((record for record in _answers(client, server) if record.size not in alerts), None)
    return first is not None and any(
        record.size not in alerts and sent_after(record.at, first.acknowledged) for record in server.application
    )


def _resumed(client: TlsSide, server: TlsSide) -> bool | None:
    """TLS 1.2 and before: a resumed session has no Certificate and no ServerHelloDone before ChangeCipherSpec."""
    if server.certificates is not None or server.hello_done:
        return False
    clean = server.gaps_at_hello == server.gaps_at_change
    return True if server.cipher_changed and clean and client.cipher_changed else None


def _asked(server: TlsSide) -> bool | None:
    if server.asked_for_certificate:
        return True
    return False if server.hello_done and server.gaps_at_hello == server.gaps_at_done else None


def _mutual(client: TlsSide, found: Outcome) -> bool | None:
    """Whether both ends showed a certificate and proved its key, in this very handshake."""
    if found.established is False:
        return False
    if found.established is None or found.resumed is not False:
        return None
    if client.certificate_verify and client.certificates:
        return True
    sent_none = client.certificates == [] or (
        client.certificates is None
        and client.hello
        and client.cipher_changed
        and client.gaps_at_hello == client.gaps_at_change
    )
    return False if found.asked_for_certificate is False or sent_none else None
