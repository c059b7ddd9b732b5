# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as real processes, many of them: forked from one that has imported what they need."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import resource
import runpy
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PLUGINS = "ansible_collections.siptls.cucm.plugins"
PACKAGE = f"{PLUGINS}.modules"
ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("asyncssh", "cryptography.x509", "lxml.etree", "requests", "requests_ntlm", "yaml", "zeep",
             "ansible.module_utils.basic")  # fmt: skip


@dataclass
class Ran:
    """A module's result, its exit code, all that it wrote, and the most memory that it had (bytes)."""

    result: dict[str, Any]
    code: int
    output: str
    memory: int

    @property
    def sentence(self) -> str:
        """Why it failed; empty when it did not."""
        return str(self.result.get("msg", "")) if self.result.get("failed") else ""


def preload() -> list[str]:
    """What the first process imports: the libraries and the collection, of which each module then has a fork."""
    folder = ROOT / "plugins"
    ours = (path.relative_to(folder).with_suffix("") for path in (folder / "module_utils").rglob("*.py"))
    return [*LIBRARIES, *sorted(f"{PLUGINS}.{'.'.join(path.parts)}" for path in ours if path.stem != "__init__")]


def ran(name: str, options: dict[str, Any], *, check: bool = False, verbosity: int = 0, limit: float = 90,
        environment: dict[str, str] | None = None) -> Ran:  # fmt: skip
    """Run a module with options as Ansible does, in a process of its own; AssertionError when it does not end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload())
    arguments = {
        "_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": tempfile.gettempdir(),
        "_ansible_keep_remote_files": False, "_ansible_verbosity": verbosity, **options,
    }  # fmt: skip
    # The server that forks has the environment of the first call; a test may have changed its own since.
    variables = {**os.environ, **(environment or {})}
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, name, arguments, variables, list(sys.path)))
    process.start()
    theirs.close()
    try:
        assert ours.poll(limit), f"{name} did not end within {limit} s"
        code, output, memory = ours.recv()
    finally:
        ours.close()
        if process.is_alive() and sys.exc_info()[0] is not None:
            process.kill()
        process.join(10)
    lines = [line for line in output.splitlines() if line.startswith("{")]
    assert lines, output[-3000:]
    result: dict[str, Any] = json.loads(lines[-1])
    return Ran(result, code, output, memory)


def run_module(name: str, given: Mapping[str, Any] | None = None, /, *, check: bool = False,
               environment: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:  # fmt: skip
    """The result of a module that ran in a process of its own; given and options are the module's options."""
    return ran(name, {**(given or {}), **options}, check=check, limit=300, environment=environment).result


def _child(pipe: Connection, name: str, arguments: dict[str, Any], environment: dict[str, str],
           path: list[str]) -> None:  # fmt: skip
    """The module's process: its input and output are those that Ansible gives it."""
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment)
    written = io.StringIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()))
    sys.stdout = sys.stderr = written
    sys.argv = [f"{name}.py"]
    code = 0
    try:
        runpy.run_module(f"{PACKAGE}.{name}", run_name="__main__")
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        import traceback

        written.write(traceback.format_exc())
        code = 1
    pipe.send((code, written.getvalue(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
    pipe.close()


def clean(text: str, names: dict[str, str]) -> str:
    """A sentence without what no two runs have in common: addresses, folders, times."""
    for found, name in names.items():
        text = text.replace(found, name)
    return text.replace(str(Path.home()), "~")
