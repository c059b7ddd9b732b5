# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that continues after its task has ended, in a process of its own. Private to this collection.

Ansible's `async` would start a new Python for it, and finds its result by the home folder, which the wrapper and
`async_status` don't read alike. Here the process is a fork of the task's, and a folder holds what the two share.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

RESULT = "result.json"
POLL_SECONDS = 0.05


def begin(folder: Path, work: Callable[[], dict[str, Any]]) -> None:
    """Do the work in a process that nobody waits for. What it returns is kept in the folder.

    A Failure is kept as `failed` and `msg`; anything else that it raises by the name of its class alone, because
    the text may hold a secret.
    """
    (folder / RESULT).unlink(missing_ok=True)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    # Whatever happens, the fork must not continue the work of the process that it is a copy of.
    try:
        os.setsid()
        if not os.fork():
            _leave_the_files_of_the_task()
            files.write(folder / RESULT, json.dumps(_result(work)).encode())
    finally:
        os._exit(0)


def ended(folder: Path) -> bool:
    """Whether the result is there."""
    return (folder / RESULT).exists()


def result(folder: Path, seconds: float) -> dict[str, Any]:
    """What the work returned, or `failed` with `msg`, after at most that many seconds. Failure if it does not end."""
    if not wait_until(lambda: ended(folder), seconds):
        raise Failure(
            f"What was begun in {folder} did not end within {seconds:.0f} seconds, or its process was killed."
        )
    found: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true within that many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _result(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except Failure as failure:
        return {**failure.facts, "failed": True, "msg": failure.msg}
    except Exception as error:
        return {"failed": True, "msg": f"The work in the background met an error: {type(error).__name__}."}


def _leave_the_files_of_the_task() -> None:
    """A reader of the task's output waits until no process has it open."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
