# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of every module. plugins/action/ has a link to this file per module.

A redirect would make them one action, with the module_defaults of all action groups.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from ansible_collections.siptls.cucm.plugins.plugin_utils._in_process import InProcess, face_of

NAME = __name__.rpartition(".")[2]


class ActionModule(InProcess):
    """Runs the module of this file's name."""

    # The file itself, which is no module's, is imported by tools that check it.
    if not NAME.startswith("_"):
        FACE = face_of(NAME)
