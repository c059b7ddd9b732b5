# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what the field tables say into the modules' documentation and into docs/axl-fields.md.

Run it after a change of a table or of docs/axl_help.yml: `python dev/generate_axl_fields.py`. With --check it writes
nothing and exits with 1 when a file differs from what it would write; a test runs it so.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".venv" / "collections"))

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, argument, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import RESOURCES

BEGIN, END = "  # Generated from the field table: begin", "  # Generated from the field table: end"
HELP: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "docs" / "axl_help.yml").read_text(encoding="utf-8"))
SHORT = {
    "css": "CSS",
    "mtp": "MTP",
    "sip": "SIP",
    "dtmf": "DTMF",
    "mlpp": "MLPP",
    "aar": "AAR",
    "uri": "URI",
    "qsig": "QSIG",
}


def text_of(resource: Resource, option: str) -> str:
    """What an option means: the written help, or its name in words."""
    for where in (resource.kind, "common"):
        if option in HELP.get(where, {}):
            return " ".join(HELP[where][option].split())
    words = " ".join(SHORT.get(word, word) for word in option.split("_"))
    return f"{words[0].upper()}{words[1:]}."


def rows_of(resource: Resource, option: str) -> list[Field]:
    """All rows of an option, for an element may have moved between releases."""
    return [row for row in flat(resource.fields) if row.option == option]


def releases(rows: list[Field]) -> str:
    """The releases that have an option, in words."""
    return "all" if not rows[0].since and not rows[-1].until else " and ".join(row.releases for row in rows)


def entry(resource: Resource, row: Field, rows: list[Field]) -> dict[str, Any]:
    """One option as ansible-doc wants it."""
    spec = argument(row)
    lines = [text_of(resource, row.option)]
    if row.base != "int" and row.literals and "choices" not in spec:
        lines.append("One of " + ", ".join(f"V({literal})" for literal in row.literals) + ".")
    some = releases(rows)
    lines.append(f"AXL field C({row.axl})" + (f", releases {some}." if some != "all" else "."))
    found: dict[str, Any] = {"description": lines, "type": spec["type"]}
    for name in ("elements", "choices", "required"):
        if name in spec:
            found[name] = spec[name]
    if "options" in spec:
        kids = [kid for kid in flat(row.kids) if kid.writable]
        found["suboptions"] = {kid.option: entry(resource, kid, [kid]) for kid in kids}
        for kid in kids:
            if spec["options"][kid.option].get("required"):
                found["suboptions"][kid.option]["required"] = True
    return found


def dump(value: Any, indent: int) -> str:
    """YAML in the style of the other documentation."""
    plain = yaml.safe_dump(value, sort_keys=False, width=106 - indent, allow_unicode=True)
    return textwrap.indent(plain, " " * indent)


def block(resource: Resource) -> str:
    """The generated part of a module's options: the object's own and, sharing them, those of aggregate."""
    own = {option: entry(resource, row, rows_of(resource, option)) for option, row in resource.options.items()}
    if resource.copies:
        own["copy_from"] = {"description": [text_of(resource, "copy_from")], "type": "str"}
    named = {resource.first: own.pop(resource.first)}
    required = {resource.first: {**named[resource.first], "required": True}}
    aggregate = {
        "description": [
            f"Many objects in one task. Each entry takes the options of a single {resource.noun}; the task's own "
            "options are the defaults of the entries.",
            f"Excludes O({resource.first}). Objects are read in parallel and written in order.",
        ],
        "type": "list",
        "elements": "dict",
    }
    state = {"description": ["As O(state), for this entry."], "type": "str", "choices": ["present", "absent"]}
    parts = [BEGIN, dump(named, 2).rstrip(), "  <<: &own", dump(own, 4).rstrip()]
    parts.append(dump({"aggregate": aggregate}, 2).rstrip())
    parts += ["    suboptions:", "      <<: *own", dump({**required, "state": state}, 6).rstrip()]
    if resource.purges:
        parts.append(dump({"purge": purge(resource)}, 2).rstrip())
    return "\n".join([*parts, END])


def purge(resource: Resource) -> dict[str, Any]:
    """The option that removes what a task does not name."""
    texts = {
        "prefix": f"Beginning of the {resource.first}.",
        "partition_prefix": "Beginning of the name of the partition.",
    }
    return {
        "description": [
            f"Remove every {resource.noun} that matches these prefixes and that O(aggregate) does not name.",
            "An object has to match all given prefixes; at least one prefix must not be empty.",
        ],
        "type": "dict",
        "suboptions": {name: {"description": [texts[name]], "type": "str"} for name in resource.purges},
    }


def module_text(resource: Resource) -> tuple[Path, str]:
    """A module's file and what it should hold."""
    path = ROOT / "plugins" / "modules" / f"cucm_{resource.module}.py"
    old = path.read_text(encoding="utf-8")
    return path, re.sub(f"{BEGIN}.*?{END}", lambda _match: block(resource), old, flags=re.S)


def kinds_texts() -> Iterator[tuple[Path, str]]:
    """The two modules that take objects of every kind, and what they should hold."""
    choices = f"        choices: [{', '.join(resource.module for resource in RESOURCES)}]"
    lists = {
        resource.module: {
            "description": f"As in O(siptls.cucm.cucm_{resource.module}#module:aggregate).",
            "type": "list",
            "elements": "dict",
            "default": [],
        }
        for resource in RESOURCES
    }
    for name, text in (("cucm_object_info", choices), ("cucm_backup", dump(lists, 6).rstrip())):
        path = ROOT / "plugins" / "modules" / f"{name}.py"
        old = path.read_text(encoding="utf-8")
        begin, end = BEGIN.strip().replace("field table", "kinds"), END.strip().replace("field table", "kinds")
        yield path, re.sub(f"( *{begin}\n).*?( *{end})", lambda m, t=text: f"{m[1]}{t}\n{m[2]}", old, flags=re.S)  # type: ignore[misc]


def table_rows(resource: Resource, rows: tuple[Field, ...], above: str = "") -> Iterator[str]:
    """The lines of the documentation table, groups opened."""
    for row in rows:
        path = f"{above}{row.axl}"
        option = f"`{row.option}`" if row.writable and not row.flat else "fixed" if row.fixed else "read only"
        if row.flat:
            option = "–"
        operations = ", ".join(name for name in ("add", "update", "get", "list") if row.takes(name))
        kind = row.type.replace(";", ", from ").replace(":", " ")
        needed = "yes" if row.required else ""
        sent = "" if row.birth is None else f"`{row.birth}`" if row.birth else "empty"
        yield f"| {option} | `{path}` | {kind} | {operations} | {needed} | {sent} | {row.releases} |"
        if row.kids and not row.delta:
            yield from table_rows(resource, row.kids, f"{path}/{row.each + '/' if row.each else ''}")


def fields_text() -> str:
    """docs/axl-fields.md."""
    parts = [
        "# AXL fields",
        "",
        "Generated by `dev/generate_axl_fields.py` from `plugins/module_utils/_axl/tables/`; do not edit.",
        "",
        "Each row is an element of the AXL schema, in the schema's order. *Required* means that the schema requires "
        "the element in an add; *sent* is what the modules send in an add if the task does not set the option. "
        "A field that the cluster's release does not have is rejected before anything is written.",
    ]
    for resource in RESOURCES:
        parts += ["", f"## {resource.kind} (`siptls.cucm.cucm_{resource.module}`)", ""]
        parts += [
            "| Option | AXL field | Type | Operations | Required | Sent | Releases |",
            "|---|---|---|---|---|---|---|",
        ]
        parts += table_rows(resource, resource.fields)
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write, or with --check compare; 1 when a file was out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 when a file differs")
    check = parser.parse_args().check
    wanted = [module_text(resource) for resource in RESOURCES]
    wanted += [*kinds_texts(), (ROOT / "docs" / "axl-fields.md", fields_text())]
    stale = [(path, text) for path, text in wanted if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(("differs: " if check else "written: ") + str(path.relative_to(ROOT)))
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
