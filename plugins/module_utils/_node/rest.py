# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's certificate store by the REST API of release 14 and later; what it does not offer goes to the CLI.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock, from_http
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import (
    HttpAnswer,
    HttpClient,
    OldCryptography,
    Unauthorized,
)
from ansible_collections.siptls.cucm.plugins.module_utils._net.screen import pem_blocks
from ansible_collections.siptls.cucm.plugins.module_utils._node.cli import CliStore
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import (
    REST_BASE,
    CsrOptions,
    Entry,
    refused,
    with_reused,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUST_SUFFIX, unit_of

_REQUESTS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "CERTIFICATE SIGN REQUEST")
THIS_SERVER = "this-server"
MULTI_SERVER = "multi-server"  # not documented; GET /options says what the node takes


@dataclass(frozen=True)
class Probe:
    """Whether a node has the REST interface; a warning where that could not be found out; the time that it showed."""

    yes: bool
    warning: str = ""
    clock: NodeClock | None = None


def speaks_rest(params: Mapping[str, Any]) -> Probe:
    """Ask without an account, so that no password is tried: 401 or an answer means yes, 404 means an older release."""
    client = HttpClient.from_params(params, account=None)
    try:
        answer = client.request("GET", f"{REST_BASE}/snapshot/server", what="Looking for the certificate REST API")
    except Unauthorized:
        return Probe(True, clock=_clock(client))
    except OldCryptography:
        return Probe(False)  # TLS of a release that has no REST interface
    except Failure as failure:
        return Probe(False, f"The CLI is used: {failure.msg}")
    finally:
        client.close()
    return Probe(answer.status in (200, 403), clock=_clock(client))


def _clock(client: HttpClient) -> NodeClock | None:
    """The node's clock by its last response."""
    return from_http(*client.dated) if client.dated is not None else None


@dataclass
class RestStore:
    """CertificateStore over HTTPS; one snapshot serves all reads until the next write."""

    client: HttpClient
    params: Mapping[str, Any] = field(repr=False)
    kind: str = "REST"
    can_choose: bool = True
    _snapshot: dict[str, Any] | None = field(default=None, repr=False)
    _cli: CliStore | None = field(default=None, repr=False)
    _clock: NodeClock | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> RestStore:
        """The store for a module's platform options."""
        return cls(HttpClient.from_params(params, account="platform"), params)

    @property
    def where(self) -> str:
        """Node, interface and account in words."""
        return f"{self.client.host} (REST on HTTPS port {self.client.endpoint.port}, {self.client.who})"

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        return self.client.warnings + (self._cli.warnings if self._cli else [])

    @property
    def clock(self) -> NodeClock:
        """The node's clock by the header Date of its answers."""
        if self._clock is None:
            self._rows("identities")
            self._clock = _clock(self.client) or NodeClock()
        return self._clock

    def identities(self) -> list[Entry]:
        """Every identity certificate of the node."""
        return with_reused(
            [
                Entry(str(row.get("service")), f"{row.get('service')}.pem", pem)
                for row in self._rows("identities")
                if (pem := _pem(row.get("certificate")))
            ]
        )

    def identity(self, purpose: str) -> Entry | None:
        """The identity certificate of a purpose."""
        return next((entry for entry in self.identities() if entry.purpose == purpose), None)

    def trust(self, purpose: str | None = None) -> list[Entry]:
        """The certificates of one trust store, or of all."""
        found = []
        for row in self._rows("trusts"):
            store = unit_of(str(row.get("service"))) + TRUST_SUFFIX
            if purpose in (None, store):
                found += [
                    Entry(store, str(shown.get("filename") or ""), _pem(shown.get("certificate")))
                    for shown in row.get("certificate_data") or []
                    if isinstance(shown, dict)
                ]
        return found

    def csr(self, purpose: str) -> str | None:
        """The pending CSR of a purpose as PEM."""
        row = next((row for row in self._rows("identities") if row.get("service") == purpose), {})
        return _pem(row.get("csr"), *_REQUESTS)

    def generate(self, options: CsrOptions) -> str:
        """Make a CSR with the options that were given; CUCM fills in the rest."""
        body: dict[str, Any] = {
            "service": options.purpose,
            "distribution": self._distribution(options),
            "commonName": options.common_name or self._common_name(options),
            "keyType": options.key_type,
            "keyLength": options.key_length,
            "hashAlgorithm": options.hash_algorithm,
            "altNames": [*(options.sans or ()), *([options.parent_domain] if options.parent_domain else [])],
        }
        body = {name: value for name, value in body.items() if value not in (None, [])}
        return self._post("csr", body, f"Generating a CSR for {options.purpose}")

    def _common_name(self, options: CsrOptions) -> str | None:
        """The name that the present certificate bears, this server's or with -ms the cluster's."""
        entry = self.identity(options.purpose)
        name = entry.facts.common_name if entry is not None and entry.facts is not None else None
        if name is None or options.distribution is None:
            return name
        host, dot, domain = name.partition(".")
        host = re.sub(r"-ms$", "", host, flags=re.IGNORECASE)
        return f"{host}-ms{dot}{domain}" if options.distribution == "multi_server" else f"{host}{dot}{domain}"

    def _distribution(self, options: CsrOptions) -> str:
        """REST's word for the distribution; the node's own list of words takes precedence over our assumption."""
        if options.distribution != "multi_server":
            return THIS_SERVER
        answer = self._call("GET", "options", "Reading the options of the certificate REST API", None)
        words = _multi_words(answer.body.decode("utf-8", "replace"))
        return next((word for word in words if "server" in word.lower()), MULTI_SERVER)

    def import_trust(self, purpose: str, certificate: Certificate) -> str:
        """Put a certificate into a trust store."""
        body = {"service": [unit_of(purpose)], "certificates": [certificate.pem], "description": "Trust Certificate"}
        return self._post("trust/certificates", body, f"Uploading {certificate.subject.text} to {purpose}")

    def import_identity(self, purpose: str, certificate: Certificate, chain: list[Certificate]) -> str:
        """Put a signed certificate with its chain into its purpose."""
        body = {"service": purpose, "certificates": [certificate.pem, *(authority.pem for authority in chain)]}
        return self._post("identity/certificates", body, f"Uploading {certificate.subject.text} to {purpose}")

    def delete_trust(self, entry: Entry) -> str:
        """Remove a certificate from a trust store; REST's way is not documented, the CLI's is."""
        self._snapshot = None
        if self._cli is None:
            self._cli = CliStore.from_params(self.params)
        return self._cli.delete_trust(entry)

    def close(self) -> None:
        """End the sessions."""
        self.client.close()
        if self._cli is not None:
            self._cli.close()

    def _rows(self, part: str) -> list[dict[str, Any]]:
        if self._snapshot is None:
            answer = self._call("GET", "snapshot/server", "Reading the certificates", None)
            try:
                found = json.loads(answer.body)
            except (ValueError, RecursionError):
                found = None
            if answer.status != 200 or not isinstance(found, dict):
                raise Failure(
                    f"Reading the certificates of {self.where} failed: CUCM answered {answer.status} "
                    f"({_message(answer) or 'no text'}). "
                    + (
                        "The account may not read certificates; use one of level 1."
                        if answer.status == 403
                        else "Try interface: cli."
                    ),
                    status=answer.status,
                )
            self._snapshot = found
            self._clock = self._clock or _clock(self.client)
        rows = self._snapshot.get(part)
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _post(self, path: str, body: dict[str, Any], doing: str) -> str:
        """Write; the words of a success, or Failure with CUCM's; AnswerLost when only a fresh read can tell."""
        self._snapshot = None
        answer = self._call("POST", path, doing, body)
        words = _message(answer)
        if answer.status >= 400:
            raise refused(f"{doing} by REST (HTTP {answer.status})", self.where, words)
        return words

    def _call(self, method: str, path: str, doing: str, body: dict[str, Any] | None) -> HttpAnswer:
        return self.client.request(
            method, f"{REST_BASE}/{path}", json=body, headers={"Accept": "application/json"}, what=doing
        )


def _multi_words(text: str) -> list[str]:
    """The quoted words that name a multi-server distribution."""
    return [word for word in re.findall(r'"([^"]*)"', text) if "multi" in word.lower()]


def _message(answer: HttpAnswer) -> str:
    """CUCM's words in an answer: message, messages[0] or error; else the text itself."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return readable(answer.text())
    if isinstance(found, dict):
        many = found.get("messages")
        words = found.get("message") or (many[0] if isinstance(many, list) and many else None) or found.get("error")
        return readable(str(words)) if words else ""
    return ""


def _pem(value: Any, *labels: str) -> str | None:
    """The first PEM block of a text, or of the first text in a list."""
    if isinstance(value, list):
        value = value[0] if value else None
    blocks = pem_blocks(value, *(labels or ("CERTIFICATE",))) if isinstance(value, str) else []
    return blocks[0] if blocks else None
