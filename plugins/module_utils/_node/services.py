# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of a node: start, stop, restart, and wait until it serves with the certificate it should.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    PLATFORM,
    ArgSpec,
    Failure,
    Outcome,
)
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import AnswerLost
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._node.control import (
    Control,
    check_known,
    open_control,
    sessions,
    started_at,
    started_text,
    was_stopped_by_order,
)
from ansible_collections.siptls.cucm.plugins.module_utils._node.restart_times import RestartTimes
from ansible_collections.siptls.cucm.plugins.module_utils._node.serving import Serving, serving_of
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.control_center import ServiceState
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = (
    (APPLICATION + PLATFORM).optional("username", "password", "os_username", "os_password")
    + ArgSpec(
        options={
            "name": {"type": "str", "default": "Cisco CallManager"},
            "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
            "interface": {"type": "str", "choices": ["auto", "soap", "cli"], "default": "auto"},
            "serving": {
                "type": "dict",
                "options": {
                    "port": {"type": "int", "default": 5061},
                    "certificate": {"type": "str"},
                    "certificates": {"type": "dict"},
                    "address": {"type": "str"},
                },
            },
            "only_activated": {"type": "bool", "default": False},
            "start_stopped": {"type": "bool", "default": False},
            "started_before": {"type": "str"},
            "also": {
                "type": "dict",
                "options": {
                    "services": {"type": "list", "elements": "str", "default": []},
                    "restart": {"type": "bool", "default": True},
                    "needed": {"type": "bool", "default": False},
                    "started_before": {"type": "str"},
                },
            },
            "window": {"type": "str"},
            "drain": {"type": "float", "default": 0},
            "wait_timeout": {"type": "int", "default": 600},
            "poll_interval": {"type": "float", "default": 5.0},
        },
        required_together=(("username", "password"), ("os_username", "os_password")),
        required_one_of=(("username", "os_username"),),
    )
)  # fmt: skip
VERBS = {"started": "start", "stopped": "stop", "restarted": "restart"}
_CHANGING = ("Starting", "Stopping")
#: by purpose the SHA-256 of the certificate that a port presents; None while it presents none
Presented: TypeAlias = "Mapping[str, str | None]"


@dataclass(frozen=True)
class Seen:
    """A service at one look: its state, what its port presents by purpose, and whether something has to be done."""

    state: ServiceState
    presented: Presented
    needed: bool


def service(task: Task) -> Outcome:
    """The whole of cucm_service."""
    params = task.params
    serving = serving_of(params)
    control = open_control(params)
    try:
        times = RestartTimes(params, *sessions(control))
        order = Order(control, params, serving, times, task.check_mode)
        outcome = order.carry_out()
        if params["also"] and params["also"]["restart"]:
            outcome.result["also"] = order.restart_others(outcome)
        elif params["also"]:
            outcome.result["also"] = order.show_others()
        outcome.warnings += _pending(params["host"], times, outcome)
        outcome.warnings += control.warnings
        return outcome
    finally:
        control.close()


@dataclass(frozen=True)
class Order:
    """What a task asks for a service: the state that it should have, and what its port should present then."""

    control: Control
    params: Mapping[str, Any]
    serving: Serving | None
    times: RestartTimes
    check_mode: bool

    @property
    def name(self) -> str:
        """The service."""
        return str(self.params["name"])

    @property
    def state(self) -> str:
        """started, stopped or restarted."""
        return str(self.params["state"])

    def carry_out(self) -> Outcome:
        """Bring the service into its state, if it is not in it."""
        seen = self._look()
        outcome = self._left_alone(seen.state)
        if outcome is not None:
            return outcome
        calls_left = None
        # A service that is down has no calls to lose: it may be started at any time.
        if seen.needed and self.state == "restarted" and seen.state.status == "Started":
            if not self.times.is_open():
                return _untouched(self.control, seen.state, seen.presented, pending=[seen.state.name])
            if not self.check_mode:
                calls_left = self.times.wait_for_calls()
                seen = self._look_again(seen)
        began = time.monotonic()
        after, shown = self._foreseen(seen) if self.check_mode else self._bring_about(seen)
        restarted = seen.needed and self.state == "restarted"
        return Outcome(
            changed=seen.needed,
            before=_for_diff(seen.state, seen.presented),
            after=_for_diff(after, shown, restarted=restarted),
            result={
                **_result(self.control, after, shown),
                "previous_status": seen.state.status,
                "waited": round(time.monotonic() - began, 1),
                "restarted": [self.name] * restarted,
                "calls_left": calls_left,
            },
            warnings=_calls_ended(self.params["host"], self.name, calls_left),
        )

    def restart_others(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Restart the other services in order, as far as they run and need it; adds to the outcome."""
        also, pending = self.params["also"], outcome.result["pending"]
        needed = also["needed"] or outcome.changed or bool(pending)
        limit = _moment("also.started_before", also["started_before"])
        rows = []
        for name in also["services"]:
            found = self.control.status(name)
            due = found.status == "Started" and (needed or self._started_before(found, limit))
            # What follows a restart that was made belongs to it, even where the window has ended meanwhile.
            if due and (pending or (not outcome.changed and not self.times.is_open())):
                pending.append(name)
                due = False
            if due and not self.check_mode:
                other = replace(self, params={**self.params, "name": name, "state": "restarted"}, serving=None)
                other._bring_about(Seen(found, {}, needed=True))
            elif needed:
                outcome.warnings += _still_stopped(self.control, found)
            rows.append(_row(self.control, found, changed=due))
            outcome.changed = outcome.changed or due
        restarted = [row["name"] for row in rows if row["changed"]]
        outcome.result["restarted"] += restarted
        if restarted:
            outcome.after["also_restarted"] = restarted
        return rows

    def show_others(self) -> list[dict[str, Any]]:
        """The other services as they are."""
        return [_row(self.control, self.control.status(name)) for name in self.params["also"]["services"]]

    def _look(self, since: ServiceState | None = None) -> Seen:
        """The service as it is; since: the state that was read before."""
        found, by_another = self._at_rest(self.control.status(self.name), since)
        check_known(self.control, found)
        presented = self.serving.presented() if self.serving is not None and found.status == "Started" else {}
        needed = self._is_needed(found, presented) and not (by_another and self.serving is None)
        return Seen(found, presented, needed)

    def _look_again(self, before: Seen) -> Seen:
        """The last look before a restart: another run, also on another controller, may have changed the node since."""
        self._check_certificates()
        seen = self._look(since=before.state)
        if not seen.needed:
            return seen
        # The handshake took a moment. A service that was restarted in it is waited for, not restarted.
        found, by_another = self._at_rest(self.control.status(self.name), seen.state)
        return Seen(found, seen.presented, needed=not by_another)

    def _at_rest(self, found: ServiceState, since: ServiceState | None) -> tuple[ServiceState, bool]:
        """The state once a restart that another run has asked for is over, and whether there was one.

        since: the state that was read before, by which a restart is seen that is over already.
        """
        if self.state != "restarted" or found.status not in _CHANGING:
            return found, since is not None and _runs_anew(since, found)
        latest = time.monotonic() + self.params["wait_timeout"]
        while found.status in _CHANGING and time.monotonic() < latest:
            time.sleep(min(1.0, self.params["poll_interval"]))
            found = self.control.status(self.name)
        # A restart that never ends is made once more.
        return found, found.status == "Started"

    def _is_needed(self, found: ServiceState, presented: Presented) -> bool:
        """Whether the service is not in the state that was asked for, or does not present what it should."""
        limit = self.params["started_before"]
        if self.state != "restarted":
            return found.status not in (("Started", "Starting") if self.state == "started" else ("Stopped", "Stopping"))
        if self.serving is None:
            return not limit or self._started_before(found, _moment("started_before", limit))
        return not presented or not self.serving.satisfied(presented)

    def _started_before(self, found: ServiceState, limit: datetime | None) -> bool:
        """False where Control Center or the CLI does not show since when the service runs."""
        moment = started_at(self.control, found)
        return moment is not None and limit is not None and moment < limit

    def _check_certificates(self) -> None:
        """Failure where the node holds another certificate than the one that the restart is to bring to its port."""
        expected = self.serving.expected if self.serving is not None else {}
        if not expected or not self.params["os_username"]:
            return
        from ansible_collections.siptls.cucm.plugins.module_utils._node.opening import open_store
        from ansible_collections.siptls.cucm.plugins.module_utils._node.store import check_replaced

        # interface is an option of both modules, with values of its own here.
        store = open_store({**self.params, "interface": "auto"})
        try:
            for purpose, sha256 in expected.items():
                where = f"Restarting {self.name} on {store.where}"
                check_replaced(store.identity(purpose), sha256, where, "restarted")
        finally:
            store.close()

    def _left_alone(self, found: ServiceState) -> Outcome | None:
        """The outcome for a service that must not be touched, None for any other; Failure if it is not activated."""
        restarted = self.state == "restarted"
        if not found.activated and self.params["only_activated"]:
            return _untouched(self.control, found)
        if restarted and self.params["started_before"] and not self.params["serving"] and found.status == "Stopped":
            return _untouched(self.control, found)
        by_order = restarted and not self.params["start_stopped"]
        if by_order and was_stopped_by_order(self.control, self.params, found):
            outcome = _untouched(self.control, found, left_stopped=True)
            outcome.warnings.append(
                f"{self.name} on {self.control.where} is stopped (CUCM says: {readable(found.reason)}) and was not "
                "started, because somebody may have stopped it on purpose. A new certificate takes effect when it "
                f"starts: start it with `utils service start {self.name}`, or set start_stopped."
            )
            return outcome
        if not found.activated and self.state != "stopped":
            raise Failure(
                f"{self.name} is not activated on {self.control.where}. Activate it on the node's Serviceability page "
                "(Service Activation) first."
            )
        return None

    def _foreseen(self, seen: Seen) -> tuple[ServiceState, Presented]:
        """What a run without check mode would bring about."""
        expected = self.serving.expected if self.serving is not None else {}
        status = "Stopped" if self.state == "stopped" else "Started"
        return ServiceState(self.name, status), {**seen.presented, **expected}

    def _bring_about(self, seen: Seen) -> tuple[ServiceState, Presented]:
        """Ask for what is needed, and wait for it."""
        if seen.needed:
            self._ask(seen.state)
        return self._wait(seen.presented if seen.needed else {})

    def _ask(self, before: ServiceState) -> None:
        """Ask once. When the answer is lost, the service's state tells whether CUCM acted; if not, ask once more."""
        verb = VERBS[self.state]
        try:
            self.control.control(self.name, verb)
            return
        except (AnswerLost, ShellLost):
            time.sleep(1)
        now = self.control.status(self.name)
        if now.status == before.status and not _runs_anew(before, now):
            self.control.control(self.name, verb)

    def _wait(self, old: Presented) -> tuple[ServiceState, Presented]:
        """Until the service is where it should be and presents what it should; Failure when wait_timeout is over."""
        wanted = "Stopped" if self.state == "stopped" else "Started"
        latest = time.monotonic() + self.params["wait_timeout"]
        pause = min(0.5, self.params["poll_interval"])
        found, problem = ServiceState(self.name, "Unknown"), ""
        shown: Presented = {}
        while True:
            try:
                found, problem = self.control.status(self.name), ""
            except (AnswerLost, ShellLost) as failure:
                problem = f" ({readable(failure.msg)})"
            if found.status == wanted and not problem:
                shown = self.serving.presented() if self.serving is not None else {}
                if self.serving is None or self.serving.satisfied(shown):
                    return found, shown
            if time.monotonic() > latest:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, self.params["poll_interval"])
        if self.serving is None or found.status != wanted or problem:
            raise Failure(
                f"{self.name} on {self.control.where} is {found.status}, not {wanted}, {self.params['wait_timeout']} s "
                f"after it was asked{problem}. Look at it with 'utils service list' and start it with 'utils service "
                f"start {self.name}'; if it stays down, follow the guide to phones, calls and nodes during a change. A "
                "larger wait_timeout waits longer.",
                status=found.status,
            )
        raise Failure(
            f"{self.name} on {self.control.where} is {found.status}, but {self.serving.unsatisfied(shown, old)}",
            status=found.status,
            presented=next(iter(shown.values()), None),
            presented_certificates=shown,
        )


def _runs_anew(before: ServiceState, now: ServiceState) -> bool:
    """Whether a service was started between two looks, as far as both show since when it runs."""
    return before.up_time is not None and now.up_time is not None and now.up_time < before.up_time


def _pending(host: str, times: RestartTimes, outcome: Outcome) -> list[str]:
    """The warning for services whose restart waits for the window."""
    names = outcome.result["pending"]
    if not names:
        return []
    return [
        f"{', '.join(names)} on {host}: a restart is required and was not made. The node's clock shows "
        f"{times.now():%H:%M}, and the window for restarts is {times.window}. Run again inside the window."
    ]


def _calls_ended(host: str, name: str, left: int | None) -> list[str]:
    """The warning for calls that a restart ended although it waited for them."""
    if not left:
        return []
    calls = "1 call was" if left == 1 else f"{left} calls were"
    return [f"{calls} still active on {host} when {name} was restarted, after the wait for calls (drain)."]


def _row(control: Control, found: ServiceState, *, changed: bool = False) -> dict[str, Any]:
    """What the result shows of another service, as it was found."""
    return {
        "name": found.name, "changed": changed, "status": found.status, "activated": found.activated,
        "since": started_text(control, found),
    }  # fmt: skip


def _still_stopped(control: Control, found: ServiceState) -> list[str]:
    """The warning for a service that should take up a new certificate, and that somebody has stopped."""
    if not found.activated or found.status != "Stopped":
        return []
    return [
        f"{found.name} on {control.where} is stopped and was not started. It takes up the new certificate when it "
        f"starts; `utils service start {found.name}` starts it."
    ]


def _moment(option: str, text: str | None) -> datetime | None:
    """The moment that an option gives."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"{option} is {text!r}; give a date and time such as 2027-01-31T12:00:00Z.") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _untouched(
    control: Control, found: ServiceState, presented: Presented | None = None, *, left_stopped: bool = False,
    pending: list[str] | None = None,
) -> Outcome:  # fmt: skip
    """The outcome for a service to which nothing was done."""
    shown = _for_diff(found, presented or {})
    result = _result(control, found, presented or {})
    return Outcome(before=shown, after=shown, result={**result, "left_stopped": left_stopped, "pending": pending or []})


def _result(control: Control, found: ServiceState, presented: Presented) -> dict[str, Any]:
    """What a result shows of a service in this state, to which nothing was done."""
    return {
        "status": found.status, "since": started_text(control, found), "previous_status": found.status,
        "presented": next(iter(presented.values()), None), "presented_certificates": dict(presented), "waited": 0.0,
        "interface": control.kind.lower(), "left_stopped": False, "restarted": [], "pending": [], "calls_left": None,
    }  # fmt: skip


def _for_diff(state: ServiceState, presented: Mapping[str, str | None], restarted: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": state.name, "status": state.status}
    if any(presented.values()):
        shown["presented"] = dict(presented)
    if restarted:
        shown["restarted"] = True
    return shown
