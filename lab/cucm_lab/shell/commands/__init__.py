# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell's commands: one table, the longest match of words wins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..session import CommandError, Shell, words
from . import capture, certificates, database, files, services, system, trustlists

Run = Callable[[Shell, list[str]], Awaitable[None]]


@dataclass(frozen=True)
class Command:
    """A command: its words, its function, the number of its parameters, and the level it requires."""

    words: str
    run: Run
    parameters: tuple[int, int] = (0, 0)
    level: int = 0


COMMANDS = [
    Command("show cli pagination", system.show_pagination),
    Command("set cli pagination", system.set_pagination, (1, 1)),
    Command("set cli session timeout", system.set_session_timeout, (1, 1), level=1),
    Command("show version active", system.show_version),
    Command("show network cluster", system.show_network_cluster),
    Command("show network eth0", system.show_network_eth0, (0, 1)),
    Command("show status", system.show_status),
    Command("show hardware", system.show_hardware),
    Command("show myself", system.show_myself),
    Command("run sql", database.run_sql, (1, 999), level=1),
    Command("utils dbreplication runtimestate", database.replication_state),
    Command("utils ntp status", system.ntp_status),
    Command("show timezone config", system.show_timezone),
    Command("show tls min-version", system.show_tls_minimum),
    Command("set tls min-version", system.set_tls_minimum, (1, 1), level=1),
    Command("utils fips status", system.fips_status),
    Command("exit", system.leave),
    Command("quit", system.leave),
    Command("utils service list", services.list_all, (0, 2)),
    Command("utils service restart", services.restart, (1, 99), level=1),
    Command("utils service activate", services.activate, (1, 99), level=1),
    Command("utils service deactivate", services.deactivate, (1, 99), level=1),
    Command("utils service start", services.start, (1, 99), level=1),
    Command("utils service stop", services.stop, (1, 99), level=1),
    Command("set csr gen", certificates.generate_csr, (1, 1), level=1),
    Command("show csr own", certificates.show_csr, (1, 1), level=1),
    Command("show csr list", certificates.list_csrs, (0, 1), level=1),
    Command("set cert import own", certificates.import_own, (1, 2), level=1),
    Command("set cert import trust", certificates.import_trust, (1, 1), level=1),
    Command("set cert regen", certificates.regenerate, (1, 1), level=1),
    Command("set cert reuse", certificates.reuse, (2, 2), level=1),
    Command("set cert delete", certificates.delete, (2, 2), level=1),
    Command("show cert own", certificates.show_own, (1, 1), level=1),
    Command("show cert trust", certificates.show_trust, (1, 1), level=1),
    Command("show cert list", certificates.list_certificates, (0, 1), level=1),
    Command("set web-security", certificates.web_security, (4, 6), level=1),
    Command("show ctl", trustlists.show_ctl, level=1),
    Command("show itl", trustlists.show_itl, level=1),
    Command("utils ctl update", trustlists.update, (1, 1), level=1),
    Command("utils ctl set-cluster", trustlists.set_cluster, (1, 1), level=1),
    Command("utils network capture", capture.capture, (0, 20), level=1),
    Command("file list activelog", files.list_files, (1, 4)),
    Command("file view activelog", files.view, (1, 1)),
    Command("file get activelog", files.get, (1, 4)),
    Command("file delete activelog", files.delete, (1, 3), level=1),
]
_TABLE = {tuple(command.words.split()): command for command in COMMANDS}
_LONGEST = max(len(key) for key in _TABLE)


async def dispatch(shell: Shell, line: str) -> None:
    """Run a command line; CommandError with CUCM's words if it is refused."""
    typed = words(line)
    for length in range(min(len(typed), _LONGEST), 0, -1):
        command = _TABLE.get(tuple(word.lower() for word in typed[:length]))
        if command:
            break
    else:
        raise CommandError(*shell.inferred["shell.unknown_command"])
    parameters = typed[length:]
    if shell.account.level < command.level:
        raise CommandError(*shell.inferred["shell.level_refused"])
    least, most = command.parameters
    if not least <= len(parameters) <= most:
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    if command.run is database.run_sql:
        # SQL keeps its quotes.
        parameters = line.split(maxsplit=length)[length:]
    await command.run(shell, parameters)
