# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run of ansible-playbook on this controller is changing a cluster, so that a second one does not start.

The claim is a file beside the records of the cluster, and another one in a folder that all users of the machine share,
because two people may have folders of their own. A claim counts only as long as the process that it names is alive, so
that a run that was killed leaves nothing to clear away. Runs on other controllers are not seen.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

#: no name that a record has: the newest of those is restored
CLAIM = "running.claim"
_PROC = Path("/proc")
#: where all users of the machine may write; each has a file of its own per cluster there
_SHARED = Path("/tmp/siptls-cucm-claims")
_LARGEST = 4096  # bytes of a claim


@dataclass(frozen=True)
class Place:
    """A cluster as a claim names it: the folder of its records, its name, and the publisher's address and port."""

    folder: Path
    cluster: str
    host: str
    port: int

    @property
    def shared(self) -> Path:
        """This user's file in the shared folder."""
        try:
            found = sorted(
                str(address[4][0]) for address in socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
            )
        except OSError:
            found = []
        named = f"{(found or [self.host.lower()])[0]} {self.port}"
        return _SHARED / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.{os.getuid()}"


def claim(place: Place, now: str) -> None:
    """Claim a cluster for this run; Failure if another run that is still alive has it. now: the moment as text."""
    folder, cluster, own = place.folder, place.cluster, _this_run()
    if own is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _take(folder / CLAIM, cluster, own, now)
    except OSError as error:
        raise Failure(
            f"{cluster}: the file that keeps a second run away, {folder / CLAIM}, cannot be written "
            f"({error.strerror}). Nothing was changed. Set sip_tls_undo_backup_path to a folder of yours, or "
            "sip_tls_undo_backup to false."
        ) from None
    _take_shared(place, own, now)


def _take_shared(place: Place, own: dict[str, Any], now: str) -> None:
    """The same for all users of the machine, as far as it has a folder that they share."""
    path = place.shared
    with contextlib.suppress(OSError):
        if not _SHARED.exists():
            _SHARED.mkdir()
            _SHARED.chmod(0o1777)
        _take(path, place.cluster, own, now, 0o644)
    others = path.parent.glob(f"{path.stem}.*") if path.parent.is_dir() else ()
    try:
        for other in others:
            if other.name != path.name:
                _refuse_running(place.cluster, _others(other), own)
    except Failure:
        path.unlink(missing_ok=True)
        raise


def _others(path: Path) -> dict[str, Any]:
    """The claim of another user; nothing for one that names a process of somebody else."""
    try:
        stored = _read(path)
        is_owners = bool(stored) and (_PROC / str(int(stored["pid"]))).stat().st_uid == path.stat().st_uid
    except (OSError, TypeError, ValueError):
        return {}
    return stored if is_owners else {}


def _read(path: Path) -> dict[str, Any]:
    """A claim from a folder in which others may put anything: neither a link nor a pipe is followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        is_file = stat.S_ISREG(os.fstat(handle).st_mode)
        return _parsed(file.read(_LARGEST).decode("utf-8", "replace")) if is_file else {}


def _refuse_running(cluster: str, stored: dict[str, Any], own: dict[str, Any]) -> None:
    """Failure if a claim is that of another run, and that run is still alive."""
    if stored and {**stored, "since": None} != {**own, "since": None} and _is_alive(stored):
        raise Failure(
            f"{cluster}: another run is changing this cluster, process {int(stored['pid'])} of {stored['host']} since "
            f"{stored['since']}. Nothing was changed. Wait until it has ended, then run again. Runs on other "
            "controllers are not seen."
        )


def _take(path: Path, cluster: str, own: dict[str, Any], now: str, mode: int = 0o600) -> None:
    """Write a claim; Failure if another run that is still alive has it."""
    # Others can put links into a folder that they may write.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
        if os.fstat(handle).st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
        os.fchmod(handle, mode)
        fcntl.flock(file, fcntl.LOCK_EX)
        holder = _parsed(file.read(_LARGEST))
        _refuse_running(cluster, holder, own)
        file.seek(0)
        file.truncate()
        json.dump({**own, "since": holder["since"] if holder and holder["pid"] == own["pid"] else now}, file)


def release(place: Place) -> None:
    """Give a cluster free, if this run has it."""
    own = _this_run()
    for path in (place.folder / CLAIM, place.shared):
        try:
            holder = _read(path)
            if own is not None and holder and {**holder, "since": None} == {**own, "since": None}:
                path.unlink(missing_ok=True)
        except OSError:
            continue


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and {"pid", "started", "host", "since"} <= found.keys() else {}


def _this_run() -> dict[str, Any] | None:
    """The process of ansible-playbook that this one belongs to; None where the system does not show it."""
    pid, found = os.getppid(), 0
    # Between a module and Ansible's own processes there are shells.
    for _shell in range(4):
        if pid > 1 and not _is_playbook(pid):
            pid = _parent(pid)
    while pid > 1 and _is_playbook(pid):
        pid, found = _parent(pid), pid
    started = _started(found) if found else None
    return None if started is None else {"host": platform.node(), "pid": found, "started": started, "since": None}


def _is_playbook(pid: int) -> bool:
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:4]
    except OSError:
        return False
    return any(os.path.basename(word).startswith(b"ansible-playbook") for word in words) or words[1:3] == [
        b"-m", b"ansible",
    ]  # fmt: skip


def _stat(pid: int) -> list[str]:
    """The fields of a process after its name, which may contain blanks and brackets; none for one that has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def _started(pid: int) -> str | None:
    """When a process started, in ticks since the boot, with the boot: no two processes of a machine have the same."""
    fields = _stat(pid)
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return f"{boot} {fields[19]}" if len(fields) > 19 and fields[0] != "Z" else None


def _is_alive(holder: dict[str, Any]) -> bool:
    """Whether the run that a file names still runs; one on another machine cannot be seen, and counts as ended."""
    return (
        holder["host"] == platform.node()
        and isinstance(holder["pid"], int)
        and _started(holder["pid"]) == holder["started"]
    )
