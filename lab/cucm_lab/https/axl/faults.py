# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AXL's faults, with the codes and texts that captures show; the inferred ones come from the one table."""

from __future__ import annotations

from typing import Any

from ...inferred import Inferred


class AxlFault(Exception):
    """A SOAP fault. Negative database codes are the client's fault, AXL's own codes the server's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def faultcode(self) -> str:
        """soapenv:Client for errors of the database, soapenv:Server for AXL's own."""
        return "soapenv:Client" if self.code < -1 else "soapenv:Server"


def not_found(what: str) -> AxlFault:
    """A get of, or a reference to, an object that isn't there."""
    return AxlFault(5007, f"Item not valid: The specified {what} was not found")


def duplicate() -> AxlFault:
    """A second object with the same name."""
    return AxlFault(-239, "Could not insert new row - duplicate value in a UNIQUE INDEX column (Unique Index:).")


def null_column(table: str, column: str) -> AxlFault:
    """A database column that the request left empty."""
    return AxlFault(-391, f"Cannot insert a null into column ({table}.{column})")


def inferred(table: Inferred, name: str, **words: Any) -> AxlFault:
    """A fault from the table of inferred behaviour."""
    code, text = table[name]
    return AxlFault(int(code), str(text).format(**words))
