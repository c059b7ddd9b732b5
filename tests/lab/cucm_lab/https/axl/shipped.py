# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster holds as shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...config import ConfigStore
    from ...world import Cluster


def seed(cluster: Cluster, store: ConfigStore) -> None:
    """Make the shipped objects of a new cluster, and those of its scenario."""
