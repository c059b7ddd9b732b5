# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes after every task a digest of all that persists: what the lab's clusters hold, and the CA's files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record_state
type: notification
short_description: Note the state after each task
description: For tests only.
"""


class CallbackModule(CallbackBase):
    """Writes a line of JSON a task into RECORD_TO: its number, its name, the digest when it had ended everywhere."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record_state"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._lab, self._ca = Path(os.environ["RECORD_LAB"]), Path(os.environ["RECORD_CA"])
        self._to = Path(os.environ["RECORD_TO"])
        self._begun = 0
        self._name = "before the first task"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """The task before this one has ended everywhere, as the linear strategy goes task by task."""
        self._note()
        self._begun += 1
        self._name = task.get_name()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The last task has ended."""
        self._note()

    def _note(self) -> None:
        row = {"task": self._begun, "name": self._name, "digest": self._digest()}
        with self._to.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def _digest(self) -> str:
        # Ansible imports every callback of the folder, also where this one is not enabled.
        from cucm_lab.control import ask

        digest = hashlib.sha256(json.dumps(ask(self._lab, "dump"), sort_keys=True).encode())
        for path in sorted(path for path in self._ca.rglob("*") if path.is_file()) if self._ca.exists() else ():
            digest.update(str(path.relative_to(self._ca)).encode() + path.read_bytes())
        return digest.hexdigest()
