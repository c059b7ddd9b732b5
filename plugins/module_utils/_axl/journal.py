# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trunks that still need a reset, noted on the controller before the write that requires it.

AXL does not show that a trunk was changed but not reset. If a run is killed between the two, the next run sees nothing
to do; it knows only by this note. The file exists only while resets are pending. Private to siptls.cucm: no other
collection may rely on it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure


@dataclass(frozen=True)
class Journal:
    """The journal of one cluster; without a path nothing is noted and nothing is pending."""

    path: Path | None = None

    def pending(self) -> list[str]:
        """The names of the trunks that an earlier run wrote and did not reset; Failure when the file cannot be read."""
        if self.path is None:
            return []
        try:
            return [str(name) for name in json.loads(self.path.read_text(encoding="utf-8"))["trunks"]]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Failure(
                f"reset_journal {self.path} cannot be read ({type(error).__name__}). It lists trunks that wait for a "
                "reset; reset them by hand or with reset: always, then delete the file."
            ) from None

    def note(self, trunks: Iterable[str]) -> None:
        """Add trunks before they are written; Failure when the file cannot be."""
        names = sorted({*self.pending(), *trunks})
        if self.path is not None and names:
            self._keep(names)

    def done(self, trunk: str) -> None:
        """A trunk has been reset, or is gone."""
        if self.path is not None:
            self._keep([name for name in self.pending() if name != trunk])

    def _keep(self, names: list[str]) -> None:
        if self.path is None:
            raise AssertionError("nothing is kept without a path")
        partial = ""
        try:
            if not names:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"trunks": names}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.path)
        except OSError as error:
            if partial:
                Path(partial).unlink(missing_ok=True)
            raise Failure(
                f"reset_journal {self.path} cannot be written: {error.strerror}. If this run is stopped between a "
                "write and the reset that it requires, the next run does not make up for it; give another path."
            ) from None
