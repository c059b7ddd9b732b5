# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All variables that an inventory can hold, as a page of the documentation: those of docs/inventory_variables.yml, and
the options of the roles from their argument specifications and defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MARK = ".. The list of variables is put here when the site is built."
#: longer defaults are templates that nobody reads in a table
LONGEST_DEFAULT = 60
#: antsibull's markup of names and values in a description
MARKUP = re.compile(r"\b([CVOMEIBP])\((.*?)\)")


def fill(text: str, collection: Path) -> str:
    """A page with the list in the place of its mark."""
    if MARK not in text:
        raise SystemExit("docs/docsite/rst/variables.rst has no place for the list")
    return text.replace(MARK, "\n".join(_page(collection)))


def general(collection: Path) -> dict[str, dict[str, str]]:
    """The variables that are not options of a role, by heading."""
    found: dict[str, dict[str, str]] = yaml.safe_load((collection / "docs" / "inventory_variables.yml").read_text())
    return found


def _page(collection: Path) -> Iterator[str]:
    for heading, variables in general(collection).items():
        yield from _heading(heading)
        for name, text in variables.items():
            yield from _entry(name, "", _code(text))
    for spec in sorted((collection / "roles").glob("*/meta/argument_specs.yml")):
        role = spec.parts[-3]
        defaults = spec.parent.parent / "defaults" / "main.yml"
        values = yaml.safe_load(defaults.read_text(encoding="utf-8")) if defaults.is_file() else {}
        main = yaml.safe_load(spec.read_text(encoding="utf-8"))["argument_specs"]["main"]
        yield from _heading(f"Role {role}")
        yield f"{_plain(main['short_description'])}."
        yield ""
        for name, option in main.get("options", {}).items():
            yield from _entry(name, _facts(option, (values or {}).get(name)), _description(option))


def _heading(title: str) -> list[str]:
    return [title, "-" * len(title), ""]


def _entry(name: str, facts: str, text: str) -> list[str]:
    return [f"``{name}``{f' ({facts})' if facts else ''}", f"  {text}", ""]


def _facts(option: dict[str, Any], default: Any) -> str:
    """Type, choices and default of an option; a default that is worked out by a template is left to the role."""
    facts = [str(option.get("type", "str"))]
    if option.get("choices"):
        facts.append("one of " + ", ".join(f"``{choice}``" for choice in option["choices"]))
    value = option.get("default", default)
    written = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
    if value is not None and "{{" not in written and len(written) <= LONGEST_DEFAULT:
        facts.append(f"default ``{written}``")
    return "; ".join(facts)


def _description(option: dict[str, Any]) -> str:
    said = option.get("description") or ""
    return _plain(" ".join(said) if isinstance(said, list) else str(said))


def _plain(text: str) -> str:
    """Antsibull's markup as reStructuredText."""
    return MARKUP.sub(lambda found: f"``{found[2].partition('#')[0]}``", " ".join(text.split()))


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"``\1``", " ".join(text.split()))
