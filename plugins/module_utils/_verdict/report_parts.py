# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small parts that the report's sections are made of. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any


def section(title: str, lead: str, inner: str) -> str:
    """A section; nothing when there is nothing in it."""
    return f'<section><h2>{escape(title)}</h2><p class="lead">{escape(lead)}</p>{inner}</section>' if inner else ""


def pill(word: Any, kind: str | None = None) -> str:
    """A word in a colour."""
    return f'<span class="pill {escape(kind or str(word))}">{escape(str(word))}</span>'


def facts_list(pairs: Iterable[tuple[str, Any]]) -> str:
    """Names and values, those without a value left out."""
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in pairs if value not in (None, "")
    )
    return f"<dl>{rows}</dl>"
