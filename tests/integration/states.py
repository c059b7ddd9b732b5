# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run left on the clusters, without what no two runs have in common."""

from __future__ import annotations

import json
import re
from typing import Any

from operator_site import Site


def settled(site: Site) -> Any:
    """The lab's content without what no two runs have in common: keys, serials, identifiers, times."""
    text = json.dumps(site.lab.ask("dump"), sort_keys=True)
    text = re.sub(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----(\\n)?", "PEM", text)
    text = re.sub(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?", "UUID", text)
    # versionStamp holds the second of the last write.
    return json.loads(re.sub(r"\b\d{10}-UUID", "STAMP", text))


def summary(site: Site) -> Any:
    """What counts in the end: objects, and how many certificates each store holds."""
    return {
        cluster: {
            "config": content["config"],
            **{table: len(rows) for table, rows in content.items() if table.startswith("pki_")},
        }
        for cluster, content in settled(site).items()
    }
