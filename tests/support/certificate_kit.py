# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a node's certificates share: modules as real processes, a CA made of openssl's own tools."""

from __future__ import annotations

import importlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

BOTH = "serverAuth,clientAuth"
AUTHORITY = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign"]
USAGES = "digitalSignature,keyEncipherment,dataEncipherment,keyAgreement"


def refusal(part: str, **options: Any) -> str:
    """The sentence with which a service of _platform refuses; in this process, because there are many of them."""
    module = importlib.import_module(f"ansible_collections.siptls.cucm.plugins.module_utils._node.{part}")
    params = {name: option.get("default") for name, option in module.SPEC.options.items()} | options
    try:
        outcome = module.service(SimpleNamespace(params=params, check_mode=False))
    except Failure as failure:
        return failure.msg
    raise AssertionError(f"not refused: {outcome}")


def openssl(*arguments: str, feed: str = "") -> str:
    """Run openssl, a judge that is not ours."""
    done = subprocess.run(["openssl", *arguments], input=feed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Authority:
    """A CA in a folder."""

    folder: Path
    name: str

    @property
    def key(self) -> Path:
        return self.folder / f"{self.name}.key"

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.pem"

    @property
    def pem(self) -> str:
        return self.path.read_text()

    @classmethod
    def make(cls, folder: Path, name: str, days: int = 3650, parent: Authority | None = None, **more: str) -> Authority:
        """A root, or a CA below a parent; more: subject, not_before/not_after (YYYYMMDDHHMMSSZ)."""
        made = cls(folder, name)
        subject = more.get("subject", f"/O=Test/CN={name}")
        request = ["-newkey", f"rsa:{more.get('bits', '2048')}", "-nodes", "-keyout", str(made.key), "-subj", subject]
        extensions = [
            "-addext",
            "basicConstraints=critical,CA:true",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]
        if parent is None and "not_after" not in more:
            openssl("req", "-x509", *request, *extensions, "-days", str(days), "-out", str(made.path))
        else:
            csr = openssl("req", "-new", *request)
            text = (parent or made).sign(
                csr, days=days, extensions=AUTHORITY,
                self_signed=parent is None, **{k: v for k, v in more.items() if k.startswith("not_")},
            )  # fmt: skip
            made.path.write_text(text)
        return made

    def renewed(self, not_before: str, not_after: str = "20400101000000Z") -> str:
        """Its certificate anew, with the same name and key."""
        csr = openssl("req", "-new", "-key", str(self.key), "-subj", f"/O=Test/CN={self.name}")
        return self.sign(csr, extensions=AUTHORITY, self_signed=True, not_before=not_before, not_after=not_after)

    def sign(
        self,
        csr: str,
        *,
        days: int = 200,
        eku: str = BOTH,
        usage: str = USAGES,
        sans: str | None = None,
        extensions: list[str] | None = None,
        self_signed: bool = False,
        not_before: str = "",
        not_after: str = "",
        subject: str = "",
    ) -> str:
        """Sign a request with `openssl ca`, which can set dates; names as the request has them unless given."""
        text = openssl("req", "-noout", "-text", feed=csr)
        if sans is None:
            lines = text.split("\n")
            at = next((n for n, line in enumerate(lines) if "Subject Alternative Name" in line), None)
            sans = lines[at + 1].strip().replace("IP Address:", "IP:") if at is not None else ""
        chosen = extensions or [
            "basicConstraints=CA:false",
            *([f"keyUsage={usage}"] if usage else []),
            *([f"extendedKeyUsage={eku}"] if eku else []),
            *([f"subjectAltName={sans}"] if sans else []),
        ]
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        (work / "index.txt").write_text("")
        (work / "serial").write_text(openssl("rand", "-hex", "15"))
        (work / "request.pem").write_text(csr)
        (work / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\n"
            f"database={work}/index.txt\nnew_certs_dir={work}\nserial={work}/serial\nunique_subject=no\n"
            f"default_md=sha256\npolicy=p\nprivate_key={self.key}\nx509_extensions=x\npreserve=yes\n"
            + ("" if self_signed else f"certificate={self.path}\n")
            + "[p]\n" + "".join(f"{field}=optional\n" for field in (
                "countryName", "stateOrProvinceName", "localityName", "organizationName", "organizationalUnitName",
                "commonName"))
            + "[x]\n" + "\n".join(chosen) + "\n"
        )  # fmt: skip
        dates = (
            ["-startdate", not_before or "20200101000000Z", "-enddate", not_after]
            if not_after
            else ["-days", str(days)]
        )
        return openssl(
            "ca", "-batch", "-notext", "-config", str(work / "ca.cnf"), "-in", str(work / "request.pem"), *dates,
            *(["-selfsign"] if self_signed else []), *(["-subj", subject] if subject else []),
        )  # fmt: skip
