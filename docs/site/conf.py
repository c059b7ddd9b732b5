# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the documentation site; `make docs` builds it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes

project = "siptls.cucm"
author = "siptls.cucm contributors"
copyright = author
title = "siptls.cucm"
html_short_title = title
html_title = title
language = "en"
extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "vcs_pageview_mode": "",
    "collapse_navigation": False,
}
html_show_sphinx = False
html_show_sourcelink = False
html_use_smartypants = False
smartquotes = False
pygments_style = "ansible"
highlight_language = "yaml+jinja"
nitpicky = False
# Nothing is fetched while it builds, so that there are no inventories of other sites; these are the labels that
# antsibull-docs refers to in Ansible's own documentation.
ELSEWHERE = {
    "action_plugins": "plugins/action.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
}
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"


def elsewhere(_app: Any, _environment: Any, node: Any, content: Any) -> nodes.reference | None:
    """A link to Ansible's documentation for one of its labels; None leaves Sphinx to warn of it."""
    label = node.get("reftarget", "")
    page = ELSEWHERE.get(label)
    if plugin := re.fullmatch(r"ansible_collections\.ansible\.builtin\.(\w+_[a-z]+)", label):
        page = f"collections/ansible/builtin/{plugin[1]}.html"
    return nodes.reference("", "", content, refuri=ANSIBLE + page) if page else None


def setup(app: Any) -> None:
    """Sphinx's entry."""
    app.connect("missing-reference", elsewhere)
