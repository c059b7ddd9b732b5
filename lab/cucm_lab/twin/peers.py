# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins of foreign peers: what each presents and trusts, from what a probe saw of the original.

Certificates are issued anew by stand-ins of the same CAs as those of the twins. A stand-in trusts only the CAs that the
original named; where it named none, any certificate, which is one of the things that are not copied.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..pki import material
from .certificates import Reissuer, StandIn

if TYPE_CHECKING:
    from ..scenario import Listener, PeerSpec
    from ..world import Lab

FOLDER = "peers"
_YEARS = timedelta(days=3650)


@dataclass(frozen=True)
class Presented:
    """One TLS port of a stand-in. `identity` is its certificate with those above it, PEM."""

    identity: str
    key: str
    #: the CAs that it trusts, PEM; None: any certificate is accepted
    trust: list[str] | None
    asks: bool
    #: TLS versions, "1.0" to "1.3"
    minimum: str
    maximum: str


def load(directory: Path, address: str, port: int) -> Presented | None:
    """What a port presents, as it was made at the first start; None where the record does not show it."""
    file = _file(directory, address, port)
    return Presented(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def _file(directory: Path, address: str, port: int) -> Path:
    return directory / FOLDER / f"{address}-{port}.json"


@dataclass
class PeerMaker:
    """Makes the stand-ins of one lab."""

    lab: Lab
    issuers: Reissuer

    def make(self) -> Iterator[StandIn]:
        """Write what each port presents, once in the life of the state; the CAs that peers trust or are signed by."""
        for spec in self.lab.scenario.peers:
            for listener in spec.listeners:
                if listener.seen.get("chain") and not _file(self.lab.directory, spec.address, listener.port).exists():
                    yield from self._port(spec, listener)

    def _port(self, spec: PeerSpec, listener: Listener) -> Iterator[StandIn]:
        seen = listener.seen
        known = self._certificates(listener.cluster)
        made = [self.issuers.issue(known, number) for number in seen["chain"]]
        named = seen.get("acceptable_cas") or []
        trusted = [authority for subject in named for authority in self._authorities(subject)]
        minimum, maximum = versions(seen)
        shown = Presented(
            identity="".join(material.pem_of(certificate) for certificate, _key in made),
            key=material.key_pem(made[0][1]),
            trust=[certificate.chain[0] for certificate in trusted] if named else None,
            asks=seen.get("client_certificate") is not False,
            minimum=minimum,
            maximum=maximum,
        )
        file = _file(self.lab.directory, spec.address, listener.port)
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(asdict(shown), indent=1) + "\n", encoding="utf-8")
        file.chmod(0o600)
        yield from trusted

    def _certificates(self, cluster: str) -> Mapping[int, Any]:
        found: Mapping[int, Any] = self.lab.cluster(cluster).spec.recorded["certificates"]
        return found

    def _authorities(self, subject: list[str]) -> list[StandIn]:
        """The stand-ins of a CA by its name: those of the records, otherwise a new one.

        The name is all that a peer says, and a self-signed certificate of CUCM shares it with those of other purposes.
        """
        found: dict[str, StandIn] = {}
        for spec in self.lab.scenario.clusters:
            certificates = spec.recorded.get("certificates") or {}
            for number, certificate in certificates.items():
                if certificate["subject"] == subject:
                    made = self.issuers.stand_in(certificates, number)
                    found[made.chain[0]] = made
        return list(found.values()) or [self._new(subject)]

    def _new(self, subject: list[str]) -> StandIn:
        now = datetime.now(UTC)
        record = {
            "subject": subject, "issuer": subject, "issued_by": 0, "serial": "01", "key": "RSA 2048",
            "signature": "sha256WithRSAEncryption", "ca": True, "path_length": None, "key_usage": ["keyCertSign"],
            "eku": None, "sans": [], "not_before": now.isoformat(), "not_after": (now + _YEARS).isoformat(),
        }  # fmt: skip
        return self.issuers.stand_in({0: record}, 0)

    def addresses(self) -> list[dict[str, Any]]:
        """For a rehearsal: which stand-in takes the place of which peer, with the CAs (PEM) to expect of it."""
        return [
            {"peer": spec.name, "port": listener.port, "address": spec.address, "chain": self._expected(listener)}
            for spec in self.lab.scenario.peers
            for listener in spec.listeners
        ]

    def _expected(self, listener: Listener) -> list[str]:
        known, numbers = self._certificates(listener.cluster), listener.seen.get("expected_chain") or []
        return [material.pem_of(self.issuers.issue(known, number)[0]) for number in numbers]


def versions(seen: Mapping[str, Any]) -> tuple[str, str]:
    """(oldest, newest) TLS version of a stand-in: the probe shows the newest below 1.3, and whether 1.0 is served."""
    newest = str(seen.get("tls_version") or "TLSv1.2").removeprefix("TLSv")
    newest = newest if "." in newest else f"{newest}.0"
    oldest = "1.0" if seen.get("old_peers") or newest in ("1.0", "1.1") else newest
    return oldest, newest


def not_copied(peers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What is not known of the peers of a record, or what stands in for them, in sentences."""
    for peer in peers:
        where = f"peer {peer['address']} port {peer['port']}"
        if peer["transport"] != "TLS":
            yield f"{where}: its stand-in answers every call over TCP"
        elif not peer["chain"]:
            yield f"{where}: it was not seen, so it has no stand-in, and trunks to it lead nowhere"
        elif not peer["acceptable_cas"] and peer["client_certificate"] is not False:
            yield f"{where}: it did not say which CAs it trusts, so its stand-in accepts any certificate"
        else:
            yield f"{where}: its stand-in answers every call; ciphers and names that it checks are not known"
