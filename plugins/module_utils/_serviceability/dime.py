# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any file of a node over HTTPS, by DIME or else by Log Collection's GetOneFile; no SFTP server is needed. Private."""

from __future__ import annotations

import base64
import binascii

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import log_collection, soap
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.soap import NotHere, SoapFault, element

PATH = "/logcollectionservice/services/DimeGetFileService"
ACTION = "http://schemas.cisco.com/ast/soap/action/#LogCollectionPort#GetOneFile"
MOST_BYTES = 192 << 20  # 100,000 whole packets, the most that CUCM captures, are 153 MB
CAPTURES = "/var/log/active/platform/cli/"


def fetch(client: HttpClient, path: str) -> bytes:
    """The content of a file by its absolute path on the node."""
    what = f"The transfer of {path} (DIME)"
    request = element("GetOneFile", inner=element("FileName", path))
    try:
        answer = soap.call(client, PATH, ACTION, request, what, largest=MOST_BYTES, timeout=300)
        if answer.attachments:
            return answer.attachments[0]
    except (NotHere, SoapFault) as refused:
        return _without_dime(client, path, refused)
    raise Failure(
        f"{what} on {client.host} ({client.who}) failed: the answer brings no file. "
        "Check that the file exists (file list activelog) and is not empty."
    )


def _without_dime(client: HttpClient, path: str, refused: Failure) -> bytes:
    """GetOneFile of Log Collection (base64 or attached); when it does no better, DIME's refusal stands."""
    try:
        answer = soap.call(
            client, log_collection.PATH, "GetOneFile", element("FileName", path),
            f"The transfer of {path} (GetOneFile)", largest=MOST_BYTES, timeout=300,
        )  # fmt: skip
    except (NotHere, SoapFault):
        raise refused from None
    if answer.attachments:
        return answer.attachments[0]
    text = soap.text_of(answer.body, "GetOneFileReturn") or soap.text_of(answer.body, "GetOneFileResponse") or ""
    try:
        return base64.b64decode(text, validate=False) if text else b""
    except binascii.Error:
        raise refused from None
