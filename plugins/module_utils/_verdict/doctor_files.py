# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnoses as a page and as data, written when their content changes. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import pages
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.files import write_changed

Data = Mapping[str, Any]
#: how a page names whether a trunk works, and its colour
STATES = {
    True: ("works", "secure"),
    False: ("does not work", "insecure"),
    None: ("not known whether it works", "unproven"),
}


def write(folder: str, diagnoses: Sequence[Data], *, pretend: bool) -> tuple[bool, list[str]]:
    """Writes both files into a folder; whether they changed, and their paths. Failure when that can't be done."""
    data = {"diagnoses": list(diagnoses), "generated": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    texts = {"diagnosis.html": lambda: page(data)}
    return write_changed(folder, "diagnosis.json", data, texts, what="diagnosis", pretend=pretend)


def page(data: Data) -> str:
    """The page: what to do, the causes per direction, and the directions without one."""
    diagnoses = data["diagnoses"]
    caused = [diagnosis for diagnosis in diagnoses if diagnosis["cause"]]
    # A direction that does not work comes before one that does, and has a fault all the same.
    caused.sort(key=lambda diagnosis: (diagnosis["works"] is True, diagnosis["from"], diagnosis["to"]))
    return pages.render(
        "doctor.html.j2",
        title="Diagnosis of SIP over TLS between CUCM clusters",
        generated=data["generated"],
        caused=caused,
        rest=[diagnosis for diagnosis in diagnoses if not diagnosis["cause"]],
        broken=sum(diagnosis["works"] is False for diagnosis in diagnoses),
        count=len(diagnoses),
        steps=steps(caused),
        states=STATES,
    )


def steps(caused: Sequence[Data]) -> list[dict[str, Any]]:
    """The next steps, each once, with the directions that it helps; what helps most comes first."""
    found: dict[str, dict[str, Any]] = {}
    for cause in caused:
        if cause["next_step"]:
            step = found.setdefault(cause["next_step"], {"text": cause["next_step"], "ways": []})
            step["ways"].append(f"{cause['from']} to {cause['to']}")
    return sorted(found.values(), key=lambda step: -len(step["ways"]))
