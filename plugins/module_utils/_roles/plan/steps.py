# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a change document, and how it shows values. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict


class Row(TypedDict):
    """What changes of an object or certificate: one option, before and after."""

    option: str
    before: str
    after: str


class Step(TypedDict):
    """One step. kind: certificate, ctl, restart, object, reset, or manual for what a person does."""

    kind: str
    title: str
    where: str
    effect: str
    changes: list[Row]
    #: the services that it restarts
    services: NotRequired[list[str]]


def step(kind: str, title: str, *, where: str = "", effect: str = "", changes: Iterable[Row] = ()) -> Step:
    """A step without services."""
    return {"kind": kind, "title": title, "where": where, "effect": effect, "changes": list(changes)}


def row(option: str, before: Any, after: Any) -> Row:
    """One option as a person reads it."""
    return {"option": option, "before": text_of(before), "after": text_of(after)}


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
