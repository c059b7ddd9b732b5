# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the certificate store says when it refuses: class of failure -> code and text.

The classes and their numbers are those that Cisco's HCM-F distinguishes when it drives these commands. Documented
texts are here; all others are registered as inferred.
"""

from __future__ import annotations

from ..inferred import Inferred, register

#: documented texts by HCM-F's number; {unit} is filled in
DOCUMENTED: dict[int, str] = {
    1015: "CSR Public Key and Certificate Public Key Do Not Match",
    1016: "CSR SAN and Certificate SAN does not match",
    1017: "File /usr/local/platform/.security/{unit}/keys/{unit}.csr does not exist",
    1018: "CA certificate is not available in the trust-store",
}
#: older releases use one text for two of the classes
OLD_UPLOAD = "The file /usr/local/platform/upload/certs//{unit}.der could not be uploaded."
OLD_UPLOAD_CLASSES = (1015, 1017)

register(
    "pki.old_upload_text_until",
    (9, 1),
    "Last release that says 'could not be uploaded' without a CSR or with a foreign key",
)
register(
    "pki.texts",
    {
        1014: "CSR cannot be generated for {unit}.",
        1019: "Error in CA certificate: {detail}",
        1020: "Error reading the certificate",
        1021: "Certificate is not in PEM format",
        1022: "Invalid certificate file: {detail}",
        1025: "Invalid certificate type {unit}",
        1026: "Certificate upload failed: {detail}",
        1027: "Internal error while processing the certificate",
        1028: "A certificate with the common name {cn} and a later start date exists in {unit}-trust",
        1029: "Certificate {detail} does not exist",
    },
    "Wording of the failures that documents only paraphrase (1028, 1029: numbers of the lab's own)",
)
register("pki.cn_is_fqdn_since", (11, 0), "From which release the CN of CSR and self-signed certificates is the FQDN")
register(
    "pki.old_trust_deletion_until",
    (10, 5),
    "Last release where a trust certificate deleted on one node stays on the others and comes back",
)
register("pki.checks_eku", False, "An upload without clientAuth is refused (the trunk fails in any case)")
register("pki.old_store_takes_ec", True, "Releases before 11.0 take a CA whose key is EC (ECDSA came with 11.0)")
register("pki.multi_server_literal", "multi-server", "REST's word for a multi-server CSR")
register("pki.shipped_days", 1825, "Days that self-signed certificates of the installation are valid")


class StoreError(Exception):
    """The store refused; `code` is HCM-F's class of failure, `text` what CUCM says."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


def refusal(inferred: Inferred, release: tuple[int, int], code: int, **values: str) -> StoreError:
    """The StoreError of this class in the words of this release."""
    if code in OLD_UPLOAD_CLASSES and release <= tuple(inferred["pki.old_upload_text_until"]):
        text = OLD_UPLOAD
    else:
        text = DOCUMENTED.get(code) or inferred["pki.texts"][code]
    return StoreError(code, text.format(**{"unit": "", "detail": "", "cn": "", **values}))
