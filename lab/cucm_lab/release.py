# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one CUCM release speaks and makes by default: one row per release, for every interface of the lab.

Release 15 has one row per service update (SU), because TLS 1.3, the minimum TLS version and self-signed
certificates differ between them. Sources: CUCM's AXL, certificate and security documentation. Rows or cells that no
document states are named in `inferred.py` as well.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace

TLS10, TLS12, TLS13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@dataclass(frozen=True)
class TlsPolicy:
    """TLS versions and OpenSSL cipher string of one interface, HTTPS or SIP.

    `signatures` are OpenSSL's names of the signature algorithms in order of preference; empty: the library's order.
    """

    minimum: ssl.TLSVersion
    maximum: ssl.TLSVersion
    ciphers: str
    signatures: str = ""


@dataclass(frozen=True)
class SipTls:
    """SIP over TLS as installed: versions, and OpenSSL's names of the cipher suites, RSA preferred.

    `minimum` is that of a fresh installation; an upgraded cluster keeps its old one (a scenario's `tls_min_version`).
    """

    minimum: ssl.TLSVersion
    maximum: ssl.TLSVersion
    suites: tuple[str, ...]


@dataclass(frozen=True)
class SshPolicy:
    """The SSH algorithms of the platform CLI, in the server's order, and how it authenticates."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    banner: str
    keyboard_interactive_only: bool = False


@dataclass(frozen=True)
class CsrDefaults:
    """What a CSR for CallManager contains by default (key bits, hash, names, usages)."""

    key_bits: int
    hash: str
    #: "none", "parent_domain" or "parent_domain+host"
    sans: str
    eku: tuple[str, ...]
    key_usage: tuple[str, ...]
    include_ou: bool = True
    #: the CLI asks "Include OU in CSR (yes|no)?"
    asks_ou: bool = False


@dataclass(frozen=True)
class Release:
    """One CUCM release."""

    name: str
    #: as `show version active` and getCCMVersion print it
    version: str
    #: the release's own AXL version, e.g. "14.0"
    axl_version: str
    #: the AXL versions this server accepts
    axl_versions: tuple[str, ...]
    #: what AXL version "1.0" means here
    axl_oldest: str
    tls: TlsPolicy
    sip: SipTls
    ssh: SshPolicy
    csr: CsrDefaults
    #: (RSA bits, hash) of the self-signed certificates of the installation
    self_signed: tuple[int, str]
    os_name: str
    os_version: str
    has_rest_certmgr: bool
    has_ecdsa: bool
    has_itl_recovery: bool
    #: "rsa" (library text, the PEM right behind it) or "bouncycastle"
    cert_text_form: str
    #: trust files are named <CN>_<serial>.pem
    trust_names_with_serial: bool
    #: "RISService70", or the older "RISService"
    ris_services: tuple[str, ...]
    #: the CLI sets mixed mode and updates the CTL file; before, the CTL client does, with eTokens
    has_tokenless_ctl: bool = False
    #: the ITLRecovery certificate signs the CTL and ITL files; before, that of CallManager
    itl_recovery_signs: bool = False
    #: partitions for learned numbers and URIs are shipped
    has_learned_partitions: bool = False
    #: Cisco HAProxy serves the HTTPS ports
    has_haproxy: bool = False
    #: `show tls min-version` and `set tls min-version` (11.5(1)SU3 and later)
    has_tls_min_version: bool = False
    #: `set tls min-version` on the publisher sets all nodes (15SU2 and later); before, each node is set by itself
    tls_min_version_cluster_wide: bool = False
    #: the multi-server tomcat certificate can serve as CallManager's (`set cert reuse`)
    has_cert_reuse: bool = False
    #: self-signed certificates say CA:FALSE, those of CAPF excepted
    self_signed_not_ca: bool = False

    @property
    def number(self) -> tuple[int, int]:
        """The AXL version as a pair of numbers, for since/until comparisons."""
        major, minor = self.axl_version.split(".")
        return int(major), int(minor)

    @property
    def user_agent(self) -> str:
        """SIP's User-Agent, e.g. Cisco-CUCM9.1."""
        return f"Cisco-CUCM{self.axl_version}"


_OLD_TLS = TlsPolicy(TLS10, TLS10, "AES128-SHA:AES256-SHA:@SECLEVEL=0")
_MIDDLE_TLS = TlsPolicy(
    TLS10,
    TLS12,
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-GCM-SHA256:"
    "AES256-SHA:AES128-SHA:@SECLEVEL=0",
)
_NEW_CIPHERS = (
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
)
#: what SIP of a release without elliptic curves speaks
_OLD_SIP = SipTls(TLS10, TLS10, ("AES128-SHA",))
#: the default list of the enterprise parameter TLS Ciphers
_SIP = SipTls(
    TLS10,
    TLS12,
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "AES128-SHA",
    ),
)
_OLD_SSH = SshPolicy(
    kex=("diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1"),
    host_keys=("ssh-rsa",),
    ciphers=("aes128-ctr", "aes192-ctr", "aes256-ctr"),
    macs=("hmac-sha1",),
    banner="OpenSSH_5.3",
)
_MIDDLE_SSH = replace(
    _OLD_SSH,
    kex=("diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1"),
    macs=("hmac-sha2-256", "hmac-sha1"),
)
_NEW_SSH = SshPolicy(
    kex=("ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "diffie-hellman-group14-sha256"),
    host_keys=("rsa-sha2-256", "rsa-sha2-512"),
    ciphers=("aes128-ctr", "aes256-ctr", "aes256-gcm@openssh.com"),
    macs=("hmac-sha2-256", "hmac-sha2-512"),
    banner="OpenSSH_7.4",
)
_IPSEC_EKU = ("serverAuth", "clientAuth", "ipsecEndSystem")
_EKU = ("serverAuth", "clientAuth")
_KU = ("digitalSignature", "keyEncipherment", "dataEncipherment", "keyAgreement")

_R91 = Release(
    name="9.1", version="9.1.2.10000-28", axl_version="9.1",
    axl_versions=("7.1", "8.0", "8.5", "8.6", "9.0", "9.1"), axl_oldest="7.1",
    tls=_OLD_TLS, sip=_OLD_SIP, ssh=_OLD_SSH,
    csr=CsrDefaults(1024, "sha1", "none", _IPSEC_EKU, _KU), self_signed=(1024, "sha1"),
    os_name="VOS", os_version="5.0.0.0-2",
    has_rest_certmgr=False, has_ecdsa=False, has_itl_recovery=False, cert_text_form="rsa",
    trust_names_with_serial=False, ris_services=("RISService",),
)  # fmt: skip
_R100 = replace(
    _R91, name="10.0", version="10.0.1.10000-24", axl_version="10.0",
    axl_versions=("8.0", "8.5", "8.6", "9.0", "9.1", "10.0"), axl_oldest="8.0",
    csr=CsrDefaults(2048, "sha256", "parent_domain+host", _IPSEC_EKU, _KU), self_signed=(2048, "sha256"),
    os_version="10.0.0.0-2", has_itl_recovery=True, ris_services=("RISService70", "RISService"),
    has_tokenless_ctl=True, has_learned_partitions=True,
)  # fmt: skip
_R105 = replace(_R100, name="10.5", version="10.5.2.10000-5", axl_version="10.5",
                axl_versions=(*_R100.axl_versions, "10.5"), os_version="6.0.0.0-2")  # fmt: skip
_R110 = replace(
    _R105, name="11.0", version="11.0.1.10000-10", axl_version="11.0",
    axl_versions=("9.0", "9.1", "10.0", "10.5", "11.0"), axl_oldest="9.0",
    tls=_MIDDLE_TLS, sip=_SIP, ssh=_MIDDLE_SSH, csr=CsrDefaults(2048, "sha256", "parent_domain+host", _EKU, _KU),
    has_ecdsa=True, trust_names_with_serial=True,
)  # fmt: skip
_R115 = replace(_R110, name="11.5", version="11.5.1.12900-21", axl_version="11.5",
                axl_versions=(*_R110.axl_versions, "11.5"), has_tls_min_version=True)  # fmt: skip
_R120 = replace(
    _R115, name="12.0", version="12.0.1.10000-10", axl_version="12.0",
    axl_versions=("10.0", "10.5", "11.0", "11.5", "12.0"), axl_oldest="10.0", os_version="7.0.0.0-2",
    itl_recovery_signs=True,
)  # fmt: skip
_R125 = replace(_R120, name="12.5", version="12.5.1.13900-152", axl_version="12.5",
                axl_versions=(*_R120.axl_versions, "12.5"), ssh=_NEW_SSH, os_version="7.0.0.0-4")  # fmt: skip
_R14 = replace(
    _R125, name="14", version="14.0.1.12900-161", axl_version="14.0",
    axl_versions=("11.0", "11.5", "12.0", "12.5", "14.0"), axl_oldest="11.0",
    tls=TlsPolicy(TLS12, TLS12, _NEW_CIPHERS),
    csr=CsrDefaults(2048, "sha256", "parent_domain+host", _EKU, _KU, include_ou=False, asks_ou=True),
    has_rest_certmgr=True, cert_text_form="bouncycastle", has_cert_reuse=True, has_haproxy=True,
)  # fmt: skip
_R15SU1 = replace(
    _R14, name="15SU1", version="15.0.1.11900-23", axl_version="15.0",
    axl_versions=("12.0", "12.5", "14.0", "15.0"), axl_oldest="12.0",
    ssh=replace(_NEW_SSH, keyboard_interactive_only=True), os_version="8.0.0.0-2",
)  # fmt: skip
_R15SU2 = replace(
    _R15SU1, name="15SU2", version="15.0.1.12900-234", tls=TlsPolicy(TLS12, TLS13, _NEW_CIPHERS),
    sip=replace(_SIP, minimum=TLS12, maximum=TLS13), tls_min_version_cluster_wide=True,
)  # fmt: skip
_R15SU3 = replace(_R15SU2, name="15SU3", version="15.0.1.13901-2", self_signed_not_ca=True)
_R15SU4 = replace(_R15SU3, name="15SU4", version="15.0.1.14901-2")

RELEASES: dict[str, Release] = {
    release.name: release
    for release in (_R91, _R100, _R105, _R110, _R115, _R120, _R125, _R14, _R15SU1, _R15SU2, _R15SU3, _R15SU4)
}
#: other names of rows, for scenarios
ALIASES = {"15": "15SU1"}


def find(name: str) -> Release | None:
    """A release by its name or another name of it; None when there is none."""
    return RELEASES.get(ALIASES.get(name, name))


def service_update(release: Release) -> tuple[int, ...]:
    """The numbers of its version, for comparisons: 15.0.1.12900-234 gives (15, 0, 1, 12900, 234)."""
    return tuple(int(part) for part in release.version.replace("-", ".").split("."))
