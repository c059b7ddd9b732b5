# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port that shows whether a service is back, and the certificate that it presents there.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK


@dataclass(frozen=True)
class Serving:
    """The port that shows whether a service is back, and the certificate that it should present for each purpose."""

    host: str
    port: int
    #: purpose, such as CallManager-ECDSA: SHA-256 of the certificate that it should present; None: any
    wanted: Mapping[str, str | None]
    legacy: bool
    timeout: int

    def presented(self) -> dict[str, str | None]:
        """By purpose the SHA-256 of the certificate that the port presents now; None while it presents none.

        A purpose whose certificate can't be asked for is left out: over TLS 1.3 a port may show only the other one.
        """
        from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import Asked
        from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.probe import (
            Target,
            served_certificate,
        )
        from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

        target = Target(self.host, self.port, self.legacy, min(self.timeout, 10))
        shown: dict[str, str | None] = {}
        for purpose in self.wanted:
            try:
                shown[purpose] = read_certificate(served_certificate(target, Asked.of_purpose(purpose))[0]).sha256
            except Failure as failure:
                if failure.facts.get("state") != "other_identity":
                    shown[purpose] = None
        return shown

    def satisfied(self, presented: Mapping[str, str | None]) -> bool:
        """True when the port presents for each purpose, as far as that can be seen, what it should."""
        return all(shown is not None and self.wanted[purpose] in (None, shown) for purpose, shown in presented.items())

    def differing(self, presented: Mapping[str, str | None]) -> list[str]:
        """The purposes for which the port presents another certificate than it should, or none."""
        return [purpose for purpose, shown in presented.items() if not self.satisfied({purpose: shown})]

    @property
    def expected(self) -> dict[str, str]:
        """By purpose the SHA-256 of the certificate that the port will present, as far as the options give it."""
        return {purpose: sha256 for purpose, sha256 in self.wanted.items() if sha256}

    def unsatisfied(self, presented: Mapping[str, str | None], old: Mapping[str, str | None]) -> str:
        """What the port presents instead of what it should, and what to do; old: what it presented before."""
        purpose = self.differing(presented)[0]
        now, place = presented[purpose], f"port {self.port} of {self.host}"
        if now is None:
            return f"{place} presents no {purpose} certificate. Is there a trunk with a TLS profile on that port?"
        hint = "which is not the one expected: does another server answer on that address?"
        if now == old.get(purpose):
            hint = "the one from before the restart: was the new one uploaded to this node?"
        return f"{place} presents the certificate {now} as {purpose}, {hint}"


def serving_of(params: Mapping[str, Any]) -> Serving | None:
    """What the options ask of a port; None if they ask nothing."""
    given = params["serving"]
    if given is None:
        return None
    if params["state"] == "stopped":
        raise Failure("serving cannot be asked of a service with state: stopped.")
    by_purpose = given["certificates"]
    if by_purpose and given["certificate"]:
        raise Failure("serving takes either certificate or certificates, which names the purposes.")
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import fingerprint_of

    wanted = by_purpose or {TRUNK.name: given["certificate"]}
    return Serving(
        given["address"] or params["host"],
        given["port"],
        {purpose: fingerprint_of(certificate, "serving.certificate") for purpose, certificate in wanted.items()},
        params["legacy_crypto"],
        params["timeout"],
    )
