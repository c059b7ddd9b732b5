# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twins of real clusters, made from records: documents that say what a cluster is, without secrets and keys."""

from __future__ import annotations

from .certificates import install
from .endpoint import start as start_peer
from .record import RecordError, scenario_of

__all__ = ["RecordError", "install", "scenario_of", "start_peer"]
