# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run sql, utils dbreplication runtimestate."""

from __future__ import annotations

from ...https.axl import sql
from ...https.axl.faults import AxlFault
from ..session import CommandError, Shell

#: names and addresses are padded to these widths
_NAME, _ADDRESS = 24, 17


async def run_sql(shell: Shell, parameters: list[str]) -> None:
    """`run sql <statement>`: a table with each column as wide as its widest value; a change prints its rows."""
    statement = " ".join(parameters)
    try:
        if sql.is_query(statement):
            names, rows = sql.query(shell.node.cluster, statement)
            await shell.say(_table(names, [["" if value is None else str(value) for value in row] for row in rows]))
        else:
            await shell.say(f"Rows: {sql.update(shell.node.cluster, statement)}")
    except AxlFault as fault:
        raise CommandError(fault.text) from None


def _table(names: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "No records found"
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [names, ["=" * width for width in widths], *rows]
    return "\n".join(" ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


async def replication_state(shell: Shell, _unused: list[str]) -> None:
    """`utils dbreplication runtimestate`: the emulated nodes share one database, so replication is always set up."""
    cluster, node = shell.node.cluster, shell.node
    version = cluster.release.version.replace(".", "_").replace("-", "_")
    now = node.clock.now()
    await shell.say(
        f"\nServer Time: {now:%a %b %e %H:%M:%S %Z %Y}\n\n"
        "Cluster Replication State: Replication status command has not been run\n\n"
        f"DB Version: ccm{version}\n\nRepltimeout set to: 300s\nPROCESS option set to: 1\n\n"
        f"Cluster Detailed View from {node.name} ({len(cluster.nodes)} Servers):\n"
    )
    margin = " " * (_NAME + 1 + _ADDRESS + 1)
    await shell.say(f"{margin}PING      DB/RPC/   REPL.    Replication    REPLICATION SETUP")
    for name, address, rest in (
        ("SERVER-NAME", "IP ADDRESS", "(msec)    DbMon?    QUEUE    Group ID       (RTMT) & Details"),
        ("-----------", "----------", "------    -------   -----    -----------    ------------------"),
    ):
        await shell.say(f"{name:<{_NAME}} {address:<{_ADDRESS}} {rest}")
    for number, member in enumerate(cluster.nodes, start=2):
        state = f"0.0{number}0     Y/Y/Y     0        {f'(g_{number})':<15}(2) Setup Completed"
        await shell.say(f"{member.name:<{_NAME}} {member.address:<{_ADDRESS}} {state}")
