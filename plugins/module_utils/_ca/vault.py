# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider vault: the PKI secrets engine of HashiCorp Vault or OpenBao; private to siptls.cucm.

sign-verbatim keeps subject and names of the request and takes the usages from the call. With a role that decides
(vault_sign: role), the role must allow both uses, data encipherment and the names.
Source: Vault's HTTP API documentation, "PKI secrets engine": "Sign certificate", "Sign verbatim", "Read role", "Read CA
certificate chain", "Read issuer certificate"; and "/sys/capabilities-self".
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Issued, Job, Provider, stand_in
from ansible_collections.siptls.cucm.plugins.module_utils._ca.web import Page, WebSession
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import lowest_first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import printable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_certificates

SPEC = ArgSpec(
    options={
        "vault_url": {"type": "str", "fallback": (env_fallback, ["VAULT_ADDR"])},
        "vault_token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["VAULT_TOKEN"])},
        "vault_mount": {"type": "str", "default": "pki"},
        "vault_sign": {"type": "str", "choices": ["verbatim", "role"], "default": "verbatim"},
        "vault_role": {"type": "str"},
        "vault_namespace": {"type": "str"},
        "vault_validate_certs": {"type": "bool", "default": True},
        "vault_ca_path": {"type": "path"},
        "vault_timeout": {"type": "int", "default": 30},
    },
)
_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\Z")
_TOKEN = re.compile(r"\A[!-~]+\Z")
_LONGEST = 500  # characters of what Vault says


@contextlib.contextmanager
def _open(job: Job) -> Iterator[VaultSigner]:
    options = job.options
    if options["sign"] == "role" and not options["role"]:
        raise Failure("vault_sign is role, and vault_role is not set. Name the role of the PKI secrets engine.")
    for name in ("mount", "role", "namespace"):
        if options[name] and not _PATH.match(options[name].strip("/")):
            raise Failure(f"vault_{name} {options[name]!r} is not a path in Vault. Correct it.")
    if not _TOKEN.match(options["token"]):
        raise Failure("vault_token contains a blank or another character that no token has. Set it again.")
    web = WebSession(options, "vault", "Vault", example="https://HOST:8200")
    yield VaultSigner(job, web, warnings=web.warnings())


@dataclass
class VaultSigner:
    """One request to Vault."""

    job: Job
    web: WebSession
    authorities: tuple[Certificate, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def outdated(self, certificate: Certificate) -> str | None:
        """Nothing: only Vault knows what it would sign now."""
        return None

    def sign(self) -> Issued:
        """Have Vault sign. With dry it only reads, because each signature of Vault issues a certificate."""
        if self.job.dry:
            self._check_token()
            return stand_in(self.job, self._signing())
        page, data = self._ask("POST", self._endpoint, json=self._body())
        if page.status != 200 or not isinstance(data.get("data"), dict):
            raise self._refused(page, data, f"sign the CSR of {self.job.request.title}")
        return self._issued(page, data["data"])

    def _ask(self, method: str, path: str, **more: Any) -> tuple[Page, dict[str, Any]]:
        """A response, and the JSON object in it."""
        headers = {"X-Vault-Token": self.job.options["token"], "X-Vault-Request": "true"}
        if self.job.options["namespace"]:
            headers["X-Vault-Namespace"] = self.job.options["namespace"]
        page = self.web.ask(method, f"/v1/{path}", headers=headers, **more)
        return page, _answer(page)

    def _check_token(self) -> None:
        """Failure if Vault says that the token is invalid or may not sign. A token may lack the right to ask."""
        page, answer = self._ask("POST", "sys/capabilities-self", json={"paths": [self._endpoint]})
        found = (answer.get("data") or {}).get(self._endpoint) if page.status == 200 else None
        if found and not {"create", "update", "root"} & set(found):
            raise Failure(
                f"Vault at {self.web.url} does not allow vault_token to sign: its policies grant {', '.join(found)} on "
                f"{self._endpoint}. Nothing was signed. Add update on this path to a policy of the token.",
                status="denied",
            )
        if page.status == 403 and "invalid token" in str(answer.get("errors")):
            raise self._refused(page, answer, "accept vault_token")

    def _signing(self) -> tuple[Certificate, ...]:
        """The CA that signs and those above it; empty where Vault does not show which issuer that is."""
        issuer = self._issuer()
        if issuer is None:
            return ()
        # Vault before 1.11 has one issuer for each mount, and no endpoint with `issuer`.
        default = issuer == "default"
        page, answer = self._ask("GET", f"{self._mount}/{'ca_chain' if default else f'issuer/{issuer}/json'}")
        if page.status in (404, 503):
            raise self._refused(page, answer, "return the certificate of its CA")
        data = answer.get("data") or {}
        listed = [data.get("certificate") or "", *(data.get("ca_chain") or ())]
        shown = page.text if default else "\n".join(map(str, listed))
        if page.status != 200 or "-----BEGIN CERTIFICATE-----" not in shown:
            return ()
        return lowest_first(read_certificates(shown, f"The response of {page.where}"))

    def _issuer(self) -> str | None:
        """The issuer that signs; None where the token may not read the role, which may name one."""
        role = (self.job.options["role"] or "").strip("/")
        if not role:
            return "default"
        page, answer = self._ask("GET", f"{self._mount}/roles/{role}")
        if page.status == 404:
            raise self._refused(page, answer, "return the role")
        if page.status != 200:
            return None
        named = str((answer.get("data") or {}).get("issuer_ref") or "default")
        return named if _PATH.match(named) and "/" not in named else None

    @property
    def _mount(self) -> str:
        return str(self.job.options["mount"]).strip("/")

    @property
    def _endpoint(self) -> str:
        options = self.job.options
        sign = "sign" if options["sign"] == "role" else "sign-verbatim"
        return "/".join(filter(None, (self._mount, sign, (options["role"] or "").strip("/"))))

    def _body(self) -> dict[str, Any]:
        request, policy = self.job.request, self.job.policy
        common = {"csr": request.pem, "format": "pem", "ttl": f"{policy.days * 24}h"}
        if self.job.options["sign"] == "role":
            sans = request.extensions.sans
            return common | {
                "common_name": request.common_name, "exclude_cn_from_sans": True,
                "alt_names": ",".join(name.value for name in sans if name.kind == "DNS"),
                "ip_sans": ",".join(name.value for name in sans if name.kind == "IP"),
            }  # fmt: skip
        # Vault takes the names of usages in any case.
        return common | {"key_usage": policy.key_usage(request), "ext_key_usage": ["ServerAuth", "ClientAuth"]}

    def _issued(self, page: Page, data: dict[str, Any]) -> Issued:
        above = data.get("ca_chain") or [data.get("issuing_ca") or ""]
        try:
            leaf = read_certificate(str(data.get("certificate") or ""), "Vault's certificate")
            chain = read_certificates("\n".join(map(str, above)), "Vault's chain")
        except Failure as failure:
            raise Failure(
                f"Vault at {page.where} sent no certificate with a chain: {failure.msg} Check vault_mount, and that "
                "the engine has its chain (pki/ca_chain)."
            ) from None
        return Issued(leaf, tuple(chain))

    def _refused(self, page: Page, data: dict[str, Any], what: str) -> Failure:
        errors = data.get("errors")
        said = "; ".join(map(str, errors)) if isinstance(errors, list) and errors else "no reason given"
        token = self.job.options["token"]
        said = " ".join(printable(said.replace(token, "********")).split())[:_LONGEST]
        hint = {
            403: "Check vault_token: its policy must allow update on this path.",
            404: "Check vault_mount and vault_role.",
            503: "Vault is sealed or starting: unseal it, then run again.",
        }.get(page.status, "Check vault_mount, vault_role and what the role allows.")
        return Failure(
            f"Vault at {page.where} did not {what} (HTTP {page.status}): {said.rstrip('.')}. {hint}",
            status="denied",
        )


def _answer(page: Page) -> dict[str, Any]:
    """The JSON object of a response; empty when it is not one."""
    try:
        found = json.loads(page.content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


PROVIDER = Provider("vault", SPEC, _open, needs=(("vault_url",), ("vault_token",)), libraries=("requests",))
