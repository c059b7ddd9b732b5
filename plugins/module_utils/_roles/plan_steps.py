# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a change document, and how it shows values. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def step(kind: str, title: str, *, where: str = "", effect: str = "", changes: Iterable[Any] = ()) -> dict[str, Any]:
    """One step. kind: certificate, ctl, restart, object, reset, or manual for what a person does."""
    return {"kind": kind, "title": title, "where": where, "effect": effect, "changes": list(changes)}


def results(facts: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The results of a looped task that ran."""
    found = (facts.get(name) or {}).get("results") or ()
    return [result for result in found if not result.get("skipped") and "item" in result]


def text_of(value: Any) -> str:
    """A value as a person reads it: destinations as address and port, members in their order, nothing as nothing."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "address" in value:
            return f"{value['address']}:{value.get('port', '')}"
        shown = {key: text for key, item in value.items() if (text := text_of(item)) and key != "order"}
        return next(iter(shown.values())) if len(shown) == 1 else ", ".join(f"{k} {v}" for k, v in shown.items())
    if isinstance(value, list | tuple):
        return ", ".join(text_of(item) for item in value)
    return str(value)
