# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider adcs of ca_sign: Active Directory Certificate Services by web enrolment; private to siptls.cucm."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca import signer
from ansible_collections.siptls.cucm.plugins.module_utils._ca.certsrv import Answer, Certsrv
from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure, Outcome, missing_libraries
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC, purpose_of
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import (
    Policy,
    certificate_problems,
    check_request,
    date_problems,
    remarks,
    request_differences,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import (
    certificate_view,
    order_chain,
    split_chain,
)

POLL = 5.0  # seconds between two looks at a pending request


def sign(params: Mapping[str, Any], *, dry: bool) -> Outcome:
    """Have a request signed, give back what still serves, or go on with what was pending.

    With dry the account is tried and a stand-in is signed in memory; nothing is handed in. Raises Failure when the
    request is pending (status pending and request_id among its facts), was denied, or when the answer is useless.
    """
    _check_options(params)
    there = _there(params)
    request = read_request(params["csr"], "csr")
    csr = request.view()
    policy = Policy(eku_policy=params["eku_policy"], allowed_sans=tuple(params["allowed_sans"] or ()))
    warnings = check_request(request, policy)
    folder = CaFolder(params["path"]) if params["path"] else None
    kept, reason = _kept(folder, csr, params) if folder else (None, None)
    if kept is not None:
        return _outcome(kept[0], kept[1:], None, warnings, there, changed=False)
    client = Certsrv(params)
    client.login()
    if dry:
        return _stand_in(csr, reason, warnings, there)
    pem, request_id = _issued(client, csr, params, _Pending(folder, csr, client.url))
    view = certificate_view(pem, now=there)
    issued = read_certificate(pem)
    if faults := _faults(issued, request, there):
        raise Failure(
            f"The certificate {view['serial']} that the CA at {client.url} issued for {csr['subject']} is of no use: "
            f"{'; '.join(faults)}.",
            status="issued", request_id=request_id, faults=faults, view=view,
        )  # fmt: skip
    warnings += [
        f"The certificate {view['serial']} of the CA at {client.url}: {remark}." for remark in remarks(issued, request)
    ]
    if view["days_left"] < params["renew_before"]:
        warnings.append(
            f"The CA gave {view['days_left']} days, and renew_before is {params['renew_before']}: "
            "the certificate is due for renewal at once. Lengthen the template's validity, or lower renew_before."
        )
    chain = order_chain(view["pem"], client.authorities())[1:]
    if folder:
        folder.keep(view, chain)
    return _outcome(view["pem"], chain, request_id, warnings, there, changed=True, reason=reason)


def _check_options(params: Mapping[str, Any]) -> None:
    """Failure where a library is missing, or where attributes would have the CA add names."""
    for name in missing_libraries(["requests", "requests_ntlm"]):
        raise Failure(f"The provider adcs needs the Python package {name.replace('_', '-')}: install it with pip.")
    if any(str(attribute).strip().lower() == "san" for attribute in params["attributes"] or ()):
        raise Failure(
            "attributes holds SAN, which adds alternative names at the CA. CUCM takes exactly the names of its "
            "request: set them with cucm_csr."
        )


def _issued(client: Certsrv, csr: dict[str, Any], params: Mapping[str, Any], notes: _Pending) -> tuple[str, Any]:
    """The certificate as PEM and the number of its request; Failure where it is pending or was denied."""
    answer = _answer(client, csr, params, notes)
    if answer.state == "issued" and answer.pem is None and answer.request_id is not None:
        answer = client.retrieve(answer.request_id)
    if answer.state != "issued" or answer.pem is None:
        raise _not_issued(client, csr, answer, notes)
    notes.forget()
    return answer.pem, answer.request_id


def _faults(certificate: Certificate, request: Request, now: datetime) -> list[str]:
    """Why a certificate is of no use for CUCM."""
    purpose = purpose_of(TRUNK_EC.name if request.key.kind == EC else TRUNK.name)
    return [
        *request_differences(certificate, request),
        *certificate_problems(certificate, purpose),
        *date_problems(certificate, now),
    ]


def _there(params: Mapping[str, Any]) -> datetime:
    """The time of the node that the certificate is for."""
    return signer.real_now() + timedelta(seconds=params["clock_offset"])


def _kept(folder: CaFolder, csr: dict[str, Any], params: Mapping[str, Any]) -> tuple[list[str] | None, str | None]:
    """(certificate and chain that still serve, or why those of the same key do not)."""
    reason = None
    for data in folder.kept(csr["public_key_sha256"]):
        bundle = split_chain(data)
        view = certificate_view(bundle[0], now=_there(params))
        faults = _faults(read_certificate(bundle[0]), read_request(csr["pem"]), _there(params))
        if params["force"]:
            faults = ["force was set"]
        elif view["days_left"] < params["renew_before"]:
            faults.append(f"it has {view['days_left']} days left, and renew_before is {params['renew_before']}")
        if not faults and len(bundle) > 1:
            return bundle, None
        reason = reason or f"{'; '.join(faults) or 'its chain was not kept'} (certificate {view['serial']})"
    return None, reason


class _Pending:
    """The note on a request that was handed in, from the moment that its number is known until it is settled."""

    def __init__(self, folder: CaFolder | None, csr: dict[str, Any], url: str) -> None:
        self._folder, self._csr, self._url = folder, csr, url
        name = csr["public_key_sha256"].replace(":", "").lower()[:24]
        self.file = folder.path / "pending" / f"{name}.json" if folder else None

    def number(self) -> int | None:
        """The number noted for this very request at this very CA."""
        data = self._folder.read(self.file) if self._folder and self.file else None
        try:
            note = json.loads(data) if data else {}
        except ValueError:
            return None
        same = note.get("url") == self._url and note.get("csr") == self._csr["pem"]
        return int(note["request_id"]) if same and str(note.get("request_id", "")).isdigit() else None

    def keep(self, number: int) -> None:
        """Note the number, so that a later run goes on with it."""
        if self._folder and self.file:
            note = {"request_id": number, "url": self._url, "subject": self._csr["subject"], "csr": self._csr["pem"]}
            self._folder.write(self.file, json.dumps(note, indent=1).encode() + b"\n", 0o644)

    def forget(self) -> None:
        """The request is settled."""
        if self.file:
            Path(self.file).unlink(missing_ok=True)


def _answer(client: Certsrv, csr: dict[str, Any], params: Mapping[str, Any], notes: _Pending) -> Answer:
    """Hand the request in, or go on with the one handed in before, and wait as long as asked for."""
    number = params["request_id"] or notes.number()
    if number:
        answer = client.retrieve(number)
    else:
        answer = client.submit(csr["pem"], params["template"], params["attributes"])
        if answer.request_id is not None and answer.state != "denied":
            notes.keep(answer.request_id)
    deadline = time.monotonic() + params["wait"]
    while answer.state == "pending" and answer.request_id and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL, left))
        answer = client.retrieve(answer.request_id)
    return answer


def _not_issued(client: Certsrv, csr: dict[str, Any], answer: Answer, notes: _Pending) -> Failure:
    facts: dict[str, Any] = {"status": answer.state, "request_id": answer.request_id, "disposition": answer.words}
    if answer.state == "pending":
        place = f"the number is kept in {notes.file}" if notes.file else f"give request_id: {answer.request_id} then"
        return Failure(
            f"The request {answer.request_id} of {csr['subject']} waits at the CA at {client.url} for a person "
            f"({answer.words}). Have it issued there and run this again; {place}. wait: SECONDS waits for it.",
            **facts,
        )
    notes.forget()
    return Failure(
        f"The CA at {client.url} did not issue a certificate for {csr['subject']} (request "
        f"{answer.request_id or 'without a number'}, account {client.account}). It says: "
        f"{answer.words.rstrip('.')}. Look at the request there, then run again.",
        **facts,
    )


def _stand_in(csr: dict[str, Any], reason: str | None, warnings: list[str], there: datetime) -> Outcome:
    """A prediction for check mode: signed by a throw-away CA, so that the steps after this one can be tried too."""
    now, wish = signer.real_now(), signer.CaWish(key_type="EC", key_size=256, days=2)
    key = signer.new_key(wish)
    ca = signer.SigningCa.load(signer.new_certificate(key, wish, now), key, None, "memory")
    pem = ca.sign(read_request(csr["pem"]), Policy(days=2, skew=timedelta(hours=1)), now, there)
    outcome = _outcome(pem, list(ca.chain), None, warnings, there, changed=True, reason=reason)
    outcome.result["predicted"] = True
    return outcome


def _outcome(
    pem: str,
    chain: list[str],
    number: int | None,
    warnings: list[str],
    there: datetime,
    *,
    changed: bool,
    reason: str | None = None,
) -> Outcome:
    view = certificate_view(pem, now=there)
    after = {name: view[name] for name in ("subject", "issuer", "serial", "not_before", "not_after", "sans", "eku")}
    return Outcome(
        changed=changed,
        before={},
        after=after if changed else {},
        warnings=warnings,
        result={
            "status": "issued",
            "certificate": pem,
            "chain": chain,
            "root": chain[-1],
            "reissued_because": reason,
            "view": view,
            "ca": certificate_view(chain[0], now=there),
            "ca_created": False,
            "request_id": number,
            "predicted": False,
        },
    )
