# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""show ctl, show itl, utils ctl update CTLFile, utils ctl set-cluster.

The layout and the questions are those of Cisco's documents on tokenless CTL.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from ...inferred import register
from ...phones import Entry, TrustList
from ...phones.trustlists import SAST
from ..session import CommandError, Shell

QUESTION = "This operation {what}. Do you want to continue? (y/n):"
RESTART = "Please Restart the TFTP and Cisco CallManager services on all nodes in the cluster that run these services"

register(
    "shell.ctl_on_subscriber",
    "This command can be executed only on the publisher",
    "utils ctl on a node that is not the publisher (that it has to be the publisher is known)",
)
register("shell.ctl_not_mixed", "Cluster is not in mixed mode. CTL file is not updated", "utils ctl update, non-secure")
register("shell.itl_verified", "The ITL file was verified successfully.", "Last line of show itl")


async def show_ctl(shell: Shell, _unused: list[str]) -> None:
    """`show ctl`."""
    found = shell.node.cluster.telephones.files.ctl()
    if found is None:
        await shell.say(
            "Length of CTL file: 0\nCTL File not found. Please run CTLClient plugin or run the CLI - utils ctl.. "
            "to generate the CTL file.\nError parsing the CTL File."
        )
        return
    await _show(shell, "CTL", found)
    await shell.say("The CTL file was verified successfully.")


async def show_itl(shell: Shell, _unused: list[str]) -> None:
    """`show itl`."""
    await _show(shell, "ITL", shell.node.cluster.telephones.files.itl(shell.node))
    await shell.say(shell.inferred["shell.itl_verified"])


async def update(shell: Shell, parameters: list[str]) -> None:
    """`utils ctl update CTLFile`."""
    files = shell.node.cluster.telephones.files
    _on_the_publisher(shell)
    if parameters[0].lower() != "ctlfile":
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    if not await shell.yes(QUESTION.format(what="updates the CTLFile")):
        return
    if not files.mixed_mode:
        raise CommandError(shell.inferred["shell.ctl_not_mixed"])
    fault = shell.lab.faults.match("ssh", "ctl update", shell.node)
    await shell.say("Updating CTL file")
    if fault and fault.action == "fail":
        raise CommandError("Error updating CTL file")
    files.update_ctl()
    await shell.say(f"CTL file Updated\n{RESTART}")


async def set_cluster(shell: Shell, parameters: list[str]) -> None:
    """`utils ctl set-cluster mixed-mode|non-secure-mode`."""
    _on_the_publisher(shell)
    mode = parameters[0].lower()
    if mode not in ("mixed-mode", "non-secure-mode"):
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    title = "Mixed" if mode == "mixed-mode" else "Non Secure"
    if not await shell.yes(QUESTION.format(what=f"will set the cluster to {title.lower()} mode")):
        return
    shell.node.cluster.telephones.files.set_mixed_mode(mode == "mixed-mode")
    await shell.say(f"Moving Cluster to {title} Mode\nCluster set to {title} Mode\n{RESTART}")


def _on_the_publisher(shell: Shell) -> None:
    if not shell.node.cluster.release.has_tokenless_ctl:
        raise CommandError(*shell.inferred["shell.unknown_command"])
    if shell.node is not shell.node.cluster.publisher:
        raise CommandError(shell.inferred["shell.ctl_on_subscriber"])


async def _show(shell: Shell, title: str, shown: TrustList) -> None:
    body = shown.to_json().encode()
    made = datetime.fromtimestamp(shown.made, UTC)
    # MD5 and SHA-1 are what the command prints; they protect nothing here.
    md5, sha1 = (hashlib.new(name, body, usedforsecurity=False).hexdigest() for name in ("md5", "sha1"))
    await shell.say(f"The checksum value of the {title} file:\n{md5}(MD5)\n{sha1}(SHA1)\n")
    await shell.say(
        f"Length of {title} file: {len(body)}\nThe {title} File was last modified on {made:%a %b %d %H:%M:%S %Z %Y}\n"
    )
    await shell.say(f"Parse {title} File\n----------------\n\nVersion:        1.2\nHeaderLength:   304 (BYTES)\n")
    await shell.say("BYTEPOS TAG             LENGTH  VALUE\n------- ---             ------  -----")
    await shell.say(f"3       SIGNERID        2       110\n4       SIGNERNAME      {_field(shown.signer.subject)}")
    await shell.say(
        f"5       SERIALNUMBER    {_serial(shown.signer)}\n6       CANAME          {_field(shown.signer.issuer)}"
    )
    for number, entry in enumerate(shown.entries, 1):
        await _record(shell, title, number, entry, signed=entry == shown.signer)


async def _record(shell: Shell, title: str, number: int, entry: Entry, *, signed: bool) -> None:
    await shell.say(f"\n        {title} Record #:{number}\n                          ----")
    await shell.say("BYTEPOS TAG             LENGTH  VALUE\n------- ---             ------  -----")
    await shell.say(
        f"1       RECORDLENGTH    2       1156\n2       DNSNAME         {_field(entry.node)}\n"
        f"3       SUBJECTNAME     {_field(entry.subject)}\n4       FUNCTION        2       {entry.function}\n"
        f"5       ISSUERNAME      {_field(entry.issuer)}\n6       SERIALNUMBER    {_serial(entry)}\n"
        f"7       PUBLICKEY       140\n8       SIGNATURE       128\n10      IPADDRESS       4"
    )
    if entry.function == SAST:
        await shell.say(f"This etoken was {'' if signed else 'not '}used to sign the {title} file.")


def _field(text: str) -> str:
    return f"{len(text) + 1:<8}{text.replace(',', ';')}"


def _serial(entry: Entry) -> str:
    digits = entry.serial.upper()
    digits = digits.zfill(len(digits) + len(digits) % 2)
    return f"{len(digits) // 2:<8}{':'.join(digits[at : at + 2] for at in range(0, len(digits), 2))}"
