# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the service of a module in Ansible's own process, if the result is the same.

A module's process spends most of its time on imports. Ansible loads action plugins in its main process and forks a
worker per task, so that a worker finds the libraries loaded.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as RunModule
from ansible.plugins.loader import filter_loader, test_loader
from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, invocation, perform

try:  # ansible-core 2.19 and later
    from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
except ImportError:
    get_module_encoder = None

COLLECTION = "ansible_collections.siptls.cucm.plugins"
#: the task variable, and the environment variable where it is not set, that switch this off
SWITCH, SWITCH_ENVIRONMENT = "siptls_cucm_in_process", "SIPTLS_CUCM_IN_PROCESS"
#: the task variable by which a plan has its predictions counted as what they are: nothing is changed
PREDICTS = "siptls_cucm_predicts"
#: the library that only tasks load that write to AXL
ON_WRITE = "zeep"
#: libraries whose import takes long; the services import them when they need them
LIBRARIES = ("asyncssh", "cryptography.x509", "lxml.etree", "requests", "yaml", ON_WRITE)
#: To find one filter of a collection, Ansible loads them all, and it compiles what they import each time; likewise its
#: own tests. What its main process has loaded, no worker loads again: half the processor time of a rerun.
PRELOADED = ((filter_loader, "siptls.cucm.absolute_path"), (test_loader, "ansible.builtin.truthy"))


def _quiet() -> warnings.catch_warnings[None]:
    """No warnings of libraries about old algorithms: a module's go to its stderr, which nobody sees."""
    return warnings.catch_warnings(action="ignore")


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """No search for garbage: what is imported stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_no_collection()
def face_of(name: str) -> Face:
    """The module of that name, with all that its tasks load."""
    face: Face = importlib.import_module(f"{COLLECTION}.modules.{name}").FACE
    # A play of one module loads what that one imports. With a second one it is a run of roles, which use everything;
    # so is a run that begins by looking at the controller, as every playbook of this collection does.
    modules = [name for name in sys.modules if name.startswith(f"{COLLECTION}.modules.")]
    if len(modules) == 1 and not face.begins_run:
        _load_libraries(name for name in face.needs if name != ON_WRITE)
    else:
        _preload()
    return face


def _load_libraries(names: Iterable[str]) -> None:
    """Import libraries; one that is missing is reported by the tasks that need it, in the module's own words."""
    for name in names:
        with contextlib.suppress(ImportError), _quiet():
            importlib.import_module(name)


@functools.cache
def _preload() -> None:
    """Load what each worker would load, and freeze it: once in a run, in Ansible's main process."""
    _load_libraries(LIBRARIES)
    for loader, name in PRELOADED:
        loader.get(name)
    utils = importlib.import_module(f"{COLLECTION}.module_utils")
    _load_libraries(module.name for module in pkgutil.walk_packages(utils.__path__, f"{utils.__name__}."))
    # No worker's garbage collector has to go through what is loaded, which would copy its pages.
    gc.collect()
    gc.freeze()


@dataclass
class Task:
    """A task as a service sees it."""

    params: dict[str, Any]
    check_mode: bool
    folders: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    #: the name of the play's strategy plugin, as the play or ansible.cfg has it
    strategy: str = ""

    @property
    def tmpdir(self) -> str:
        """A folder that is removed after the task."""
        return self.folders.enter_context(tempfile.TemporaryDirectory(prefix="siptls-"))


class InProcess(RunModule):  # type: ignore[misc]  # ansible-core has no types
    """Runs the module's service in this process, or the module as always."""

    FACE: Face

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The result of the task."""
        variables = task_vars or {}
        result = self._in_process(variables) if self._is_the_same(variables) else None
        if result is None:
            result = super().run(tmp, task_vars)
        if self._task.check_mode and boolean(variables.get(PREDICTS, False), strict=False):
            return {**result, "changed": False, "would_change": result.get("changed", False)}
        return result

    def _is_the_same(self, variables: Mapping[str, Any]) -> bool:
        """Whether a module would run on this machine, as this user, with this Python, and to its end."""
        if self.FACE.controller:
            return not self._task.async_val
        if self._task.async_val or self._connection.transport != "local" or self._connection.become is not None:
            return False
        chosen = self._templar.template(variables.get(SWITCH, os.environ.get(SWITCH_ENVIRONMENT, "true")))
        if not boolean(chosen, strict=False):
            return False
        return self._interpreter(variables) == sys.executable

    def _interpreter(self, variables: Mapping[str, Any]) -> str | None:
        """The Python that the task names; None where Ansible would have to look for one."""
        if self._task.delegate_to:
            variables = (variables.get("ansible_delegated_vars") or {}).get(self._task.delegate_to) or {}
        named = self._templar.template(variables.get("ansible_python_interpreter"))
        return None if named is None else str(named)

    def _in_process(self, variables: dict[str, Any]) -> dict[str, Any] | None:
        """The result by the service; None where the arguments are not valid, which the module reports best."""
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        # A relative path of an option means the same as for a module, which the connection `local` starts there.
        here = contextlib.chdir(self._loader.get_basedir())
        with _environment(environment), here, _quiet(), contextlib.ExitStack() as folders:
            valid = ArgumentSpecValidator(
                self.FACE.spec.options,
                **{name: rule for name, rule in self.FACE.spec.module_arguments().items() if name != "argument_spec"},
            ).validate(_plain(self._task.args))
            if valid.error_messages:
                return None
            play = self._task.get_play()
            task = Task(valid.validated_parameters, bool(self._task.check_mode), folders, str(play.strategy))
            result, warnings = perform(self.FACE, task, verbosity=self._display.verbosity, diff=bool(self._task.diff))
        return _returned(result, warnings, task, valid)


@contextlib.contextmanager
def _environment(values: Mapping[str, Any]) -> Iterator[None]:
    """The task's environment: keyword, for as long as the task runs."""
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as a module gets them: through JSON, with vaulted texts open and nothing of Ansible's own types."""
    if get_module_encoder is None:
        from ansible.parsing.ajson import AnsibleJSONEncoder

        found: dict[str, Any] = json.loads(json.dumps(dict(arguments), cls=AnsibleJSONEncoder, vault_to_text=True))
        return found
    encoder = get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE)
    decoded: dict[str, Any] = json.loads(
        json.dumps(dict(arguments), cls=encoder), cls=get_module_decoder("legacy", Direction.CONTROLLER_TO_MODULE)
    )
    return decoded


def _returned(result: dict[str, Any], warnings: list[str], task: Task, valid: ValidationResult) -> dict[str, Any]:
    """The result as a module returns it: with its invocation, its warnings, and no value of a no_log option."""
    result.setdefault("invocation", invocation(task.params))
    said = [f"Both option {row['option']} and its alias {row['alias']} are set." for row in valid._warnings] + warnings
    if said:
        result["warnings"] = said
    if valid._deprecations:
        result["deprecations"] = [
            {name: row.get(name) for name in ("msg", "version", "date", "collection_name")}
            for row in valid._deprecations
        ]
    # A masked True would be text; Ansible keeps these, too.
    kept = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
    text = json.dumps(result, default=str)
    # To mask takes ten times as long as to look whether there is anything to mask.
    if any(json.dumps(value)[1:-1] in text for value in valid._no_log_values):
        text = json.dumps(remove_values(result, valid._no_log_values), default=str)
    return {**json.loads(text), **kept}
