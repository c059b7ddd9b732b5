# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates on what a reader sees: changelog, plugin documentation, attributes, action groups, the documentation site."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dev import docs_site
from dev.gate_tools import BIN, LINT, ROOT, Failed, collections_of, copy, tool, tracked

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
#: the options that make a module a member of an action group
ACCOUNTS = {"cucm": "username", "platform": "os_username"}
#: modules with such an option that is another account's: ca_sign logs in at the CA
OTHER_ACCOUNTS = {("cucm", "ca_sign")}
#: what gives a module check mode and its failures as sentences
BASES = re.compile(r"^FACE = (?:Face|face)\(", re.MULTILINE)
#: the attributes that every module documents
ATTRIBUTES = ("check_mode", "diff_mode", "idempotent", "platform")


def changelog() -> tuple[int, str]:
    """Fragments and releases; a release made in a copy."""
    tool(LINT / "antsibull-changelog", "lint")
    fragments = [name for name in tracked("changelogs/fragments") if name.endswith((".yml", ".yaml"))]
    parts = [yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in fragments]
    releases = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    parts += [release["changes"] for release in releases.values()]
    entries = sum(1 if isinstance(value, str) else len(value) for part in parts for value in part.values())
    with copy() as folder:
        also = {"ANSIBLE_COLLECTIONS_PATH": str(collections_of(folder))}
        tool(LINT / "antsibull-changelog", "release", "--version", "999.0.0", cwd=folder, also=also)
        written = (folder / "CHANGELOG.rst").read_text(encoding="utf-8")
    if "v999.0.0" not in written:
        raise Failed("antsibull-changelog made no release of it")
    return entries, f"entries in {len(fragments)} fragments and {len(releases)} releases, and a release made in a copy"


def plugin_docs() -> tuple[int, str]:
    """The documentation of modules, filters and roles, and the guides."""
    with copy() as folder:
        tool(LINT / "antsibull-docs", "lint-collection-docs", "--plugin-docs", ".", cwd=folder)
    roles = tracked("roles/*/meta/argument_specs.yml")
    guides = tracked("docs/docsite/rst/*.rst")
    return len(MODULES) + len(tracked("plugins/filter/*.py")) + len(roles) + len(guides), "documents checked"


@cache
def _described() -> dict[str, Any]:
    """What ansible-doc says of every module."""
    text = tool(BIN / "ansible-doc", "--json", *(f"siptls.cucm.{name}" for name in MODULES))
    found: dict[str, Any] = json.loads(text[text.index("{") :])
    if len(found) != len(MODULES):
        raise Failed("ansible-doc does not know every module")
    return {name.rpartition(".")[2]: described["doc"] for name, described in found.items()}


def attributes() -> tuple[int, str]:
    """Every module documents its attributes, and fits the base that it runs on."""
    wrong, count = [], 0
    for name, doc in _described().items():
        said = doc.get("attributes") or {}
        for attribute in ATTRIBUTES:
            count += 1
            support = (said.get(attribute) or {}).get("support")
            if support not in ("full", "partial", "none", "N/A"):
                wrong.append(f"{name}: {attribute} is not documented")
            elif support in ("partial", "none") and not (said[attribute].get("details")):
                wrong.append(f"{name}: {attribute} is {support}, without details")
        # The base gives check mode to every module, so that documenting less would be wrong.
        if (said.get("check_mode") or {}).get("support") != "full":
            wrong.append(f"{name}: check mode is not documented as full")
        if not BASES.search((ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")):
            wrong.append(f"{name}: does not run on the base of all modules, _module.run_module()")
    if wrong:
        raise Failed("\n".join(wrong))
    return count, f"attributes of {len(_described())} modules checked"


def action_groups() -> tuple[int, str]:
    """The groups of meta/runtime.yml hold the modules that take their account, and the documentation says so."""
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    if set(groups) != set(ACCOUNTS):
        raise Failed(f"meta/runtime.yml has the groups {', '.join(groups)}")
    wrong, count = [], 0
    for name, doc in _described().items():
        membership = ((doc.get("attributes") or {}).get("action_group") or {}).get("membership") or []
        for group, option in ACCOUNTS.items():
            count += 1
            takes = option in doc["options"] and (group, name) not in OTHER_ACCOUNTS
            member = name in groups[group]
            documented = f"siptls.cucm.{group}" in membership
            if not takes == member == documented:
                wrong.append(f"{name}: takes {option}: {takes}; in {group}: {member}; documented so: {documented}")
    stray = {module for members in groups.values() for module in members} - set(_described())
    wrong += [f"{name}: is in an action group, but is no module" for name in sorted(stray)]
    if wrong:
        raise Failed("\n".join(wrong))
    return count, "memberships in action groups checked"


def site() -> tuple[int, str]:
    """The documentation site builds without a warning."""
    with copy() as folder:
        try:
            built = docs_site.build(folder, folder.parents[2] / "site")
        except docs_site.Broken as complaint:
            raise Failed(str(complaint)) from None
        pages = list(Path(built).rglob("*.html"))
        guides = [name for name in tracked("docs/docsite/rst/*.rst") if not _page(built, name).is_file()]
        modules = [name for name in MODULES if not list(built.rglob(f"{name}_module.html"))]
        if guides or modules:
            raise Failed(f"the site has no page of: {', '.join(guides + modules)}")
        dead = [line for page in pages for line in _dead_links(page)]
        shutil.rmtree(built, ignore_errors=True)
    if dead:
        raise Failed("dead links:\n" + "\n".join(sorted(set(dead))))
    return len(pages), "pages built without a warning, their links followed"


def _page(built: Path, guide: str) -> Path:
    found = list(built.rglob(f"docsite/{Path(guide).stem}.html"))
    return found[0] if found else built / "missing"


def _dead_links(page: Path) -> list[str]:
    """Links of a page to files of the site that are not there."""
    links = re.findall(r'(?:href|src)="([^"#?:]+)(?:[#?][^"]*)?"', page.read_text(encoding="utf-8"))
    return [f"{page.name}: {link}" for link in set(links) if not (page.parent / link).exists()]
