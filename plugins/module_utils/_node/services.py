# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of a node: start, stop, restart, and wait until it serves with the certificate it should.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    PLATFORM,
    ArgSpec,
    Failure,
    Outcome,
)
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import AnswerLost, HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._node.restart_times import RestartTimes
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.control_center import (
    ControlCenter,
    ServiceState,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK

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
LISTED = re.compile(r"^([^\[\n]+)\[([A-Z]+)\](.*)$", re.MULTILINE)
VERBS = {"started": "start", "stopped": "stop", "restarted": "restart"}
# Control Center runs in Tomcat and cannot restart it; the CLI can.
CLI_ONLY = ("cisco tomcat",)


class Control(Protocol):
    """What both interfaces offer."""

    @property
    def kind(self) -> str:
        """CLI or Control Center."""

    @property
    def where(self) -> str:
        """Node, interface and account, for sentences."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""

    def status(self, name: str) -> ServiceState:
        """The state of a service."""

    def control(self, name: str, verb: str) -> None:
        """Ask for start, stop or restart; it may go on after this returns."""

    def now(self) -> datetime:
        """The time by the node's clock, as far as the interface shows it."""

    def close(self) -> None:
        """End the session."""


@dataclass
class CliControl:
    """Services by `utils service`."""

    shell: AdminShell
    patience: float = 900.0  # seconds that a command may take
    kind: str = "CLI"

    @property
    def where(self) -> str:
        """Node, interface and account in words."""
        return self.shell.access.where

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        return self.shell.warnings

    def status(self, name: str) -> ServiceState:
        """The state of a service, from the whole list."""
        try:
            text = self.shell.run("utils service list")
        except ShellLost:
            text = self.shell.run("utils service list")
        for found, status, reason in LISTED.findall(text):
            if found.strip().lower() == name.lower():
                return ServiceState(found.strip(), status.capitalize(), reason.strip())
        raise Failure(f"{self.where} knows no service {name}; 'utils service list' names them in full.")

    def control(self, name: str, verb: str) -> None:
        """Start, stop or restart; the answer is not trusted, the status is."""
        self.shell.run(f"utils service {verb} {name}", idle=self.patience, limit=self.patience)

    def now(self) -> datetime:
        """The time by the controller's clock: the CLI does not show since when a service runs anyway."""
        return datetime.now(UTC)

    def close(self) -> None:
        """End the session."""
        self.shell.close()


@dataclass(frozen=True)
class Serving:
    """The port that shows whether a service is back, and the certificate that it should present for each purpose."""

    host: str
    port: int
    #: purpose, such as CallManager-ECDSA: SHA-256 of the certificate that it should present; None: any
    wanted: Mapping[str, str | None]
    legacy: bool
    timeout: int

    def presented(self) -> dict[str, str | None]:
        """By purpose the SHA-256 of the certificate that the port presents now; None while it presents none.

        A purpose whose certificate can't be asked for is left out: over TLS 1.3 a port may show only the other one.
        """
        from ansible_collections.siptls.cucm.plugins.module_utils._evidence.handshake import Asked
        from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probe import Target, served_certificate
        from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

        target = Target(self.host, self.port, self.legacy, min(self.timeout, 10))
        shown: dict[str, str | None] = {}
        for purpose in self.wanted:
            try:
                shown[purpose] = read_certificate(served_certificate(target, Asked.of_purpose(purpose))[0]).sha256
            except Failure as failure:
                if failure.facts.get("state") != "other_identity":
                    shown[purpose] = None
        return shown

    def satisfied(self, presented: Mapping[str, str | None]) -> bool:
        """True when the port presents for each purpose, as far as that can be seen, what it should."""
        return all(shown is not None and self.wanted[purpose] in (None, shown) for purpose, shown in presented.items())

    def differing(self, presented: Mapping[str, str | None]) -> list[str]:
        """The purposes for which the port presents another certificate than it should, or none."""
        return [purpose for purpose, shown in presented.items() if not self.satisfied({purpose: shown})]

    @property
    def place(self) -> str:
        """Address and port in words."""
        return f"port {self.port} of {self.host}"


def service(task: Task) -> Outcome:
    """The whole of cucm_service."""
    params = task.params
    serving = _serving(params)
    control = _open(params)
    try:
        times = RestartTimes(params, *_sessions(control))
        outcome = _run(control, params, serving, times, task.check_mode)
        if params["also"] and not params["also"]["restart"]:
            outcome.result["also"] = [_row(control, control.status(name)) for name in params["also"]["services"]]
        elif params["also"]:
            _others(control, params, outcome, times, task.check_mode)
        outcome.warnings += _pending(params["host"], times, outcome)
        outcome.warnings += control.warnings
        return outcome
    finally:
        control.close()


def _serving(params: Mapping[str, Any]) -> Serving | None:
    given = params["serving"]
    if given is None:
        return None
    if params["state"] == "stopped":
        raise Failure("serving cannot be asked of a service with state: stopped.")
    by_purpose = given["certificates"]
    if by_purpose and given["certificate"]:
        raise Failure("serving takes either certificate or certificates, which names the purposes.")
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import fingerprint_of

    wanted = by_purpose or {TRUNK.name: given["certificate"]}
    return Serving(
        given["address"] or params["host"],
        given["port"],
        {purpose: fingerprint_of(certificate, "serving.certificate") for purpose, certificate in wanted.items()},
        params["legacy_crypto"],
        params["timeout"],
    )


def _open(params: Mapping[str, Any]) -> Control:
    choice = params["interface"]
    if choice == "auto":
        choice = "soap" if params["username"] and params["name"].lower() not in CLI_ONLY else "cli"
    if choice == "soap" and not params["username"]:
        raise Failure("interface: soap needs the application account (username, password).")
    if choice == "cli" and not params["os_username"]:
        raise Failure(
            f"{params['name']} can only be controlled by the CLI, which needs the platform account (os_username, "
            "os_password)."
        )
    if choice == "soap":
        return ControlCenter.from_params(params)
    return CliControl(AdminShell.from_params(params), max(params["wait_timeout"], 1))


def _expected(serving: Serving | None) -> dict[str, str | None]:
    """What a port will present, as far as the options say."""
    return {purpose: sha for purpose, sha in serving.wanted.items() if sha} if serving is not None else {}


def _check_known(control: Control, found: ServiceState) -> None:
    """Failure for a name to which CUCM gives no state."""
    if found.status not in ("Started", "Stopped", "Starting", "Stopping"):
        said = f" ({readable(found.reason)})" if found.reason else ""
        raise Failure(
            f"{control.where} knows no service {found.name}: its state is {found.status}{said}. Give the name in full, "
            "as the Control Center shows it."
        )


def _is_needed(
    control: Control, params: Mapping[str, Any], found: ServiceState, serving: Serving | None,
    presented: Mapping[str, str | None],
) -> bool:  # fmt: skip
    """Whether the service is not in the state that was asked for, or does not present what it should."""
    state, limit = params["state"], params["started_before"]
    if state == "restarted" and serving is None and limit:
        return _started_before(control, found, _moment("started_before", limit))
    if state == "restarted":
        return serving is None or not presented or not serving.satisfied(presented)
    return found.status not in (("Started", "Starting") if state == "started" else ("Stopped", "Stopping"))


def _sessions(control: Control) -> tuple[HttpClient | None, AdminShell | None]:
    """The open sessions of an interface, of the application account and of the platform account."""
    return getattr(control, "client", None), getattr(control, "shell", None)


def _pending(host: str, times: RestartTimes, outcome: Outcome) -> list[str]:
    """The warning for services whose restart waits for the window."""
    names = outcome.result["pending"]
    if not names:
        return []
    return [
        f"{', '.join(names)} on {host}: a restart is required and was not made. The node's clock shows "
        f"{times.now():%H:%M}, and the window for restarts is {times.window}. Run again inside the window."
    ]


def _run(
    control: Control, params: Mapping[str, Any], serving: Serving | None, times: RestartTimes, check_mode: bool
) -> Outcome:
    name, state = params["name"], params["state"]
    before, presented, needed = _look(control, params, serving)
    left = _left(control, params, before)
    if left is not None:
        return left
    calls_left = None
    # A service that is down has no calls to lose: it may be started at any time.
    if needed and state == "restarted" and before.status == "Started":
        if not times.is_open():
            return _postponed(control, before, presented)
        calls_left = None if check_mode else times.wait_for_calls()
        if not check_mode:
            before, presented, needed = _look_again(control, params, serving, before)
    began = time.monotonic()
    if check_mode:
        after = ServiceState(name, "Stopped" if state == "stopped" else "Started")
        shown = presented | _expected(serving)
    else:
        if needed:
            _ask(control, name, VERBS[state], before)
        after, shown = _wait(control, params, serving, presented if needed else {})
    return Outcome(
        changed=needed,
        before=_for_diff(before, presented),
        after=_for_diff(after, shown, restarted=needed and state == "restarted"),
        result={
            "status": after.status,
            "since": _since_text(control, after),
            "previous_status": before.status,
            "presented": next(iter(shown.values()), None),
            "presented_certificates": shown,
            "waited": round(time.monotonic() - began, 1),
            "interface": control.kind.lower(),
            "left_stopped": False,
            "restarted": [name] * (needed and state == "restarted"),
            "pending": [],
            "calls_left": calls_left,
        },
        warnings=_calls_ended(params["host"], name, calls_left),
    )


def _look(
    control: Control, params: Mapping[str, Any], serving: Serving | None, since: ServiceState | None = None
) -> tuple[ServiceState, dict[str, str | None], bool]:
    """The state, what the port presents, and whether anything has to be done; since: the state that was read before."""
    found, by_another = _at_rest(control, params, control.status(params["name"]), since)
    _check_known(control, found)
    presented = serving.presented() if serving is not None and found.status == "Started" else {}
    needed = _is_needed(control, params, found, serving, presented) and not (by_another and serving is None)
    return found, presented, needed


def _look_again(
    control: Control, params: Mapping[str, Any], serving: Serving | None, before: ServiceState
) -> tuple[ServiceState, dict[str, str | None], bool]:
    """The last look before a restart: another run, also on another controller, may have changed the node meanwhile."""
    _check_held(params, serving)
    found, presented, needed = _look(control, params, serving, since=before)
    if needed:
        # The handshake took a moment. A service that was restarted in it is waited for, not restarted.
        found, by_another = _at_rest(control, params, control.status(params["name"]), found)
        needed = not by_another
    return found, presented, needed


def _check_held(params: Mapping[str, Any], serving: Serving | None) -> None:
    """Failure where the node holds another certificate than the one that the restart is to bring to its port."""
    wanted = {purpose: sha for purpose, sha in serving.wanted.items() if sha} if serving is not None else {}
    if not wanted or not params["os_username"]:
        return
    from ansible_collections.siptls.cucm.plugins.module_utils._node.opening import open_store
    from ansible_collections.siptls.cucm.plugins.module_utils._node.store import check_replaced

    # interface is an option of both modules, with values of its own here.
    store = open_store({**params, "interface": "auto"})
    try:
        for purpose, sha in wanted.items():
            check_replaced(store.identity(purpose), sha, f"Restarting {params['name']} on {store.where}", "restarted")
    finally:
        store.close()


def _at_rest(
    control: Control, params: Mapping[str, Any], found: ServiceState, since: ServiceState | None
) -> tuple[ServiceState, bool]:
    """The state once a restart that another run has asked for is over, and whether there was one.

    since: the state that was read before, by which a restart is seen that is over already.
    """
    between = ("Starting", "Stopping")
    if params["state"] != "restarted" or found.status not in between:
        was, now = since.up_time if since is not None else None, found.up_time
        return found, was is not None and now is not None and now < was
    latest = time.monotonic() + params["wait_timeout"]
    while found.status in between and time.monotonic() < latest:
        time.sleep(min(1.0, params["poll_interval"]))
        found = control.status(params["name"])
    # A restart that never ends is made once more.
    return found, found.status == "Started"


def _calls_ended(host: str, name: str, left: int | None) -> list[str]:
    """The warning for calls that a restart ended although it waited for them."""
    if not left:
        return []
    calls = "1 call was" if left == 1 else f"{left} calls were"
    return [f"{calls} still active on {host} when {name} was restarted, after the wait for calls (drain)."]


def _postponed(control: Control, found: ServiceState, presented: Mapping[str, str | None]) -> Outcome:
    """A service that requires a restart, outside the window for restarts."""
    shown = _for_diff(found, presented)
    return Outcome(before=shown, after=shown, result=_untouched(control, found, presented, pending=[found.name]))


def _left(control: Control, params: Mapping[str, Any], found: ServiceState) -> Outcome | None:
    """The outcome for a service that is to be left as it is, None for one to go on with; Failure if not activated."""
    name, state = params["name"], params["state"]
    if not found.activated and params["only_activated"]:
        return _left_alone(control, found)
    if state == "restarted" and params["started_before"] and not params["serving"] and found.status == "Stopped":
        return _left_alone(control, found)
    if state == "restarted" and not params["start_stopped"] and _commanded_out(control, params, found):
        return _left_alone(
            control,
            found,
            f"{name} on {control.where} is stopped (CUCM says: {readable(found.reason)}) and was not started, because "
            "somebody may have stopped it on purpose. A new certificate takes effect when it starts: start it with "
            f"`utils service start {name}`, or set start_stopped.",
        )
    if not found.activated and state != "stopped":
        raise Failure(
            f"{name} is not activated on {control.where}. Activate it on the node's Serviceability page (Service "
            "Activation) first."
        )
    return None


def _commanded_out(control: Control, params: Mapping[str, Any], found: ServiceState) -> bool:
    """Whether somebody stopped the service by order; also where it is stopped and CUCM does not show why."""
    if found.status != "Stopped" or found.commanded_out:
        return found.status == "Stopped"
    if control.kind == "CLI":
        return False
    if not params["os_username"]:
        return True
    # Control Center says the same of a service that was stopped and of one that did not come up; the CLI does not.
    second = CliControl(AdminShell.from_params(params))
    try:
        return second.status(params["name"]).commanded_out
    finally:
        second.close()


def _others(
    control: Control, params: Mapping[str, Any], outcome: Outcome, times: RestartTimes, check_mode: bool
) -> None:
    """Restart the other services in order, as far as they run and it is needed; adds to the outcome."""
    also, pending = params["also"], outcome.result["pending"]
    needed = also["needed"] or outcome.changed or bool(pending)
    limit = _moment("also.started_before", also["started_before"])
    done = []
    for name in also["services"]:
        found = control.status(name)
        due = found.status == "Started" and (needed or _started_before(control, found, limit))
        # What follows a restart that was made belongs to it, even where the window has ended meanwhile.
        if due and (pending or (not outcome.changed and not times.is_open())):
            pending.append(name)
            due = False
        if due and not check_mode:
            _ask(control, name, "restart", found)
            _wait(control, {**params, "name": name, "state": "restarted"}, None, {})
        elif needed:
            outcome.warnings += _still_stopped(control, found)
        done.append(_row(control, found, changed=due))
        outcome.changed = outcome.changed or due
    outcome.result["also"] = done
    restarted = [row["name"] for row in done if row["changed"]]
    outcome.result["restarted"] += restarted
    if restarted:
        outcome.after["also_restarted"] = restarted


def _row(control: Control, found: ServiceState, *, changed: bool = False) -> dict[str, Any]:
    """What the result shows of another service, as it was found."""
    return {
        "name": found.name, "changed": changed, "status": found.status, "activated": found.activated,
        "since": _since_text(control, found),
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


def _since(control: Control, found: ServiceState) -> datetime | None:
    """When a service was started, by the node's clock; None where the interface does not show it."""
    if found.up_time is None or found.up_time < 0:
        return None
    return control.now() - timedelta(seconds=found.up_time)


def _since_text(control: Control, found: ServiceState) -> str | None:
    """The same for a result."""
    since = _since(control, found)
    return since.isoformat(timespec="seconds") if since else None


def _started_before(control: Control, found: ServiceState, limit: datetime | None) -> bool:
    """False where Control Center or the CLI does not show since when the service runs."""
    since = _since(control, found)
    return since is not None and limit is not None and since < limit


def _left_alone(control: Control, found: ServiceState, why: str = "") -> Outcome:
    """A service that was not touched, with the reason as a warning."""
    shown = _for_diff(found, {})
    result = _untouched(control, found, {}, left_stopped=bool(why))
    return Outcome(before=shown, after=shown, result=result, warnings=[why] if why else [])


def _untouched(
    control: Control, found: ServiceState, presented: Mapping[str, str | None], *, left_stopped: bool = False,
    pending: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The result for a service to which nothing was done."""
    return {
        "status": found.status, "since": _since_text(control, found), "previous_status": found.status,
        "presented": next(iter(presented.values()), None), "presented_certificates": dict(presented), "waited": 0.0,
        "interface": control.kind.lower(), "left_stopped": left_stopped, "restarted": [], "pending": pending or [],
        "calls_left": None,
    }  # fmt: skip


def _ask(control: Control, name: str, verb: str, before: ServiceState) -> None:
    """Ask once. When the answer is lost, the service's state tells whether CUCM acted; if not, ask once more."""
    try:
        control.control(name, verb)
        return
    except (AnswerLost, ShellLost):
        time.sleep(1)
    now = control.status(name)
    acted = now.status != before.status or (
        now.up_time is not None and before.up_time is not None and now.up_time < before.up_time
    )
    if not acted:
        control.control(name, verb)


def _wait(
    control: Control, params: Mapping[str, Any], serving: Serving | None, old: Mapping[str, str | None]
) -> tuple[ServiceState, dict[str, str | None]]:
    """Until the service is where it should be and presents what it should; Failure when wait_timeout is over."""
    wanted = "Stopped" if params["state"] == "stopped" else "Started"
    latest = time.monotonic() + params["wait_timeout"]
    pause = min(0.5, params["poll_interval"])
    state, problem = ServiceState(params["name"], "Unknown"), ""
    shown: dict[str, str | None] = {}
    while True:
        try:
            state, problem = control.status(params["name"]), ""
        except (AnswerLost, ShellLost) as failure:
            problem = f" ({readable(failure.msg)})"
        if state.status == wanted and not problem:
            shown = serving.presented() if serving is not None else {}
            if serving is None or serving.satisfied(shown):
                return state, shown
        if time.monotonic() > latest:
            break
        time.sleep(pause)
        pause = min(pause * 1.5, params["poll_interval"])
    if state.status != wanted or problem:
        raise Failure(
            f"{params['name']} on {control.where} is {state.status}, not {wanted}, {params['wait_timeout']} s after it "
            f"was asked{problem}. Look at it with 'utils service list' and start it with 'utils service start "
            f"{params['name']}'; if it stays down, follow the guide to phones, calls and nodes during a change. A "
            "larger wait_timeout waits longer.",
            status=state.status,
        )
    if serving is None:
        raise AssertionError("a port was waited for, so there is one")
    raise Failure(
        f"{params['name']} on {control.where} is {state.status}, but {_not_served(serving, shown, old)}",
        status=state.status,
        presented=next(iter(shown.values()), None),
        presented_certificates=shown,
    )


def _not_served(serving: Serving, shown: Mapping[str, str | None], old: Mapping[str, str | None]) -> str:
    """What the port presents instead after the wait, and what to do."""
    purpose = serving.differing(shown)[0]
    now = shown[purpose]
    if now is None:
        return f"{serving.place} presents no {purpose} certificate. Is there a trunk with a TLS profile on that port?"
    hint = "which is not the one expected: does another server answer on that address?"
    if now == old.get(purpose):
        hint = "the one from before the restart: was the new one uploaded to this node?"
    return f"{serving.place} presents the certificate {now} as {purpose}, {hint}"


def _for_diff(state: ServiceState, presented: Mapping[str, str | None], restarted: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": state.name, "status": state.status}
    if any(presented.values()):
        shown["presented"] = dict(presented)
    if restarted:
        shown["restarted"] = True
    return shown
