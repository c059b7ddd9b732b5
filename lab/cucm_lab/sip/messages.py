# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP messages of a CUCM trunk: requests in CUCM's form, responses to incoming ones."""

from __future__ import annotations

import itertools
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from sipmessage import URI, Request, Response

_sequence = itertools.count(1)
_ALLOW = "INVITE, OPTIONS, INFO, BYE, CANCEL, ACK, PRACK, UPDATE, REFER, SUBSCRIBE, NOTIFY"
#: headers that CUCM adds to an INVITE before its User-Agent, and after its CSeq
_INVITE_SUPPORT = (
    ("Supported", "timer,resource-priority,replaces"),
    ("Supported", "X-cisco-srtp-fallback"),
    ("Min-SE", "1800"),
)
_INVITE_LIFE = (("Expires", "180"), ("Allow-Events", "presence, kpml"))
#: characters of a dialled number that a SIP URI's user part takes as they are
_USER_SAFE = "+*-.!~'()&=,;?/$"

PHRASES = {
    100: "Trying", 180: "Ringing", 200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 480: "Temporarily Not Available",
    481: "Call Leg/Transaction Does Not Exist", 483: "Too Many Hops", 486: "Busy here", 487: "Request Cancelled",
    488: "Not Acceptable Media", 500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip


@dataclass
class Leg:
    """Our end of a dialog or of a single request: addresses, names and numbers that its messages share."""

    transport: str
    local: str
    local_port: int
    remote: str
    remote_port: int
    user_agent: str
    calling: str = ""
    called: str = ""
    call_id: str = ""
    from_tag: str = ""
    to_tag: str = ""
    sequence: int = 101
    invite_branch: str = field(default="")
    #: after a 2xx to the INVITE: where the peer wants its requests, and the proxies that want to see them
    target: str = ""
    routes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        number = next(_sequence)
        reverse = "".join(f"{int(part):x}" for part in reversed(self.local.split(".")))
        self.call_id = (
            self.call_id or f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{number:x}-{reverse}@{self.local}"
        )
        if not self.from_tag:
            self.from_tag = f"{number}~{uuid.uuid4()}-{secrets.randbelow(10**8)}" if self.calling else str(
                secrets.randbelow(2**31)
            )  # fmt: skip

    @property
    def _contact(self) -> str:
        user = f"{_user(self.calling)}@" if self.calling else ""
        return f"<sip:{user}{self.local}:{self.local_port};transport={self.transport.lower()}>"

    def answered(self, response: Response) -> None:
        """Process a final response to the INVITE; a 2xx makes the dialog (RFC 3261, 12.1.2)."""
        self.to_tag = tag_of(response.headers["To"])
        if response.code < 300:
            contacts, recorded = response.contact, response.record_route
            self.target = str(contacts[0].uri) if contacts else ""
            self.routes = tuple(str(header) for header in reversed(recorded))

    def _branch(self, method: str, within: bool) -> str:
        """The branch of a request: a new transaction, or that of the INVITE."""
        if method == "CANCEL" or (method == "ACK" and not within):
            return self.invite_branch
        branch = f"z9hG4bK{secrets.token_hex(6)}"
        if method == "INVITE":
            self.invite_branch = branch
        return branch

    def request(self, method: str, now: datetime, *, max_forwards: int = 70, body: bytes = b"") -> Request:
        """A request; INVITE's ACK and CANCEL keep its CSeq number.

        Within a dialog it goes to the peer's target along the recorded route. CANCEL, and the ACK of a refusal, belong
        to the INVITE's transaction: they have its URI and its branch (RFC 3261, 9.1 and 17.1.1.3).
        """
        user = _user(self.called) if self.called else None
        uri = URI(scheme="sip", user=user, host=self.remote, port=self.remote_port)
        within = method not in ("INVITE", "CANCEL") and bool(self.target)
        message = Request(method, URI.parse(self.target) if within else uri, body)
        branch = self._branch(method, within)
        caller, callee = (f"{_user(n)}@" if n else "" for n in (self.calling, self.called))
        fields: list[tuple[str, str]] = [
            ("Via", f"SIP/2.0/{self.transport} {self.local}:{self.local_port};branch={branch}"),
            *(("Route", route) for route in (self.routes if within else ())),
            ("From", f"<sip:{caller}{self.local}>;tag={self.from_tag}"),
            ("To", f"<sip:{callee}{self.remote}>" + (f";tag={self.to_tag}" if self.to_tag else "")),
            ("Date", format_datetime(now, usegmt=True)),
            ("Call-ID", self.call_id),
            *(_INVITE_SUPPORT if method == "INVITE" else ()),
            ("User-Agent", self.user_agent),
            *((("Allow", _ALLOW),) if method == "INVITE" else ()),
            ("CSeq", f"{self.sequence} {method}"),
            *(_INVITE_LIFE if method == "INVITE" else ()),
            *((("Contact", self._contact),) if method in ("INVITE", "OPTIONS") else ()),
            ("Max-Forwards", str(max_forwards)),
            *_length(body),
        ]
        for name, value in fields:
            message.headers.add(name, value)
        return message


def _length(body: bytes) -> list[tuple[str, str]]:
    """The headers about a body, which is SDP where there is one."""
    kind = [("Content-Type", "application/sdp")] if body else []
    return [*kind, ("Content-Length", str(len(body)))]


def _user(number: str) -> str:
    return quote(number, safe=_USER_SAFE)


def answer(
    request: Request,
    code: int,
    now: datetime,
    *,
    user_agent: str = "",
    to_tag: str = "",
    contact: str = "",
    warning: str = "",
    body: bytes = b"",
    phrase: str = "",
    source: tuple[str, int] | None = None,
) -> Response:
    """A response to a request, with its Via, From, To, Call-ID and CSeq, and its Record-Route where it makes a dialog.

    source is where the request came from, for the Via of a peer that uses another name for itself.
    """
    response = Response(code, phrase or PHRASES.get(code, "Unknown"), body)
    recorded = ("Record-Route",) if request.method == "INVITE" and 100 < code < 300 else ()
    fields = [
        *((name, value) for name in ("Via", *recorded, "From", "To") for value in request.headers.getlist(name)),
        ("Date", format_datetime(now, usegmt=True)),
        ("Call-ID", request.headers["Call-ID"]),
        ("Server", user_agent),
        ("CSeq", request.headers["CSeq"]),
        ("Allow", _ALLOW if code in (200, 405, 501) else ""),
        ("Warning", warning),
        ("Contact", contact),
        *_length(body),
    ]
    if source:
        # The topmost Via is the first field.
        fields[0] = ("Via", _received(fields[0][1], *source))
    for name, value in fields:
        if value:
            tagged = f"{value};tag={to_tag}" if name == "To" and to_tag and ";tag=" not in value else value
            response.headers.add(name, tagged)
    return response


def _received(via: str, host: str, port: int) -> str:
    """The topmost Via with where it really came from (RFC 3261, 18.2.1; rport: RFC 3581)."""
    top, comma, rest = via.partition(",")
    sent_by, *parameters = (part.strip() for part in top.split(";"))
    asks = "rport" in parameters
    named = sent_by.rpartition(" ")[2]
    if (named.rpartition(":")[0] != host and named != host) or asks:
        parameters = [
            *(f"rport={port}" if parameter == "rport" else parameter for parameter in parameters),
            f"received={host}",
        ]
    return ";".join((sent_by, *parameters)) + comma + rest


def new_tag() -> str:
    """A To tag in CUCM's form."""
    return f"{next(_sequence)}~{uuid.uuid4()}-{secrets.randbelow(10**8)}"


def tag_of(value: str) -> str:
    """The tag parameter of a From or To header."""
    _unused, found, rest = value.partition(";tag=")
    return rest.split(";", maxsplit=1)[0].strip() if found else ""
