# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML examples of READMEs, guides and other pages, and what each of them is."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("*.md", "roles/*/README.md", "docs/*.md", "docs/docsite/rst/*.rst", "lab/*.md", "extensions/*/README.md")
_FENCES = {
    ".md": re.compile(r"^([ ]*)```ya?ml\n(.*?)^\1```", re.MULTILINE | re.DOTALL),
    ".rst": re.compile(r"^([ ]*)\.\. code-block:: ya?ml\n\n((?:\1[ ]+.*\n|[ ]*\n)+)", re.MULTILINE),
}


@dataclass(frozen=True)
class Example:
    """A YAML example of a page."""

    page: str
    number: int
    text: str

    @property
    def title(self) -> str:
        """Where it is."""
        return f"{self.page}-{self.number}"

    @property
    def content(self) -> Any:
        """What it says."""
        return yaml.safe_load(self.text)

    @property
    def kind(self) -> str:
        """One of playbook, tasks, inventory, hosts, variables."""
        content = self.content
        if isinstance(content, list):
            return "playbook" if all("hosts" in play for play in content) else "tasks"
        if "cucm_clusters" in content:
            return "inventory"
        # Variables of ours have a prefix; whatever else is at the top is the name of a host.
        ours = ("cucm_", "sip_tls_", "callmanager_certificate_", "preflight_", "cluster_record_")
        return "variables" if "vars" in content or any(key.startswith(ours) for key in content) else "hosts"


def examples() -> Iterator[Example]:
    """All examples, page by page."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            page = path.relative_to(ROOT).as_posix()
            found = _FENCES[path.suffix].findall(path.read_text(encoding="utf-8"))
            for number, (_indent, text) in enumerate(found, 1):
                yield Example(page, number, textwrap.dedent(text))


def example_of(role: str) -> Example:
    """The playbook in the README of a role."""
    page = f"roles/{role}/README.md"
    return next(example for example in examples() if example.page == page and example.kind == "playbook")
