# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML pages of Tomcat and AXL."""

from __future__ import annotations

HTML = "text/html;charset=UTF-8"
_REASONS = {
    401: "This request requires HTTP authentication.",
    403: "Access to the specified resource has been forbidden.",
    404: "The requested resource is not available.",
    405: "The specified HTTP method is not allowed for the requested resource.",
    500: "The server encountered an internal error that prevented it from fulfilling this request.",
    503: "The requested service is not currently available.",
}


def status(code: int) -> str:
    """Tomcat's error page."""
    return (
        f"<html><head><title>Apache Tomcat - Error report</title></head><body><h1>HTTP Status {code} - </h1>"
        f'<hr size="1" noshade="noshade"><p><b>type</b> Status report</p><p><b>message</b> <u></u></p>'
        f"<p><b>description</b> <u>{_REASONS.get(code, '')}</u></p></body></html>"
    )


AXL = (
    "<html><head><title>Cisco CallManager: AXL Web Service</title></head><body>"
    "<h1>Cisco CallManager: AXL Web Service</h1>"
    "<p>The AXL Web Service is working and accepting requests. Use HTTP POST to send a request.</p></body></html>"
)
