# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML pages from the Jinja2 templates in the folder templates. Private to this collection.

Ansible packs only Python into a module's process, so a module that makes a page has `Face(controller=True)` and runs in
Ansible's own process, which has both the templates and Jinja2.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **view: Any) -> str:
    """A page made by a template of the folder; every value is escaped, and one that is missing is an error.

    Failure where the templates are not: in a module's own process.
    """
    if not TEMPLATES.is_dir():
        raise Failure(
            "The page could not be made in a process of its own, because the templates are on the controller alone. "
            "Run the task without async."
        )
    return _environment().get_template(template).render(**view)


@cache
def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clip"] = clip
    return environment


def markup(html: str) -> str:
    """HTML that a template is to take as it is."""
    from markupsafe import Markup

    return Markup(html)


def clip(value: Any, most: int) -> str:
    """A text cut to a width, for places that cannot grow; a wide character, as of Chinese, counts twice."""
    text = str(value or "")
    widths = [2 if east_asian_width(character) in "WF" else 1 for character in text]
    if sum(widths) <= most:
        return text
    kept = next(count for count in range(len(text), -1, -1) if sum(widths[:count]) < most)
    return text[:kept] + "…"
