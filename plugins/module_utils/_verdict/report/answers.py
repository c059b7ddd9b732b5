# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report says first: the verdict, the questions it answers, what is missing, the causes. Private."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Data = Mapping[str, Any]
IN_WORDS = {
    "secure": "Trunks between these clusters encrypt their signaling, and each side has proven who it is. "
    "The evidence is below.",
    "insecure": "Calls between these clusters are not safe, or fail. The causes and what to do are below.",
    "unproven": "No error was found, but evidence that a proof requires is missing. It is listed below.",
}
# The strongest kind of evidence first.
SOURCES = ("call", "capture", "trace", "status", "probe", "certificate", "configuration")


@dataclass(frozen=True)
class Question:
    """A question that the checks of a verdict answer."""

    text: str
    checks: frozenset[str]
    #: the sources that answer it with yes; empty: every source does
    shown_by: frozenset[str] = frozenset()
    #: the answer by any other source: (source, words), the first that applies
    otherwise: tuple[tuple[str, str], ...] = ()


ALLOWED = ("", "allowed by configuration, no call seen")
QUESTIONS = (
    Question(
        "Is it the right peer?",
        frozenset({"server_certificate", "client_certificate", "trace_certificate", "server_trust", "client_trust",
                   "server_name", "client_name"}),
    ),
    Question("Do both sides prove who they are?", frozenset({"mutual_authentication"})),
    Question(
        "Is the signaling encrypted?",
        frozenset({"profile", "peer_profile", "wire", "tls_version", "cipher"}),
        frozenset({"call", "capture", "trace", "probe"}),
        (("", "set by configuration, no connection seen"),),
    ),
    Question("Is the media encrypted?", frozenset({"srtp"}), frozenset({"call"}), (ALLOWED,)),
    Question("Are the certificates valid for this use, and in date?", frozenset({"extended_key_usage", "dates"})),
    Question(
        "Do calls get through?",
        frozenset({"destinations", "trunk_status", "call", "incoming"}),
        frozenset({"call"}),
        (("status", "the trunk is in service, no call seen"), ALLOWED),
    ),
)  # fmt: skip
NO, NOT_PROVEN, ONE_SIDED, YES = "no", "not proven", "seen from one side", "yes"
TONES = {NO: "insecure", YES: "secure"}

# In the order in which they are listed.
SEVERITIES = {"error": "error", "missing": "missing", "warning": "warning", "one_sided": "seen from one side"}
# What a check is about, as the heading of its causes; others go by the names of their checks.
CHECKS = {
    "calls_routed": "Call routing",
    "cipher": "Cipher suite",
    "client_certificate": "Certificate presented by the caller's cluster",
    "client_name": "Subject name of the caller's certificate",
    "client_trust": "Trust in the caller's certificate",
    "extended_key_usage": "Extended key usage",
    "dates": "Validity of certificates",
    "destinations": "Destinations of the trunk",
    "incoming": "Incoming calls",
    "mutual_authentication": "Client certificates",
    "peer_profile": "Security profile at the peer",
    "peer_seen": "Peer not seen",
    "profile": "Security profile",
    "server_certificate": "Certificate presented by the peer",
    "server_name": "Subject name of the peer's certificate",
    "server_trust": "Trust in the peer's certificate",
    "srtp": "Media encryption",
    "tls_version": "TLS version",
    "trace_certificate": "Certificate in the traces",
    "trunk_status": "State of the trunk",
    "wire": "Captured connection",
}


def headline(verdict: str, directions: Sequence[Data], clusters: Sequence[Data]) -> dict[str, str]:
    """The verdict in a word, a sentence and a count."""
    if not clusters:
        return {
            "word": verdict,
            "sentence": "The report contains no cluster.",
            "count": "Run sip_tls_trunk.yml or verify.yml first.",
        }
    count = len(directions)
    secure = sum(direction["verdict"] == "secure" for direction in directions)
    return {
        "word": verdict,
        "sentence": IN_WORDS.get(verdict, ""),
        "count": f"{secure} of {many(count, 'direction')} secure between {many(len(clusters), 'cluster')}.",
    }


def many(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def missing(clusters: Sequence[Data], directions: Sequence[Data], given: Mapping[str, Sequence[Data]]) -> list[str]:
    """Sentences about missing input, so that nobody takes its absence for a result."""
    found = []
    unread = [str(cluster["name"]) for cluster in clusters if not cluster.get("nodes")]
    if unread:
        found.append(f"Nothing was read from {', '.join(unread)}, so their certificates are not shown.")
    ways = {(str(direction["from"]), str(direction["to"])) for direction in directions}
    names = [str(cluster["name"]) for cluster in clusters]
    if names and not ways:
        found.append("No direction was checked.")
    alone = [name for name in names if len(names) > 1 and ways and not any(name in way for way in ways)]
    if alone:
        found.append(f"No direction from or to {', '.join(alone)} was checked.")
    if not given["captures"]:
        found.append("No capture was given, so no handshake between the clusters is shown.")
    if not given["calls"]:
        found.append("No call was seen, so no call shows whether calls get through and encrypt their media.")
    return found if names else []


def tiles(directions: Sequence[Data]) -> list[dict[str, str]]:
    """Each question with its answer over all directions, and what the answer rests on."""
    return [_tile(question, directions) for question in QUESTIONS] if directions else []


def _tile(question: Question, directions: Sequence[Data]) -> dict[str, str]:
    answers = [_answer(question, way) for way in directions]
    worst = min(answers, key=_badness)
    count = answers.count(worst)
    causes = [finding["cause"] for finding in _findings(question, directions) if finding["severity"] == "error"]
    sources = {entry["source"] for way in directions for entry in _evidence(question, way)}
    rests = f"by {', '.join(source for source in SOURCES if source in sources)}" if sources else "nothing was seen"
    parts = [f"{worst} in {count} of {many(len(answers), 'direction')}"] if 0 < count < len(answers) else []
    return {
        "question": question.text,
        "tone": TONES.get(worst, "unproven"),
        "answer": worst,
        "small": "; ".join([*parts, causes[0] if worst == NO and causes else rests]),
    }


def _badness(answer: str) -> int:
    """Where an answer stands among the others, the worst first."""
    return {NO: 0, NOT_PROVEN: 1, ONE_SIDED: 3, YES: 4}.get(answer, 2)


def _answer(question: Question, way: Data) -> str:
    """The answer to a question for one direction."""
    severities = {finding["severity"] for finding in _findings(question, [way])}
    sources = {entry["source"] for entry in _evidence(question, way)}
    if "error" in severities:
        return NO
    if "missing" in severities:
        return NOT_PROVEN
    if "one_sided" in severities:
        return ONE_SIDED
    if not sources:
        return NOT_PROVEN
    if not question.shown_by or sources & question.shown_by:
        return YES
    return next(words for source, words in question.otherwise if not source or source in sources)


def _findings(question: Question, directions: Iterable[Data]) -> list[Data]:
    return [
        finding for way in directions for finding in way.get("findings") or [] if finding["check"] in question.checks
    ]


def _evidence(question: Question, way: Data) -> list[Data]:
    return [entry for entry in way.get("evidence") or [] if entry["check"] in question.checks]


@dataclass
class Cause:
    """A cause, with what to do about it and the directions in which it was found."""

    text: str
    remedy: str = ""
    proof: str = ""
    ways: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Group:
    """The causes that one check found, of one severity."""

    severity: str
    check: str
    causes: dict[str, Cause] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The severity in words."""
        return SEVERITIES[self.severity]

    @property
    def title(self) -> str:
        """What the causes are about."""
        return CHECKS.get(self.check, self.check.replace("_", " ").capitalize())

    @property
    def ways(self) -> int:
        """In how many directions there is one of them."""
        return len({way for cause in self.causes.values() for way in cause.ways})

    @property
    def remedy(self) -> str:
        """What to do where it is the same for all of them."""
        remedies = {cause.remedy for cause in self.causes.values()}
        return remedies.pop() if len(remedies) == 1 else ""


def groups(directions: Sequence[Data]) -> list[Group]:
    """What was found, by severity and check. The same cause in several directions is listed once."""
    found: dict[tuple[str, str], Group] = {}
    for way in directions:
        for finding in way.get("findings") or []:
            group = found.setdefault(
                (finding["severity"], finding["check"]), Group(finding["severity"], finding["check"])
            )
            cause = group.causes.setdefault(finding["cause"], Cause(finding["cause"]))
            cause.remedy = cause.remedy or str(finding.get("remedy") or "")
            cause.proof = cause.proof or str(finding.get("proof") or "")
            if (pair := (str(way["from"]), str(way["to"]))) not in cause.ways:
                cause.ways.append(pair)
    order = list(SEVERITIES)
    return sorted(found.values(), key=lambda group: (order.index(group.severity), -group.ways))


def severity_of(directions: Iterable[Data]) -> Counter[str]:
    """A number per cluster that is higher the more of its directions are insecure, then unproven."""
    weights = {"insecure": 1000, "unproven": 1}
    found: Counter[str] = Counter()
    for direction in directions:
        for end in ("from", "to"):
            found[str(direction[end])] += weights.get(str(direction["verdict"]), 0)
    return found


def by_severity(directions: Iterable[Data]) -> Iterator[Data]:
    """The directions, those with problems first."""
    order = {"insecure": 0, "unproven": 1}
    yield from sorted(directions, key=lambda direction: order.get(str(direction["verdict"]), 2))
