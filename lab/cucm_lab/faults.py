# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: rules that make an interface misbehave for chosen operations, nodes and counts."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from .clock import Clock

#: action -> what happens. `seconds` and `status` are the rule's numbers.
ACTIONS = {
    "refuse": "the connection is closed before any response",
    "reset": "the connection is reset in the middle of the response",
    "stall": "there is no response for `seconds`; then it continues as usual",
    "drop": "the request is carried out, but its response is lost",
    "status": "a response with `status` (default 503); nothing is carried out",
    "garbage": "a response that is not XML, JSON or SIP",
    "truncated": "a response cut in the middle but ended as if complete",
    "hang": "the operation does not end until the rule is cleared (a service stays Starting)",
    "fail": "the operation fails",
    "memory": "AXL: the fault 'Maximum AXL Memory Allocation Consumed'",
    "alert": "the TLS handshake ends with an alert",
    "paging": "SSH: pagination is on again",
    "wrong_certificate": "a certificate or SSH host key other than the node's own is presented",
    "clock": "the lab's clock jumps by `seconds` (negative: back), and the operation continues",
}
_ANY = frozenset({"clock"})
_HTTP = frozenset({"refuse", "reset", "stall", "drop", "status", "garbage", "truncated", "hang"}) | _ANY

#: interface -> its actions. Each interface's package documents its operations.
INTERFACES = {
    "https": frozenset({"refuse", "stall", "alert", "wrong_certificate"}) | _ANY,
    "axl": _HTTP | {"memory"},
    "controlcenter": _HTTP,
    "ris": _HTTP,
    "perfmon": _HTTP,
    "logcollection": _HTTP,
    "dime": _HTTP,
    "uds": _HTTP,
    "certmgr": _HTTP | {"fail"},
    "adcs": _HTTP,
    "ssh": frozenset({"refuse", "reset", "stall", "drop", "garbage", "truncated", "fail", "paging",
                      "wrong_certificate"}) | _ANY,
    "sip": frozenset({"refuse", "reset", "stall", "drop", "status", "garbage", "truncated", "fail", "alert",
                      "wrong_certificate"}) | _ANY,
    "service": frozenset({"hang", "fail", "stall"}) | _ANY,
}  # fmt: skip

#: (interface, operation) -> the actions that this step of a connection can carry out, of those of its interface; a
#: rule with another action, for `*` perhaps, passes it by and waits for the operation that it is meant for
STAGES = {
    ("https", "connect"): frozenset({"refuse", "stall"}) | _ANY,
    ("https", "handshake"): frozenset({"alert", "wrong_certificate"}) | _ANY,
    ("ssh", "connect"): frozenset({"refuse", "reset", "wrong_certificate"}) | _ANY,
    ("ssh", "login"): frozenset({"refuse", "stall"}) | _ANY,
    ("ssh", "paste"): frozenset({"reset", "stall"}) | _ANY,
    ("sip", "accept"): frozenset({"refuse", "reset"}) | _ANY,
    ("sip", "client-certificate"): frozenset({"refuse", "fail"}) | _ANY,
    ("sip", "handshake"): frozenset({"refuse", "stall", "alert", "wrong_certificate"}) | _ANY,
}


class FaultError(ValueError):
    """An invalid rule; the text says which word is unknown."""


class _Named(Protocol):
    name: str


@dataclass
class Fault:
    """One rule. `operation` and `node` are shell patterns; a node also answers to its cluster's name."""

    interface: str
    action: str
    operation: str = "*"
    node: str = "*"
    #: number of hits after which the rule ends; None: never
    count: int | None = None
    #: only every n-th match hits
    every: int | None = None
    #: share of matches that hit, 0..1
    rate: float | None = None
    seconds: float = 5.0
    status: int = 503
    id: int = 0
    matches: int = 0
    hits: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    cleared: bool = False

    async def gone(self) -> None:
        """Wait until the rule is removed."""
        while not self.cleared:
            await asyncio.sleep(0.05)

    def __post_init__(self) -> None:
        if self.interface not in (*INTERFACES, "*"):
            raise FaultError(f"Unknown interface {self.interface!r}; known are {', '.join(INTERFACES)}.")
        if self.action not in ACTIONS:
            raise FaultError(f"Unknown action {self.action!r}; known are {', '.join(ACTIONS)}.")
        known = INTERFACES.get(self.interface)
        if known is not None and self.action not in known:
            raise FaultError(
                f"Interface {self.interface} has no action {self.action!r}; it has {', '.join(sorted(known))}."
            )


class Faults:
    """The rules now in force. Thread-safe."""

    def __init__(self, seed: int = 1, clock: Clock | None = None) -> None:
        self._clock = clock
        self._rules: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._next_id = 1

    def add(self, **rule: Any) -> Fault:
        """Add a rule given by Fault's fields; FaultError if it is invalid."""
        try:
            fault = Fault(**rule)
        except TypeError as error:
            raise FaultError(f"Not a fault rule: {error}") from None
        with self._lock:
            fault.id = self._next_id
            self._next_id += 1
            self._rules.append(fault)
        return fault

    def list(self) -> list[dict[str, Any]]:
        """The rules with how often each matched and hit."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def clear(self, fault_id: int | None = None) -> int:
        """Remove one rule, or all; the number removed."""
        with self._lock:
            keep = [] if fault_id is None else [rule for rule in self._rules if rule.id != fault_id]
            gone = len(self._rules) - len(keep)
            for rule in self._rules:
                rule.cleared = rule not in keep
            self._rules = keep
        return gone

    def match(self, interface: str, operation: str, node: _Named | str) -> Fault | None:
        """The first rule that hits this operation now (its counters move), or None."""
        if not self._rules:
            return None
        names = [node] if isinstance(node, str) else [node.name, getattr(getattr(node, "cluster", None), "name", "")]
        able = STAGES.get((interface, operation), ACTIONS.keys())
        with self._lock:
            for rule in self._rules:
                if rule.action in able and self._matches(rule, interface, operation, names) and self._hits(rule):
                    if rule.action != "clock":
                        return rule
                    if self._clock is not None:
                        self._clock.shift(rule.seconds)
        return None

    @staticmethod
    def _matches(rule: Fault, interface: str, operation: str, names: Sequence[str]) -> bool:
        return (
            rule.interface in (interface, "*")
            and fnmatchcase(operation.lower(), rule.operation.lower())
            and any(fnmatchcase(name.lower(), rule.node.lower()) for name in names)
        )

    def _hits(self, rule: Fault) -> bool:
        if rule.count is not None and rule.hits >= rule.count:
            return False
        rule.matches += 1
        if rule.every and rule.matches % rule.every:
            return False
        if rule.rate is not None and self._random.random() >= rule.rate:
            return False
        rule.hits += 1
        return True
