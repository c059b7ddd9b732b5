# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider local: a CA in a folder, or one that is given whole; private to siptls.cucm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.siptls.cucm.plugins.module_utils._ca import signer
from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import (
    Issued,
    Job,
    Provider,
    Terms,
    renamed,
)
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import Policy

SPEC = ArgSpec(
    options={
        "local_create": renamed("create", type="bool", default=True),
        "local_hash": renamed("hash", type="str", choices=["sha256", "sha384", "sha512"], default="sha256"),
        "local_clock_skew": renamed("clock_skew", type="int", default=60),
        "local_crl_urls": {"type": "list", "elements": "str"},
        "local_ocsp_urls": {"type": "list", "elements": "str"},
        "local_ca_subject": renamed("ca_subject", type="str"),
        "local_ca_key_type": renamed("ca_key_type", type="str", choices=["RSA", "EC"], default="RSA", no_log=False),
        "local_ca_key_size": renamed("ca_key_size", type="int", no_log=False),
        "local_ca_days": renamed("ca_days", type="int", default=3650),
        "local_permitted_names": {"type": "list", "elements": "str"},
        "local_ca_certificate": renamed("ca_certificate", type="str"),
        "local_ca_key": renamed("ca_key", type="str", no_log=True),
        "local_ca_key_path": renamed("ca_key_path", type="path", no_log=False),
        "local_passphrase": renamed(
            "passphrase", type="str", no_log=True, fallback=(env_fallback, ["SIP_TLS_CA_PASSPHRASE"])
        ),
    },
    mutually_exclusive=(("local_ca_key", "local_ca_key_path"),),
)


@contextlib.contextmanager
def _open(job: Job) -> Iterator[LocalSigner]:
    """The signer for a request."""
    addresses = signer.Addresses(
        tuple(job.options["crl_urls"] or ()), tuple(job.options["ocsp_urls"] or ())
    )  # checked before a CA is made
    with _at_hand(job) as (ca, created):
        yield LocalSigner(job, ca, addresses, {"ca_created": created}, _weak_places(job))


def authority(terms: Terms) -> tuple[tuple[Certificate, ...], bool]:
    """The CA and those above it, and whether it was made now."""
    with _at_hand(terms) as (ca, created):
        return ca.authorities, created


@contextlib.contextmanager
def _at_hand(job: Terms) -> Iterator[tuple[signer.SigningCa, bool]]:
    """The CA and whether it is new, with its folder locked for this process: two runs at once would make two CAs."""
    if not 0 < job.policy.days <= signer.MOST_DAYS:
        raise Failure(f"days is {job.policy.days}. Give 1 to {signer.MOST_DAYS} days.")
    if job.policy.days <= job.renew_before:
        raise Failure(
            f"days is {job.policy.days} and renew_before {job.renew_before}: a new certificate would be due for "
            "renewal at once. Give more days."
        )
    # Check mode writes nothing, so that it needs no lock (which is a file).
    with job.folder.lock() if job.folder and not job.dry else contextlib.nullcontext():
        ca, created = _authority(job)
        ca.check_dates(job.now, job.there, job.renew_before)
        yield ca, created


@dataclass
class LocalSigner:
    """A CA whose key is on the controller."""

    job: Job
    ca: signer.SigningCa
    addresses: signer.Addresses
    facts: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    @property
    def authorities(self) -> tuple[Certificate, ...]:
        """The CA and those above it."""
        return self.ca.authorities

    def outdated(self, certificate: Certificate) -> str | None:
        """Why a certificate of the same key no longer serves: this CA would sign another one."""
        request, policy = self.job.request, self.job.policy
        if not certificate.signed_by(self.ca.certificate):
            return f"the earlier certificate was issued by another CA, {certificate.issuer.text}"
        return next(_differences(certificate, request, policy), None)

    def sign(self) -> Issued:
        """Sign; with dry it is a prediction only as far as nothing is kept."""
        job = self.job
        certificate = self.ca.sign(job.request, job.policy, job.now, job.there, self.addresses)
        if certificate.not_after < job.now + timedelta(days=job.policy.days - 1):
            self.warnings.append(
                f"The certificate ends with its CA {self.ca.name} on {time_text(certificate.not_after)}."
            )
        return Issued(certificate, self.ca.authorities, job.dry, self.ca.authorities if job.dry else ())


def _differences(certificate: Certificate, request: Request, policy: Policy) -> Iterator[str]:
    if certificate.subject.text != request.subject.text:
        yield (
            f"the earlier certificate is for the subject {certificate.subject.text}, the request for "
            f"{request.subject.text}"
        )
    if certificate.san_keys != request.san_keys:
        yield (
            f"the earlier certificate has the alternative names {', '.join(certificate.sans) or '(none)'}, the request "
            f"{', '.join(request.sans) or '(none)'}"
        )
    given = (certificate.extensions.eku or (), certificate.extensions.key_usage or ())
    for has, planned in zip(given, (policy.eku(request), policy.key_usage(request)), strict=True):
        if set(has) != set(planned):
            yield f"the earlier certificate has the usages {', '.join(has)}, a new one has {', '.join(planned)}"


def _authority(job: Terms) -> tuple[signer.SigningCa, bool]:
    """(the CA, whether it is new)."""
    options = job.options
    if not options["ca_certificate"]:
        if job.folder is None:
            raise AssertionError("the options were checked")
        return _from_folder(job, job.folder)
    pem, where = options["ca_key"], "local_ca_key"
    if not pem and not options["ca_key_path"]:
        raise Failure("local_ca_certificate is given without its key. Set local_ca_key or local_ca_key_path as well.")
    if not pem:
        where = options["ca_key_path"]
        try:
            pem = Path(where).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            said = (getattr(error, "strerror", None) or "it is not text").lower()
            raise Failure(f"The CA's key {where} cannot be read: {said}. Correct local_ca_key_path.") from None
    key = signer.load_key(pem, options["passphrase"], where)
    return signer.SigningCa.load(options["ca_certificate"], key, None, "local_ca_certificate"), False


def _from_folder(job: Terms, folder: CaFolder) -> tuple[signer.SigningCa, bool]:
    options = job.options
    certificate, key_data = folder.read(folder.certificate), folder.read(folder.key)
    if certificate is not None:
        if key_data is None:
            raise Failure(
                f"The CA in {folder.path} has its certificate {folder.certificate.name} but no key "
                f"{folder.key.name}: put the key back, or use another folder for a new CA."
            )
        key = signer.load_key(key_data, options["passphrase"], str(folder.key))
        return signer.SigningCa.load(certificate, key, folder.read(folder.chain), str(folder.path)), False
    if not options["create"]:
        raise Failure(
            f"There is no CA in {folder.path}: its file {folder.certificate.name} is missing. "
            "Set local_create: true to have one made there, or correct path."
        )
    plan = _plan(job)
    # A run that was stopped in between leaves a key without a certificate; its CA is completed here.
    found = signer.load_key(key_data, options["passphrase"], str(folder.key)) if key_data else None
    if job.dry:
        key, pem = signer.preview(plan, str(folder.path), job.now)
        return signer.SigningCa.load(pem, key, None, str(folder.path)), True
    key = found or signer.new_key(plan)
    pem = signer.new_certificate(key, plan, job.now)
    if not key_data:
        folder.write(folder.key, signer.key_pem(key, options["passphrase"]), 0o600)
    folder.write(folder.certificate, pem.encode(), 0o644)
    return signer.SigningCa.load(pem, key, None, str(folder.path)), True


def _plan(job: Terms) -> signer.CaPlan:
    """The plan for a new CA; Failure if it would end before the certificates that it has to sign."""
    options = job.options
    days = options["ca_days"]
    if not 0 < days <= signer.MOST_DAYS:
        raise Failure(f"local_ca_days is {days}. Give 1 to {signer.MOST_DAYS} days; no CA was made.")
    if days < job.policy.days:
        raise Failure(
            f"local_ca_days is {days}, and the CA has to sign certificates for {job.policy.days} days (days); no CA "
            "was made. Give the CA more days, or the certificates fewer."
        )
    usual = 384 if options["ca_key_type"] == "EC" else 3072
    return signer.CaPlan(
        options["ca_subject"], options["ca_key_type"], options["ca_key_size"] or usual, days, options["hash"],
        job.policy.skew, tuple(options["permitted_names"] or ()),
    )  # fmt: skip


def _weak_places(job: Terms) -> list[str]:
    """Warnings about a folder or a key that others could use."""
    if job.folder is None or job.options["ca_certificate"] or job.dry:
        return []
    return list(job.folder.weak_places())


PROVIDER = Provider("local", SPEC, _open, needs=(("path", "local_ca_certificate"),), authority=authority)
