# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that phones trust, CTL and ITL: what a node's CLI shows of them, and the update of the CTL.

The layout of `show ctl` and the questions are those of Cisco documents 118893 and 200530; that the CTL has to be
updated between upload and restart is in 214231. Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import PLATFORM, ArgSpec, Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell, Answer
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import serial_of

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = PLATFORM + ArgSpec(
    options={
        "update": {"type": "str", "choices": ["never", "if_needed", "always"], "default": "never"},
        "serial_numbers": {"type": "list", "elements": "str", "default": []},
        "files": {"type": "list", "elements": "str", "choices": ["ctl", "itl"], "default": ["ctl"]},
    },
)
COMMAND = "utils ctl update CTLFile"
SLOW = 300.0  # seconds without output that an update may take
_YES = Answer(re.compile(r"\(\s*y\s*/\s*n\s*\)", re.I), "y")
_RECORD = re.compile(r"^[ \t]*(?:CTL|ITL) Record #:\s*(\d+)", re.M)
_TAG = re.compile(r"^[ \t]*\d+[ \t]+([A-Z]+)[ \t]+\d+[ \t]+(\S.*)$", re.M)


@dataclass(frozen=True)
class TrustFile:
    """What `show ctl` or `show itl` printed."""

    present: bool
    verified: bool
    signer: str
    records: tuple[dict[str, str], ...]

    @classmethod
    def read(cls, text: str) -> TrustFile:
        """Take the printed text apart."""
        parts = _RECORD.split(text)
        head = dict(_TAG.findall(parts[0]))
        records = [_record(body) for body in parts[2::2]]
        found = bool(records) and "not found" not in parts[0].lower()
        verified = re.search(r"file was verified successfully", text, re.I) is not None
        return cls(found, found and verified, _name(head.get("SIGNERNAME", "")), tuple(records))

    def lacks(self, serials: Iterable[str]) -> list[str]:
        """Those of the serial numbers that no record has."""
        have = {serial_of(record["serial_number"]) for record in self.records}
        return [serial for serial in dict.fromkeys(serials) if serial_of(serial) not in have]

    def view(self) -> dict[str, Any]:
        """For the result of a module."""
        return {
            "present": self.present, "verified": self.verified, "signer": self.signer, "records": list(self.records),
        }  # fmt: skip


def _record(body: str) -> dict[str, str]:
    found = dict(_TAG.findall(body))
    return {
        "function": found.get("FUNCTION", ""), "subject": _name(found.get("SUBJECTNAME", "")),
        "issuer": _name(found.get("ISSUERNAME", "")), "serial_number": found.get("SERIALNUMBER", "").strip(),
    }  # fmt: skip


def _name(text: str) -> str:
    return text.strip().replace(";", ",")


def service(task: Task) -> Outcome:
    """The service of cucm_ctl."""
    with AdminShell.from_params(task.params) as shell:
        outcome = _run(shell, task.params, task.check_mode)
        outcome.warnings += shell.warnings
        return outcome


def _run(shell: AdminShell, params: Mapping[str, Any], check_mode: bool) -> Outcome:
    serials = params["serial_numbers"]
    if params["update"] == "if_needed" and not serials:
        raise Failure("update: if_needed needs serial_numbers: the CTL is updated when it lacks one of them.")
    before = _read(shell, "ctl")
    missing = before.lacks(serials)
    needed = params["update"] == "always" or (params["update"] == "if_needed" and bool(missing))
    after = before
    if needed and not before.present:
        raise Failure(
            f"{shell.access.where} has no CTL file, so there is nothing to update: CUCM makes one when the cluster is "
            "set to mixed mode (`utils ctl set-cluster mixed-mode`), on the publisher."
        )
    if needed and not check_mode:
        after = _update(shell, serials)
        missing = after.lacks(serials)
    result: dict[str, Any] = {"ctl": after.view(), "missing": [] if needed and check_mode else missing}
    if "itl" in params["files"]:
        result["itl"] = _read(shell, "itl").view()
    return Outcome(changed=needed, before=before.view(), after=after.view(), result=result)


def _read(shell: AdminShell, kind: str) -> TrustFile:
    try:
        text = shell.run(f"show {kind}")
    except ShellLost:
        text = shell.run(f"show {kind}")
    if "executed command unsuccessfully" in text.lower() and not _RECORD.search(text):
        raise Failure(
            f"{shell.access.where} does not show its {kind.upper()} file: 'show {kind}' printed {readable(text, 200)}. "
            "The platform account needs at least level 1."
        )
    return TrustFile.read(text)


def _update(shell: AdminShell, serials: Iterable[str]) -> TrustFile:
    """Update the CTL and read it back: what the command prints does not prove what it did."""
    try:
        said = readable(shell.run(COMMAND, [_YES], idle=SLOW))
    except ShellLost as lost:
        said = lost.msg
    after = _read(shell, "ctl")
    missing = after.lacks(serials)
    if (
        missing
        or not after.present
        or re.search(r"unsuccessful|error|no valid command|only on the publisher", said, re.I)
    ):
        detail = f" It lacks the certificate with serial number {', '.join(missing)}." if missing else ""
        raise Failure(
            f"'{COMMAND}' on {shell.access.where} did not update the CTL file: CUCM printed {said[:300]}.{detail} "
            "The command runs on the publisher only, from release 10.0, with a platform account of level 1 or "
            "higher; a CTL that USB tokens signed is updated by the CTL client. Update it by hand, then run again. "
            "Do not restart Cisco CallManager before, or encrypted phones can't register.",
            missing=missing,
        )
    return after
