# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes the sentence of every task, or item of a loop, that failed and was not let pass."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: tell_failures
type: notification
short_description: Note what failed
description: For tests only.
"""
OF_A_LOOP = "One or more items failed"


class CallbackModule(CallbackBase):
    """Writes a line of JSON a failure into FAILURES_TO: the host and the message, whatever form the release prints."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "tell_failures"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task."""
        if not ignore_errors:
            self._note(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """An item of a loop."""
        self._note(result)

    def _note(self, result: Any) -> None:
        # ansible-core 2.19 gave the members public names.
        host = getattr(result, "host", None) or result._host
        found = getattr(result, "result", None) or result._result
        message = found.get("msg", "")
        text = " ".join(map(str, message)) if isinstance(message, list) else str(message)
        if text != OF_A_LOOP:
            with Path(os.environ["FAILURES_TO"]).open("a") as file:
                file.write(json.dumps({"host": host.get_name(), "message": text}) + "\n")
