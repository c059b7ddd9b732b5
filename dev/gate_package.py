# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates on what is published: the tarball, Galaxy's importer, the execution environment."""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from pathlib import Path

import yaml

from dev.gate_tools import BIN, LINT, ROOT, Failed, copy, tool, tracked

#: what a release holds at its top; anything else in the tarball is a stray file
SHIPPED = {
    "CHANGELOG.rst", "CONTRIBUTING.md", "COPYING", "FILES.json", "MANIFEST.json", "README.md", "SECURITY.md",
    "changelogs", "docs", "execution-environment.yml", "extensions", "meta", "playbooks", "plugins",
    "requirements.txt", "roles",
}  # fmt: skip
GENERATED = {"FILES.json", "MANIFEST.json"}
NOT_FOR_A_FOLDER_IN_USE = r"(^|/)(\.venv|build|__pycache__|\.git|\.hypothesis|[^/]*\.egg-info)(/|$)|\.pyc$"


def _build(source: Path, target: Path) -> Path:
    tool(BIN / "ansible-galaxy", "collection", "build", "--force", "--output-path", target, source, cwd=source)
    found = list(target.glob("siptls-cucm-*.tar.gz"))
    if len(found) != 1:
        raise Failed("ansible-galaxy collection build made no tarball")
    return found[0]


def tarball() -> tuple[int, str]:
    """The tarball, built from a folder in use such as this one, contains what is committed and nothing else."""
    with (
        tempfile.TemporaryDirectory(prefix="siptls-tarball-") as folder,
        tarfile.open(_build(ROOT, Path(folder))) as got,
    ):
        names = {member.name for member in got.getmembers() if member.isfile() or member.issym()}
    committed = {name for name in tracked() if name.split("/")[0] in SHIPPED}
    stray = sorted(names - committed - GENERATED)
    # A file that is not committed yet may be in it; one that git ignores must not.
    untracked = set(tool("git", "ls-files", "-z", "--others", "--exclude-standard").split("\0"))
    stray = [name for name in stray if name not in untracked or re.search(NOT_FOR_A_FOLDER_IN_USE, name)]
    stray += sorted({name.split("/")[0] for name in names} - SHIPPED)
    lacking = sorted(committed - names)
    if stray or lacking:
        raise Failed(f"does not belong in the tarball: {stray}\nis missing from it: {lacking}")
    return len(names), "files of the tarball checked against the committed ones"


def importer() -> tuple[int, str]:
    """Galaxy's importer takes it, without a warning of its own."""
    with copy() as folder:
        place = folder.parent
        output = tool(LINT / "python", "-m", "galaxy_importer.main", _build(folder, place), cwd=place)
        result = json.loads((place / "importer_result.json").read_text(encoding="utf-8"))
    complaints = [
        line
        for line in output.splitlines()
        # The importer lints an unpacked tarball that is installed nowhere, so that it can't find our own playbooks.
        if re.match(r"(WARNING|ERROR)", line) and not re.search(r"Failed to find siptls\.cucm\.\w+ playbook", line)
    ]
    if complaints:
        raise Failed("\n".join(complaints))
    return len(result["contents"]), "modules, roles and plugins imported"


def execution_environment() -> tuple[int, str]:
    """ansible-builder renders a context with the tarball and a pinned base, and finds the collection's requirements."""
    with tempfile.TemporaryDirectory(prefix="siptls-ee-") as folder, copy() as place:
        context = Path(folder) / "context"
        definition = place / "execution-environment.yml"
        built = _build(place, place)
        tool(LINT / "ansible-builder", "create", "-f", definition, "-c", context, "--output-filename", "Containerfile")
        steps = re.findall(
            r"^(FROM|RUN|COPY|ADD|ENV|ARG|LABEL) ", (context / "Containerfile").read_text(), re.MULTILINE
        )
        if not (context / "_build" / "files" / built.name).is_file():
            raise Failed(f"the environment would not contain {built.name}")
        base = yaml.safe_load(definition.read_text())["images"]["base_image"]["name"]
        if not re.search(r":\d", base):
            raise Failed(f"the base image {base} is not pinned to a release")
        found = yaml.safe_load(tool(LINT / "ansible-builder", "introspect", place.parents[2]))
    required = {_name(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalpha()}
    seen = {_name(line) for line in (found or {}).get("python") or ()}
    if not required or not required <= seen or "FROM" not in steps:
        raise Failed(f"the environment would lack {sorted(required - seen)}")
    return len(steps) + len(required), "steps of the image and requirements of the collection checked"


def _name(line: str) -> str:
    return re.split(r"[^\w.-]", line.strip())[0].lower()
