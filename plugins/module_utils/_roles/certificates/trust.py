# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CAs the peers of a cluster come to trust: those that the operator named, and no other.

The administrator of a cluster can put anything into its trust store. Nothing of it is given to another cluster unless
signatures lead from the node's certificate to a CA that was named. Pure but for the files that the options name;
private to siptls.cucm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates

_KINDS = (".pem", ".cer", ".crt", ".p7b")
_LARGEST = 1 << 20  # bytes of a file of certificates
OPTION = "callmanager_certificate_trusted_cas"


def named_authorities(
    given: Iterable[str], *, folders: Iterable[str] = (), records: Iterable[str] = (), option: str = OPTION
) -> tuple[list[Certificate], list[str]]:
    """The CA certificates that the operator named, and what is wrong with them.

    given: each PEM, or a file that is looked for in the folders. records: folders in which the role keeps the chains
    of the CAs that signed for it; what is not a certificate there is passed over. option: what given comes from.
    """
    found: list[Certificate] = []
    problems: list[str] = []
    for source in filter(None, map(str, given)):
        try:
            data = source_data(source, [Path(folder) for folder in folders if folder])
            found += read_certificates(data, "a text" if data is source else source)
        except Failure as failure:
            problems.append(f"{option}: {failure.msg}")
        except (OSError, ValueError) as error:
            said = (getattr(error, "strerror", None) or "it is not a path").lower()
            problems.append(f"{option}: {source[:200]} cannot be read: {said}. Give PEM or the path of a file.")
    found += [certificate for folder in records if folder for certificate in _recorded(Path(folder))]
    return [certificate for certificate in dict.fromkeys(found) if certificate.may_sign], problems


def source_data(source: str, folders: list[Path]) -> str | bytes:
    """PEM as it is, or the content of the file that an option names, looked for in the folders; OSError without one."""
    if "-----BEGIN" in source:
        return source
    path = Path(source).expanduser()
    places = [path] if path.is_absolute() else [folder / path for folder in folders]
    return next((place for place in places if place.is_file()), path).read_bytes()


def _recorded(folder: Path) -> Iterator[Certificate]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for file in (
        candidate
        for candidate in files
        if candidate.suffix in _KINDS and candidate.is_file() and candidate.stat().st_size <= _LARGEST
    ):
        try:
            yield from read_certificates(file.read_bytes())
        except (Failure, OSError):
            continue


def chain_above(
    certificate: Mapping[str, Any] | None, store: Iterable[Mapping[str, Any]], named: Iterable[Certificate] | None
) -> list[str]:
    """The PEMs of the CAs above a certificate that peers may trust; none when no named CA is among them.

    named is None where nobody was asked for names; then signatures alone decide.
    """
    leaf = Certificate.from_view(certificate)
    if leaf is None:
        return []
    trusted = None if named is None else list(named)
    chain = _climb(leaf, store, trusted or ())
    return [issuer.pem for issuer in chain.issuers] if trusted is None or _is_named(chain, trusted) else []


def unknown_issuer(
    certificate: Mapping[str, Any] | None,
    store: Iterable[Mapping[str, Any]],
    named: Iterable[Certificate],
    purpose: str,
) -> str:
    """Why peers will not be made to trust the CA of a certificate; empty where there is nothing to say."""
    leaf, trusted = Certificate.from_view(certificate), list(named)
    if leaf is None or leaf.self_signed:
        return ""
    chain = _climb(leaf, store, trusted)
    if _is_named(chain, trusted):
        return ""
    issuer = chain.issuers[0] if chain.issuers else None
    shown = f" (SHA-256 {issuer.sha256})" if issuer is not None else ", whose certificate is not in its trust store"
    return (
        f"its {purpose} certificate {leaf.title} was issued by {leaf.issuer.text}{shown}, and that is not a CA that "
        "you named, so that no other cluster is made to trust it. When it is yours, add its certificate to "
        "sip_tls_trusted_cas. To replace it, set callmanager_certificate_issuer to the certificate of your CA, or "
        "callmanager_certificate_regenerate to always for one run"
    )


def _climb(leaf: Certificate, store: Iterable[Mapping[str, Any]], named: Iterable[Certificate]) -> Chain:
    # A certificate that may not sign leads nowhere: whoever got one could make others with it.
    stored = (
        certificate
        for certificate in map(Certificate.from_view, store)
        if certificate is not None and certificate.may_sign
    )
    return climb(leaf, [*named, *stored])


def _is_named(chain: Chain, named: Iterable[Certificate]) -> bool:
    """Whether a named CA, in this or another certificate of the same name and key, is above the leaf."""
    known = {(authority.subject.key, authority.key) for authority in named}
    return any((issuer.subject.key, issuer.key) in known for issuer in chain.issuers)
