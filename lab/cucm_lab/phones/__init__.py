# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What phones trust (CTL and ITL), and whether they can register."""

from __future__ import annotations

from .registration import Phones, Registration
from .trustlists import Entry, TrustList, TrustLists

__all__ = ["Entry", "Phones", "Registration", "TrustList", "TrustLists"]
