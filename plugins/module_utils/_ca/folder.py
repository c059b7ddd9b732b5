# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a local CA: its key, its certificate, what it issued, a lock; private to siptls.cucm.

    ca.pem     the CA's certificate; chain.pem (optional) those above it, when it is an intermediate
    ca.key     its key, PKCS#8, mode 0600
    pending/   one file per request that is pending at another CA (adcs)
    issued/    one file per certificate, <common name>_<start of the key's SHA-256>_<serial>.pem: its name is its index

The names are the index, so that it cannot contradict the certificates, whenever a run is stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates

LOCK_WAIT = 120.0  # seconds; a signature takes well under one


class CaFolder:
    """The files of a local CA below a path. Every write is atomic."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.certificate, self.chain, self.key = (self.path / name for name in ("ca.pem", "chain.pem", "ca.key"))
        self.issued = self.path / "issued"
        #: files among the issued certificates that are not certificates, with the reason
        self.strays: dict[str, str] = {}

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder for this process; a missing folder is made, readable by its owner only."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self.failed("opened", error) from None
        try:
            self._acquire(handle)
            yield
        finally:
            os.close(handle)

    def _acquire(self, handle: int) -> None:
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Failure(
                        f"The CA folder {self.path} has been locked by another process for {LOCK_WAIT:.0f} s. "
                        "Find out which process it is, then run this again."
                    ) from None
                time.sleep(0.05)
            except OSError as error:
                raise self.failed("locked", error) from None

    def read(self, file: Path) -> bytes | None:
        """The content of a file, None when there is no such file."""
        try:
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.failed("read", error, file) from None

    def write(self, file: Path, data: bytes, mode: int) -> None:
        """Write a file atomically: under another name beside it, synced to disk, then renamed."""
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as new:
                    os.fchmod(new.fileno(), mode)
                    new.write(data)
                    new.flush()
                    os.fsync(new.fileno())
                os.replace(name, file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
        except OSError as error:
            raise self.failed("written", error, file) from None

    def weak_places(self) -> Iterator[str]:
        """Warnings where others than the owner could read the CA's key or replace it; none where there is no CA."""
        try:
            folder, key = (path.stat().st_mode & 0o777 for path in (self.path, self.key))
            plain = b"ENCRYPTED" not in self.key.read_bytes()
        except OSError:
            return
        if folder & 0o022:
            yield (
                f"The CA's folder {self.path} can be written by others (mode {folder:04o}): they could replace the CA. "
                "Run chmod 700 on it."
            )
        if key & 0o077:
            yield (
                f"The CA's key {self.key} is readable by others (mode {key:04o}). Run chmod 600 on it, or make a new "
                "CA."
            )
        if plain:
            yield (
                f"The CA's key {self.key} has no passphrase: whoever gets the file can sign. To encrypt it, run "
                "openssl pkcs8 -topk8 on it, and set sip_tls_ca_passphrase or SIP_TLS_CA_PASSPHRASE."
            )

    def keep(self, certificate: Certificate, chain: Iterable[Certificate] = ()) -> Path:
        """Keep an issued certificate, with its chain where that is not in ca.pem."""
        name = re.sub(r"[^A-Za-z0-9.-]", "-", certificate.common_name or "unnamed")[:64]
        file = self.issued / f"{name}_{_short(certificate.key.sha256)}_{certificate.serial_text}.pem"
        self.write(file, "".join(part.pem for part in (certificate, *chain)).encode(), 0o644)
        return file

    def kept(self, public_key_sha256: str | None = None) -> Iterator[list[Certificate]]:
        """What was issued for a public key, or all that was ever issued, the newest first, each with its chain.

        A file that is not a certificate is passed over; `strays` names it.
        """
        pattern = f"*_{_short(public_key_sha256)}_*.pem" if public_key_sha256 else "*.pem"
        for file in sorted(self.issued.glob(pattern), key=_age, reverse=True):
            try:
                yield read_certificates(file.read_bytes(), str(file))
            except (Failure, OSError) as error:
                said = error.msg if isinstance(error, Failure) else (error.strerror or "unreadable").lower()
                self.strays[str(file)] = said

    def stray_warnings(self) -> list[str]:
        """A sentence for each file that was passed over."""
        return [
            f"The file {file} among the issued certificates cannot be read and is passed over ({said.rstrip('.')}). "
            "Remove it."
            for file, said in self.strays.items()
        ]

    def failed(self, done: str, error: OSError, file: Path | None = None) -> Failure:
        """A failed file operation as a sentence."""
        return Failure(
            f"The CA's {f'file {file}' if file else f'folder {self.path}'} cannot be {done}: "
            f"{(error.strerror or type(error).__name__).lower()}."
        )


def _age(file: Path) -> int:
    """When a file was written; 0 of one that is gone."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _short(public_key_sha256: str) -> str:
    return public_key_sha256.replace(":", "").lower()[:24]
