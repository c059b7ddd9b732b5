# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's files, written when their content changes. Private to this collection."""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.ansible_release import __version__ as core_version
from ansible_collections.siptls.cucm.plugins.module_utils._module import Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.files import as_json, write_changed
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report import content

# Of a verdict, what is the verdict; a registered result brings Ansible's own keys along.
VERDICT_KEYS = ("verdict", "summary", "directions")
COLLECTION = Path(__file__).resolve().parents[4]


def write(folder: str, given: dict[str, Any], *, pretend: bool) -> Outcome:
    """Writes report.html and report.json into a folder. Failure when that can't be done."""
    given["files"] = [{**file, "path": _beside(Path(folder), str(file.get("path")))} for file in given["files"]]
    given["verdict"] = {key: given["verdict"].get(key) for key in VERDICT_KEYS}
    made = content.Report(made=_made(), **given)
    data = made.as_data()
    digest = hashlib.sha256(as_json(data).encode()).hexdigest()
    texts = {"report.html": lambda: content.page(made, digest=digest)}
    changed, paths = write_changed(folder, "report.json", data, texts, what="report", pretend=pretend)
    return Outcome(changed=changed, result=dict(zip(("html", "json"), paths, strict=True)))


def _made() -> dict[str, str]:
    """When, by whom, on which controller and with which versions a report is made."""
    versions = (f"siptls.cucm {_version()}", f"ansible-core {core_version}", f"Python {platform.python_version()}")
    return {
        "on": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "by": _user(),
        "host": platform.node(),
        "versions": ", ".join(versions),
    }


def _user() -> str:
    """The user who runs Ansible; in a container there may be a number alone."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _version() -> str:
    """The version of this collection: of the installed one, or of a clone."""
    try:
        manifest = json.loads((COLLECTION / "MANIFEST.json").read_text(encoding="utf-8"))
        return str(manifest["collection_info"]["version"])
    except (OSError, ValueError, KeyError):
        pass
    try:
        lines = (COLLECTION / "galaxy.yml").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("version:")), "unknown")


def _beside(folder: Path, path: str) -> str:
    """A file's path from the report's folder when it lies in it, so that both can be moved together."""
    try:
        return str(Path(path).resolve().relative_to(folder.resolve()))
    except ValueError:
        return path
