# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run left on the clusters, without what no two runs have in common."""

from __future__ import annotations

import json
from typing import Any

from tests.support.operator_site import Site, settled


def summary(site: Site) -> Any:
    """What counts in the end: objects, and how many certificates each store holds; on whatever net the lab is."""
    dump = json.loads(json.dumps(site.lab.ask("dump")).replace(f'"{site.lab.net}.', '"NET.'))
    return {
        cluster: {
            "config": content["config"],
            **{table: len(rows) for table, rows in content.items() if table.startswith("pki_")},
        }
        for cluster, content in settled(dump).items()
    }
