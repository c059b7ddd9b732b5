# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling trace files: gzip streams, `.txt.gzo` while they are written, `.txt.gz` once complete."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

#: text of one file, in bytes; CUCM's SDL files hold about 2 MB
ROLL_BYTES = 2_000_000
#: number of complete files of a kind that are kept
KEEP_FILES = 250


class RollingFile:
    """Appends text to numbered gzip files; a reader of the open one gets all lines up to the last `write`.

    `prefix` and `digits` make the name: SDL001_100_ and 6, calllogs_ and 8. `head(number)` is the first text of each.
    """

    def __init__(self, folder: Path, prefix: str, digits: int, head: Callable[[int], str] | None = None) -> None:
        self._folder = folder
        self._prefix = prefix
        self._digits = digits
        self._head = head
        self._file: BinaryIO | None = None
        self._deflate: zlib._Compress | None = None
        self._path: Path | None = None
        self._size = 0

    def write(self, text: str) -> None:
        """Append; opens the next file when none is open."""
        if self._file is None:
            self._open()
        self._put(text)
        if self._size >= ROLL_BYTES:
            self.finish()

    def finish(self) -> None:
        """End the open file and give it its final name."""
        if self._file is None or self._deflate is None or self._path is None:
            return
        self._file.write(self._deflate.flush(zlib.Z_FINISH))
        self._file.close()
        self._path.rename(self._path.with_suffix(".gz"))
        self._file = None

    def _open(self) -> None:
        pattern = re.compile(rf"{re.escape(self._prefix)}(\d+)\.txt\.gzo?$")
        numbered = sorted(
            (int(match[1]), path) for path in self._folder.iterdir() if (match := pattern.match(path.name))
        )
        for _unused, path in numbered[:-KEEP_FILES]:
            path.unlink(missing_ok=True)
        number = numbered[-1][0] + 1 if numbered else 1
        self._path = self._folder / f"{self._prefix}{number:0{self._digits}d}.txt.gzo"
        self._file = self._path.open("wb", buffering=0)
        # A small window: a lab of 50 clusters has hundreds of these streams open.
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, 16 + 10, 2)
        self._size = 0
        if self._head:
            self._put(self._head(number))

    def _put(self, text: str) -> None:
        assert self._file is not None
        assert self._deflate is not None
        data = text.encode("utf-8", "surrogateescape")
        self._size += len(data)
        self._file.write(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
