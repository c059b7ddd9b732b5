# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA providers, by name; private to siptls.cucm.

One line per provider: Ansible packs into a module what its files import, and follows no other reference.
"""

from __future__ import annotations

from ansible_collections.siptls.cucm.plugins.module_utils._ca import adcs, by_hand, local, tasks, vault
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Provider

PROVIDERS: dict[str, Provider] = {
    module.PROVIDER.name: module.PROVIDER for module in (local, adcs, vault, by_hand, tasks)
}
