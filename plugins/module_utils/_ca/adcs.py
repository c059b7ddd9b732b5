# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider adcs: Active Directory Certificate Services by web enrolment; private to siptls.cucm."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.siptls.cucm.plugins.module_utils._ca.certsrv import Answer, Certsrv
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Issued, Job, Provider, renamed, stand_in
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

POLL = 5.0  # seconds between two looks at a pending request

SPEC = ArgSpec(
    options={
        "adcs_url": renamed("url", type="str"),
        "adcs_username": renamed("username", type="str", fallback=(env_fallback, ["SIP_TLS_ADCS_USERNAME"])),
        "adcs_password": renamed(
            "password", type="str", no_log=True, fallback=(env_fallback, ["SIP_TLS_ADCS_PASSWORD"])
        ),
        "adcs_auth": renamed("auth", type="str", choices=["ntlm", "basic"], default="ntlm"),
        "adcs_template": renamed("template", type="str"),
        "adcs_attributes": renamed("attributes", type="dict"),
        "adcs_request_id": renamed("request_id", type="int"),
        "adcs_wait": renamed("wait", type="int", default=0),
        "adcs_validate_certs": renamed("validate_certs", type="bool", default=True),
        "adcs_ca_path": renamed("ca_path", type="path"),
        "adcs_legacy_crypto": renamed("legacy_crypto", type="bool", default=False),
        "adcs_timeout": renamed("timeout", type="int", default=30),
    },
)


@contextlib.contextmanager
def _open(job: Job) -> Iterator[AdcsSigner]:
    """Failure where attributes would have the CA add names."""
    if any(str(attribute).strip().lower() == "san" for attribute in job.options["attributes"] or ()):
        raise Failure(
            "adcs_attributes contains SAN, which adds alternative names at the CA. CUCM accepts exactly the names of "
            "its request: set them with cucm_csr."
        )
    yield AdcsSigner(job, Certsrv(job.options))


@dataclass
class AdcsSigner:
    """One request at the CA's web enrolment."""

    job: Job
    client: Certsrv
    authorities: tuple[Certificate, ...] = ()
    facts: dict[str, Any] = field(default_factory=lambda: {"request_id": None})

    @property
    def warnings(self) -> list[str]:
        """What the options leave unprotected."""
        return self.client.warnings

    def outdated(self, certificate: Certificate) -> str | None:
        """Nothing: only the CA knows what it would sign now."""
        return None

    def sign(self) -> Issued:
        """Submit the request, or continue with a pending one. With dry it only logs in and reads the CA."""
        job, client = self.job, self.client
        client.login()
        if job.dry:
            return stand_in(job, client.signing())
        notes = _Pending(job, client.url)
        answer = self._answer(notes)
        if answer.state == "issued" and answer.pem is None and answer.request_id is not None:
            answer = client.retrieve(answer.request_id)
        if answer.state != "issued" or answer.pem is None:
            raise self._not_issued(answer, notes)
        notes.forget()
        self.facts["request_id"] = answer.request_id
        return Issued(read_certificate(answer.pem), tuple(map(read_certificate, client.authorities())))

    def _answer(self, notes: _Pending) -> Answer:
        """Submit the request, or continue with the one submitted before, and wait as long as asked for."""
        client, options = self.client, self.job.options
        number = options["request_id"] or notes.number()
        if number:
            answer = client.retrieve(number)
        else:
            answer = client.submit(self.job.request.pem, options["template"], options["attributes"])
            if answer.request_id is not None and answer.state != "denied":
                notes.keep(answer.request_id)
        deadline = time.monotonic() + options["wait"]
        while answer.state == "pending" and answer.request_id and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(POLL, left))
            answer = client.retrieve(answer.request_id)
        return answer

    def _not_issued(self, answer: Answer, notes: _Pending) -> Failure:
        client, title = self.client, self.job.request.subject.text
        facts: dict[str, Any] = {"status": answer.state, "request_id": answer.request_id, "disposition": answer.words}
        if answer.state == "pending":
            place = f"the number is kept in {notes.file}" if notes.file else f"set adcs_request_id: {answer.request_id}"
            return Failure(
                f"The request {answer.request_id} of {title} is pending at the CA at {client.url} ({answer.words}). "
                f"Have it issued there and run this again; {place}. adcs_wait: SECONDS waits for it.",
                **facts,
            )
        notes.forget()
        return Failure(
            f"The CA at {client.url} did not issue a certificate for {title} (request "
            f"{answer.request_id or 'without a number'}, account {client.account}). It says: "
            f"{answer.words.rstrip('.')}. Look at the request there, then run again.",
            **facts,
        )


class _Pending:
    """The note about a submitted request, from when its number is known until it is settled."""

    def __init__(self, job: Job, url: str) -> None:
        self._folder, self._request, self._url = job.folder, job.request, url
        name = job.request.key.sha256.replace(":", "").lower()[:24]
        self.file = job.folder.path / "pending" / f"{name}.json" if job.folder else None

    def number(self) -> int | None:
        """The number noted for this very request at this very CA."""
        data = self._folder.read(self.file) if self._folder and self.file else None
        try:
            note = json.loads(data) if data else {}
        except ValueError:
            return None
        number = note.get("request_id") if isinstance(note, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 1 << 63:
            return None
        return number if note.get("url") == self._url and note.get("csr") == self._request.pem else None

    def keep(self, number: int) -> None:
        """Note the number, so that a later run goes on with it."""
        if self._folder and self.file:
            note = {
                "request_id": number, "url": self._url, "subject": self._request.subject.text,
                "csr": self._request.pem,
            }  # fmt: skip
            self._folder.write(self.file, json.dumps(note, indent=1).encode() + b"\n", 0o644)

    def forget(self) -> None:
        """The request is settled."""
        if self.file:
            Path(self.file).unlink(missing_ok=True)


PROVIDER = Provider(
    "adcs", SPEC, _open, needs=(("adcs_url",), ("adcs_username",), ("adcs_password",)),
    libraries=("requests", "requests_ntlm"),
)  # fmt: skip
