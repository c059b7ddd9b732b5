# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run of ansible-playbook on this controller is changing a cluster, so that a second one does not start.

The claim is a file beside the records of the cluster. It counts only as long as the process that it names is alive, so
that a run that was killed leaves nothing to clear away. Runs on other controllers are not seen.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

#: no name that a record has: the newest of those is restored
CLAIM = "running.claim"
_PROC = Path("/proc")


def claim(folder: Path, cluster: str, now: str) -> None:
    """Claim a cluster for this run; Failure if another run that is still alive has it. now: the moment as text."""
    own = _this_run()
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


def _take(path: Path, cluster: str, own: dict[str, Any], now: str) -> None:
    with path.open("a+", encoding="utf-8") as file:
        os.chmod(file.fileno(), 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        holder = _parsed(file.read())
        if holder and {**holder, "since": None} != {**own, "since": None} and _is_alive(holder):
            raise Failure(
                f"{cluster}: another run is changing this cluster, process {holder['pid']} of {holder['host']} since "
                f"{holder['since']}. Nothing was changed. Wait until it has ended, then run again. Runs on other "
                "controllers are not seen."
            )
        file.seek(0)
        file.truncate()
        json.dump({**own, "since": holder["since"] if holder and holder["pid"] == own["pid"] else now}, file)


def release(folder: Path) -> None:
    """Give a cluster free, if this run has it."""
    own = _this_run()
    try:
        holder = _parsed((folder / CLAIM).read_text(encoding="utf-8"))
    except OSError:
        return
    if own is not None and holder and {**holder, "since": None} == {**own, "since": None}:
        (folder / CLAIM).unlink(missing_ok=True)


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
