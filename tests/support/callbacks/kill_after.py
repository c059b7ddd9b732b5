# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills ansible-playbook when task number KILL_AFTER has ended on all hosts, as a power cut would.

With KILL_SIGNAL=SIGSTOP the run only waits, for a test that lets another run do something meanwhile.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_after
type: notification
short_description: Kill the run after a task
description: For tests only.
"""


class CallbackModule(CallbackBase):
    """Counts the tasks that begin."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kill_after"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0
        self._limit = int(os.environ["KILL_AFTER"])
        self._signal = signal.Signals[os.environ.get("KILL_SIGNAL", "SIGKILL")]

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """The task before this one has ended everywhere, as the linear strategy goes task by task."""
        self._begun += 1
        if self._begun == self._limit + 1:
            os.kill(os.getpid(), self._signal)
