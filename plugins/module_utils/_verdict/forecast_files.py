# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecast as a page, as two tables and as data, written when its content changes. Private to this collection."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import pages
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.files import write_changed

Data = Mapping[str, Any]
EVENT_COLUMNS = ("from", "to", "date", "days_left", "kind", "node", "reason", "next_step")
CERTIFICATE_COLUMNS = (
    "cluster", "nodes", "purpose", "kind", "name", "common_name", "subject", "issuer", "serial", "not_before",
    "not_after", "days_left", "restarts", "sha256", "problem",
)  # fmt: skip
#: days left up to which a page shows a date as the colour of insecure, and then of unproven
NEAR, SOON = 30, 90


def write(folder: str, result: Data, *, near: int, pretend: bool) -> tuple[bool, list[str]]:
    """Writes the four files into a folder; whether they changed, and their paths. Failure when that can't be done."""
    data = {**result, "generated": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    texts = {
        "forecast.html": lambda: page(data, near=near),
        "forecast.csv": lambda: table(EVENT_COLUMNS, _events(data["forecasts"])),
        "certificates.csv": lambda: table(CERTIFICATE_COLUMNS, data["certificates"]),
    }
    return write_changed(folder, "forecast.json", data, texts, what="forecast", pretend=pretend)


def page(data: Data, *, near: int = NEAR) -> str:
    """The page: the trunks by the day on which they break, then all certificates, sortable."""
    script = (pages.TEMPLATES / "sortable.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    trunks = sorted(data["forecasts"], key=lambda forecast: (forecast["days_left"] is None, forecast["days_left"] or 0))
    return pages.render(
        "forecast.html.j2",
        title="Forecast for SIP over TLS between CUCM clusters",
        generated=data["generated"],
        data=data,
        trunks=trunks,
        near=near,
        soon=max(SOON, near),
        script=pages.markup(script),
        digest=digest,
    )


def table(columns: Sequence[str], rows: Iterable[Data]) -> str:
    """CSV with a header, as spreadsheets read it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Names in certificates come from others: a spreadsheet must not take one for a formula."""
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value))
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _events(forecasts: Iterable[Data]) -> Iterable[Data]:
    for forecast in forecasts:
        for event in forecast["events"]:
            yield {"from": forecast["from"], "to": forecast["to"], **event}
