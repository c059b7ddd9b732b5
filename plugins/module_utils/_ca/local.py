# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider local of ca_sign: a CA in a folder, or one that is given whole; private to siptls.cucm."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca import signer
from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import same_sans
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import Policy, check_request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view


@dataclass(frozen=True)
class Settled:
    """How a request was answered. reissued_because: None when nothing had been issued for its node before."""

    view: dict[str, Any]
    is_new: bool
    reissued_because: str | None = None


def sign(params: Mapping[str, Any], *, dry: bool) -> Outcome:
    """Sign a request, or give back what still serves. With dry nothing is written and a new CA is a throw-away one."""
    now = signer.real_now()
    there = now + timedelta(seconds=params["clock_offset"])
    request = read_request(params["csr"], "csr")
    csr = request.view()
    policy = Policy(
        days=params["days"],
        skew=timedelta(minutes=params["clock_skew"]),
        digest=params["hash"],
        eku_policy=params["eku_policy"],
        allowed_sans=tuple(params["allowed_sans"] or ()),
    )
    if policy.days <= params["renew_before"]:
        raise Failure(
            f"days is {policy.days} and renew_before {params['renew_before']}: a new certificate would be due for "
            "renewal at once. Give more days."
        )
    warnings = check_request(request, policy)
    folder = CaFolder(params["path"]) if params["path"] else None
    # Nobody writes in check mode, so that no lock (which is a file) is needed then.
    with folder.lock() if folder and not dry else contextlib.nullcontext():
        ca, created = _authority(params, folder, now, dry=dry)
        ca.judge_dates(now, there, params["renew_before"])
        settled = _settle(ca, csr, policy, folder, params)
        if settled.is_new and folder and not dry:
            folder.keep(settled.view)
    if folder and not params["ca_certificate"]:
        warnings += filter(None, [folder.loose_key()])
    if settled.view["days_left"] < policy.days - 1 and settled.is_new:
        warnings.append(f"The certificate ends with its CA {ca.name} on {settled.view['not_after']}.")
    return _outcome(ca, created, settled, warnings, there, dry=dry)


def _authority(
    params: Mapping[str, Any], folder: CaFolder | None, now: datetime, *, dry: bool
) -> tuple[signer.SigningCa, bool]:
    """(the CA, whether it is new)."""
    if params["ca_certificate"]:
        pem, where = params["ca_key"], "ca_key"
        if not pem and not params["ca_key_path"]:
            raise Failure("ca_certificate is given without its key: give ca_key or ca_key_path too.")
        if not pem:
            where = params["ca_key_path"]
            try:
                pem = Path(where).read_text(encoding="ascii")
            except (OSError, ValueError) as error:
                said = (getattr(error, "strerror", None) or "it is no text").lower()
                raise Failure(f"The CA's key {where} cannot be read: {said}.") from None
        key = signer.load_key(pem, params["passphrase"], where)
        return signer.SigningCa.load(params["ca_certificate"], key, None, "ca_certificate"), False
    if folder is None:
        raise Failure("The provider local needs path, the CA's folder, or ca_certificate with its key.")
    return _from_folder(params, folder, now, dry=dry)


def _from_folder(
    params: Mapping[str, Any], folder: CaFolder, now: datetime, *, dry: bool
) -> tuple[signer.SigningCa, bool]:
    certificate, key_data = folder.read(folder.certificate), folder.read(folder.key)
    if certificate is not None:
        if key_data is None:
            raise Failure(
                f"The CA in {folder.path} has its certificate {folder.certificate.name} but no key "
                f"{folder.key.name}: put the key back, or use another folder for a new CA."
            )
        key = signer.load_key(key_data, params["passphrase"], str(folder.key))
        return signer.SigningCa.load(certificate, key, folder.read(folder.chain), str(folder.path)), False
    if not params["create"]:
        raise Failure(
            f"There is no CA in {folder.path}: its file {folder.certificate.name} is missing. "
            "Set create: true to have one made there, or correct path."
        )
    wish = signer.CaWish(
        params["ca_subject"], params["ca_key_type"], params["ca_key_size"] or _usual_size(params["ca_key_type"]),
        params["ca_days"], params["hash"], timedelta(minutes=params["clock_skew"]),
    )  # fmt: skip
    # A key without a certificate is what a run leaves that was stopped in between; it is finished here.
    key = signer.load_key(key_data, params["passphrase"], str(folder.key)) if key_data else signer.new_key(wish)
    pem = signer.new_certificate(key, wish, now)
    if not dry:
        if not key_data:
            folder.write(folder.key, signer.key_pem(key, params["passphrase"]), 0o600)
        folder.write(folder.certificate, pem.encode(), 0o644)
    return signer.SigningCa.load(pem, key, None, str(folder.path)), True


def _usual_size(key_type: str) -> int:
    return 384 if key_type == "EC" else 3072


def _settle(
    ca: signer.SigningCa,
    csr: dict[str, Any],
    policy: Policy,
    folder: CaFolder | None,
    params: Mapping[str, Any],
) -> Settled:
    """The certificate that still serves, or a new one with the reason why."""
    reason, now = None, signer.real_now()
    there = now + timedelta(seconds=params["clock_offset"])
    if folder is not None:
        kept = [certificate_view(one, now=there) for one in folder.kept(csr["public_key_sha256"])]
        for view in [one for one in kept if one["public_key_sha256"] == csr["public_key_sha256"]]:
            why = "force was set" if params["force"] else _unfit(view, ca, csr, policy, params["renew_before"])
            if why is None:
                return Settled(view, is_new=False)
            reason = reason or f"{why} (certificate {view['serial']})"
        reason = reason or _older(folder, csr, now)
    pem = ca.sign(read_request(csr["pem"]), policy, now, there)
    return Settled(certificate_view(pem, now=there), is_new=True, reissued_because=reason)


def _unfit(
    view: dict[str, Any], ca: signer.SigningCa, csr: dict[str, Any], policy: Policy, renew_before: int
) -> str | None:
    """Why a certificate of the same key no longer serves."""
    if not read_certificate(view["pem"]).signed_by(ca.certificate):
        return f"the earlier certificate was issued by another CA, {view['issuer']}"
    if view["days_left"] < renew_before:
        return f"the earlier certificate has {view['days_left']} days left, and renew_before is {renew_before}"
    if view["subject"] != csr["subject"]:
        return f"the earlier certificate is for the subject {view['subject']}, the request for {csr['subject']}"
    if not same_sans(view["sans"], csr["sans"]):
        return (
            f"the earlier certificate has the alternative names {', '.join(view['sans']) or '(none)'}, the request "
            f"{', '.join(csr['sans']) or '(none)'}"
        )
    request = read_request(csr["pem"])
    for what, wanted in (("eku", policy.eku(request)), ("key_usage", policy.key_usage(request))):
        if set(view[what]) != set(wanted):
            return f"the earlier certificate has the usages {', '.join(view[what])}, and {', '.join(wanted)} are wanted"
    return None


def _older(folder: CaFolder, csr: dict[str, Any], now: datetime) -> str | None:
    """The request has a key of its own: say so when its node has had a certificate with another."""
    for data in folder.kept():
        view = certificate_view(data, now=now)
        if view["subject"] == csr["subject"] and same_sans(view["sans"], csr["sans"]):
            return f"the request holds a new key (certificate {view['serial']} was for another)"
    return None


def _outcome(
    ca: signer.SigningCa, created: bool, settled: Settled, warnings: list[str], now: datetime, *, dry: bool
) -> Outcome:
    view, chain = settled.view, list(ca.chain)
    after = {name: view[name] for name in ("subject", "issuer", "serial", "not_before", "not_after", "sans", "eku")}
    return Outcome(
        changed=settled.is_new or created,
        warnings=warnings,
        before={},
        after=after if settled.is_new else {},
        result={
            "status": "issued",
            "certificate": view["pem"],
            "chain": chain,
            "root": chain[-1],
            "reissued_because": settled.reissued_because,
            "view": view,
            "ca": ca.certificate.view(now),
            "ca_created": created,
            "predicted": dry and settled.is_new,
        },
    )
