# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests like CUCM's, made by the openssl program, and what openssl says of the answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

USAGE_9 = "digitalSignature,keyEncipherment,dataEncipherment,keyAgreement"
SUBJECT = "/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN="


def openssl(*arguments: str, feed: str | bytes | None = None) -> str:
    """Runs openssl and returns what it printed; an assertion with its complaint when it fails."""
    data = feed.encode() if isinstance(feed, str) else feed
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def make_csr(
    folder: Path, name: str = "CUCMA", *, digest: str = "sha256", key: str = "ec:prime256v1", sans: str = "",
    eku: str = "serverAuth,clientAuth", usage: str = USAGE_9, more: tuple[str, ...] = (), subject: str = SUBJECT,
    keep_key: bool = False,
) -> str:  # fmt: skip
    """A request as PEM; with keep_key by the key that the name had before."""
    keys = ["-key", str(folder / f"{name}.key")] if keep_key else ["-nodes", "-keyout", str(folder / f"{name}.key")]
    kind, _unused, bits = key.partition(":")
    if not keep_key:
        keys += ["-newkey", key] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{bits}"]
    extensions = [f"subjectAltName={sans}" if sans else "", f"extendedKeyUsage={eku}" if eku else ""]
    extensions += [f"keyUsage={usage}" if usage else "", *more]
    return openssl(
        "req", "-new", *keys, f"-{digest}", "-subj", f"{subject}{name}",
        *(part for extension in extensions if extension for part in ("-addext", extension)),
    )  # fmt: skip


def text(pem: str) -> str:
    """openssl x509 -text."""
    return openssl("x509", "-noout", "-text", feed=pem)


def verify(folder: Path, certificate: str, chain: list[str], *options: str, strict: bool = True) -> str:
    """openssl verify with the root trusted and the rest of the chain given, as server and as client.

    strict asks for every extension of RFC 5280, which CAs that are not ours may lack.
    """
    names = [folder / name for name in ("verify-leaf.pem", "verify-root.pem", "verify-rest.pem")]
    for name, content in zip(names, (certificate, chain[-1], "".join(chain[:-1])), strict=True):
        name.write_text(content)
    rest = ["-untrusted", str(names[2])] if chain[:-1] else []
    rest += ["-x509_strict"] if strict else []
    said = ""
    for purpose in ("sslserver", "sslclient"):
        said += openssl("verify", "-purpose", purpose, "-CAfile", str(names[1]), *rest, *options, str(names[0]))
    return said
