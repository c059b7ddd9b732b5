# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every module's face: arguments, the check for libraries, results, failures.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible_collections.siptls.cucm.plugins.module_utils._text import clipped, harmless

ISSUES = "https://github.com/siptls/cucm/issues"


#: Why a module failed, in `reason` of its result. Set where the failure happens, so that no code reads messages.
Reason = Literal["name", "unreachable", "timeout", "lost", "busy", "tls", "host_key", "algorithms", "account", "rights"]
REASONS: dict[Reason, str] = {
    "name": "the host name does not resolve",
    "unreachable": "no connection: nothing listens there, or there is no route",
    "timeout": "no connection, or no response, in time",
    "lost": "the request was sent, but no complete response came back; whether CUCM acted is not known",
    "busy": "CUCM answers that it is overloaded or restarting",
    "tls": "the TLS handshake failed, or the certificate is not trusted",
    "host_key": "the SSH host key is not trusted",
    "algorithms": "no SSH algorithm in common",
    "account": "CUCM refused the account: user name, password, or it is locked or expired",
    "rights": "the account has no role that allows this",
}
#: the reasons of a cluster that is down or cut off, in contrast to those that need a correction
DOWN: frozenset[Reason] = frozenset({"unreachable", "timeout"})


class Failure(Exception):
    """A sentence for the user; ends the module through fail_json with reason and facts added to its result."""

    def __init__(self, msg: str, *, reason: Reason | None = None, **facts: Any) -> None:
        super().__init__(msg)
        self.msg = msg
        self.reason = reason
        self.facts = facts if reason is None else {"reason": reason, **facts}


@dataclass
class Outcome:
    """What a service hands to its module's face.

    before and after become the diff unless a ready diff is given; result is merged into the module's result.
    """

    changed: bool = False
    before: Any = None
    after: Any = None
    diff: list[dict[str, Any]] | dict[str, Any] | None = None
    #: the diff below -vv, where the whole one is long
    brief: list[dict[str, Any]] | None = None
    result: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def ready_diff(self, verbosity: int = 2) -> list[dict[str, Any]] | dict[str, Any] | None:
        """The diff in Ansible's form, or None when the service gave nothing to compare."""
        if self.brief is not None and verbosity < 2:
            return self.brief
        if self.diff is not None:
            return self.diff
        if self.before is None and self.after is None:
            return None
        return {"before": {} if self.before is None else self.before, "after": {} if self.after is None else self.after}


@dataclass(frozen=True)
class ArgSpec:
    """Options and the rules between them; two specifications add up to one, the right one's options winning."""

    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    required_by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __add__(self, other: ArgSpec) -> ArgSpec:
        merged: dict[str, Any] = {}
        for part in fields(self):
            mine, theirs = getattr(self, part.name), getattr(other, part.name)
            if isinstance(mine, dict):
                merged[part.name] = {**mine, **theirs}
            else:
                merged[part.name] = mine + tuple(rule for rule in theirs if rule not in mine)
        return ArgSpec(**merged)

    def optional(self, *names: str) -> ArgSpec:
        """The same specification with these options no longer required, for modules that need one account of two."""
        options = {
            name: {key: value for key, value in spec.items() if not (name in names and key == "required")}
            for name, spec in self.options.items()
        }
        return replace(self, options=options)

    def module_arguments(self) -> dict[str, Any]:
        """The keyword arguments of AnsibleModule."""
        return {
            "argument_spec": self.options,
            "mutually_exclusive": list(self.mutually_exclusive),
            "required_together": list(self.required_together),
            "required_one_of": list(self.required_one_of),
            "required_if": list(self.required_if),
            "required_by": dict(self.required_by),
        }


def _env(*names: str) -> tuple[Callable[..., Any], list[str]]:
    return (env_fallback, list(names))


CONNECTION = ArgSpec(
    options={
        "host": {"type": "str", "required": True, "fallback": _env("CUCM_HOST")},
        "port": {"type": "int", "default": 8443},
        "validate_certs": {"type": "bool", "default": True, "fallback": _env("CUCM_VALIDATE_CERTS")},
        "ca_path": {"type": "path", "fallback": _env("CUCM_CA_PATH")},
        "tls_fingerprint": {"type": "str"},
        "legacy_crypto": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 30},
    },
)

APPLICATION = CONNECTION + ArgSpec(
    options={
        "username": {"type": "str", "required": True, "fallback": _env("CUCM_USERNAME")},
        "password": {"type": "str", "required": True, "no_log": True, "fallback": _env("CUCM_PASSWORD")},
    },
)

PLATFORM = CONNECTION + ArgSpec(
    options={
        "os_username": {"type": "str", "required": True, "fallback": _env("CUCM_OS_USERNAME")},
        "os_password": {"type": "str", "required": True, "no_log": True, "fallback": _env("CUCM_OS_PASSWORD")},
        "ssh_port": {"type": "int", "default": 22},
        "ssh_known_hosts": {"type": "path", "default": "~/.ssh/known_hosts"},
        "ssh_host_key": {"type": "str", "no_log": False},
        "validate_host_key": {"type": "bool", "default": True, "no_log": False},
        "interface": {"type": "str", "choices": ["auto", "rest", "cli"], "default": "auto"},
    },
)


def missing_libraries(names: Iterable[str]) -> list[str]:
    """Those of the named top-level packages that this Python cannot find; nothing is imported, for speed."""
    return [name for name in names if importlib.util.find_spec(name) is None]


class Task(Protocol):
    """What a service knows of its task, whether a module runs it or the controller's own process."""

    params: dict[str, Any]
    check_mode: bool

    @property
    def tmpdir(self) -> str:
        """A folder for temporary files, which is removed after the task."""


@dataclass(frozen=True)
class Face:
    """What a module consists of: its arguments, its service, and the libraries that the service needs."""

    spec: ArgSpec
    service: Callable[[Task], Outcome]
    needs: tuple[str, ...] = ()
    #: whether the result may be written back to CUCM later, so that each character is kept as CUCM returned it
    verbatim: bool = False
    #: whether the service reads files of the collection, and so always runs in Ansible's own process
    controller: bool = False
    #: whether a run of roles begins with it, and so loads everything at once
    begins_run: bool = False


def perform(face: Face, task: Task, *, verbosity: int = 0, diff: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The result of a task and its warnings; a failure has `failed` and a sentence as `msg`, never a traceback.

    verbosity: that of Ansible; with -v no message, problem or warning is clipped.
    """
    for name in missing_libraries(face.needs):
        return {"failed": True, "msg": missing_required_lib(name)}, []
    try:
        _refuse_masks(face, task.params)
        outcome = face.service(task)
    except Failure as failure:
        facts = {**failure.facts, "failed": True, "msg": failure.msg}
        return harmless(facts if verbosity else _short(facts)), _guards(task.params)
    except Exception as error:
        found: dict[str, Any] = {"failed": True, "msg": _unexpected(error)}
        if verbosity >= 3:
            # Frames and source lines only: the text of a foreign exception may contain what it was given.
            found["frames"] = "".join(traceback.format_tb(error.__traceback__)).splitlines()
        return found, []
    result = {**(outcome.result if face.verbatim else harmless(outcome.result)), "changed": outcome.changed}
    compared = outcome.ready_diff(verbosity)
    if diff and compared is not None:
        result["diff"] = harmless(compared)
    warnings = [text if verbosity else clipped(text) for text in outcome.warnings]
    return result, [*_guards(task.params), *harmless(warnings)]


def invocation(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options as a result shows them once its secrets are removed: of an object in a list, only those that are set.

    Ansible would send dozens of empty options for each of thousands of objects through all its steps.
    """
    given = {
        name: [_set(item) for item in value] if isinstance(value, list) else value for name, value in params.items()
    }
    return {"module_args": given}


def _set(item: Any) -> Any:
    return {name: value for name, value in item.items() if value is not None} if isinstance(item, dict) else item


def _short(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a failure without texts that are longer than a person reads."""
    problems = {"problems": [clipped(str(problem)) for problem in facts["problems"]]} if "problems" in facts else {}
    return {**facts, **problems, "msg": clipped(facts["msg"])}


#: what an option that switches a check off means; Ansible shows a warning once per run, however many tasks return it
GUARDS = {
    "validate_certs": (
        "validate_certs is false: nothing checks who answers by HTTPS, and whoever does gets the password. Give "
        "ca_path or tls_fingerprint instead."
    ),
    "validate_host_key": (
        "validate_host_key is false: nothing checks who answers by SSH, and whoever does gets the password. Give "
        "ssh_known_hosts or ssh_host_key instead."
    ),
}


def _guards(params: Mapping[str, Any]) -> list[str]:
    """A warning for each identity check that the options switch off."""
    if not params.get("host"):
        return []  # ca_sign warns of its own
    pinned = {"validate_certs": params.get("tls_fingerprint")}
    return [words for option, words in GUARDS.items() if params.get(option) is False and not pinned.get(option)]


def run_module(face: Face) -> NoReturn:
    """Run as a module of its own process: build the module, run the service, exit with its result."""
    module = AnsibleModule(supports_check_mode=True, **face.spec.module_arguments())
    result, warnings = perform(face, module, verbosity=module._verbosity, diff=module._diff)
    result.setdefault("invocation", invocation(module.params))
    for warning in warnings:
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
    raise AssertionError("exit_json does not return")


#: what Ansible puts in place of a secret in whatever a module returns
MASKS = ("********", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")


def _refuse_masks(face: Face, params: Mapping[str, Any]) -> None:
    """Failure when an option of a module with secrets holds Ansible's mask: it would be written or signed as text."""
    if not any(option.get("no_log") for option in face.spec.options.values()):
        return
    for option, value in params.items():
        secret = face.spec.options.get(option, {}).get("no_log")
        # All texts of the value are in what Python shows of it, in a tenth of the time that a walk takes.
        shown = "" if secret else str(value)
        if any(mask in shown for mask in MASKS):
            raise Failure(
                f"The option {option} contains {MASKS[0]}, which Ansible shows in place of a secret: a password is "
                "part of a name, an address or a number. Nothing was written. Change the password, or the name."
            )


def _unexpected(error: BaseException) -> str:
    """One sentence about a fault of ours: its class and place, not its text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    return (
        f"The module met an unexpected error: {type(error).__name__} at {place}. "
        f"This is a fault of siptls.cucm; please report it at {ISSUES} with the release of CUCM. "
        "Run with -vvv to see where it happened."
    )
