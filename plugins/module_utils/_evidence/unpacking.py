# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that may be gzipped, and may not be finished. Private to this collection.

CUCM leaves the trace that it is writing as C(.gzo), a gzip stream without its end; Python's gzip module drops what it
has of a block when the end is missing, so zlib is used directly.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20
UNFINISHED = "the gzip stream is unfinished; what it holds was read"


def blocks(stream: BinaryIO, problem: Callable[[str], None]) -> Iterator[bytes]:
    """The content of a plain or gzipped stream, in blocks; an early end or damage goes to ``problem``, in words."""
    head = stream.read(BLOCK)
    if head[:2] != GZIP_MAGIC:
        while head:
            yield head
            head = stream.read(BLOCK)
        return
    reader = zlib.decompressobj(31)
    while head:
        try:
            # Bounded, so that a small file cannot unpack to all of the memory at once.
            data = reader.decompress(head, BLOCK)
        except zlib.error as broken:
            problem(f"the gzip stream is damaged ({broken}); what came before was read")
            return
        if data:
            yield data
        head = reader.unconsumed_tail
        if reader.eof:
            head = reader.unused_data or stream.read(BLOCK)
            if head and head[:2] != GZIP_MAGIC:
                if head.strip(b"\0"):
                    problem("bytes that belong to no gzip stream follow its end")
                return
            reader = zlib.decompressobj(31)
        elif not head:
            head = stream.read(BLOCK)
            if not head:
                # What zlib has not returned yet of the last block.
                rest = reader.flush()
                if rest:
                    yield rest
                problem(UNFINISHED)
                return
