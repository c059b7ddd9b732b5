# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS on 8443: AXL, Control Center, RIS, PerfMon, Log Collection, DIME, the certificate REST API, UDS."""
