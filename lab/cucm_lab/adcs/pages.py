# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of web enrolment, with the texts and attributes that clients look for."""

from __future__ import annotations

_HEAD = "<HTML><HEAD><TITLE>Microsoft Active Directory Certificate Services</TITLE></HEAD>\r\n<BODY>\r\n"
_TAIL = "\r\n</BODY></HTML>\r\n"


def page(body: str) -> str:
    """A page with this body."""
    return _HEAD + body + _TAIL


def home() -> str:
    """/certsrv/"""
    return page("<H1>Welcome</H1>\r\nUse this Web site to request a certificate.")


def issued(number: int) -> str:
    """The request was granted."""
    return page(
        "<P ID=locPageTitle><B>Certificate Issued</B>\r\nThe certificate you requested was issued to you.\r\n"
        f'<A Href="certnew.cer?ReqID={number}&Enc=bin">Download certificate</A>\r\n'
        f'<A Href="certnew.p7b?ReqID={number}&Enc=bin">Download certificate chain</A>'
    )


def pending(number: int) -> str:
    """The request waits for an administrator."""
    return page(
        "<P ID=locPageTitle><B>Certificate Pending</B>\r\nYour certificate request has been received. However, you "
        "must wait for an administrator to issue the certificate you requested.\r\n"
        f"<P>Your Request Id is {number}.\r\n"
    )


def denied(number: int, disposition: str) -> str:
    """The request was denied."""
    return page(
        "<P ID=locPageTitle><B>Certificate Request Denied</B>\r\n"
        f'Your certificate request was denied. Your Request Id is {number}. The disposition message is "{disposition}".'
    )


def not_issued(disposition: str) -> str:
    """certnew.cer of a request that has no certificate."""
    return page(
        "<P ID=locPageTitle><B>Error</B>\r\nAn error occurred while retrieving the certificate.\r\n"
        f"Disposition message:\r\n\t\t{disposition}\r\n"
    )


def authority(renewals: int) -> str:
    """certcarc.asp: how often the CA's certificate was renewed."""
    return page(f"<SCRIPT>\r\nvar nRenewals={renewals};\r\n</SCRIPT>\r\nDownload a CA certificate, certificate chain")
