# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin: shell against a real SSH server: trust, algorithms, passwords, prompts, pagers, hostile output."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import asyncssh
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import shell as shell_module
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import YES, AdminShell, Answer
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost

from tests.support.scripted_ssh import OLD, WELCOME

Node = Callable[..., Any]
VERSION = "Active Master Version: 11.5.1.12900-21\nActive Version Installed Software Options:\n"


def run(options: dict[str, Any], command: str, *args: Any, **more: Any) -> str:
    with AdminShell.from_params(options) as shell:
        return shell.run(command, *args, **more)


def test_a_command_gives_its_output_alone(node: Node) -> None:
    script, options = node(commands={"show version active": VERSION})
    assert run(options, "show version active") == VERSION.strip()
    assert script.typed == ["set cli pagination off", "show version active"]


@pytest.mark.parametrize(
    "odd",
    [
        {"waits_for_newline": True},
        {"prompt": "\x1b[K\x1b[1madmin:\x1b[0m"},
        {"prompt": "12 admin:"},
        {"welcome": WELCOME.replace("\r\n", "\r")},
        {"keyboard_only": True},
    ],
    ids=str,
)
def test_prompts_and_starts_of_many_kinds(node: Node, odd: dict[str, Any]) -> None:
    _script, options = node(commands={"show version active": VERSION}, **odd)
    assert run(options, "show version active") == VERSION.strip()


def test_a_terminal_without_echo(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "QUIET_LOOKS", 1)
    _script, options = node(commands={"show version active": VERSION}, echo=False)
    assert "11.5.1" in run(options, "show version active")


def test_an_echo_that_comes_key_by_key_before_a_long_output(node: Node) -> None:
    long = "\n".join(f"{number:60}" for number in range(50)) + "\n"
    _script, options = node(commands={"show version active": long}, hesitates=12)
    with AdminShell.from_params(options) as shell:
        shell.open()
        began = time.monotonic()
        assert shell.run("show version active").split() == long.split()
        # Without the echo, the prompt would count only after many unsuccessful reads.
        assert time.monotonic() - began < shell_module.QUIET_LOOKS_AFTER_ECHO * shell_module.LOOK / 2


def test_old_algorithms_need_a_word(node: Node) -> None:
    _script, options = node(commands={"show version active": VERSION}, algorithms=OLD)
    with pytest.raises(
        Failure, match=r"exchange-sha1, diffie-hellman-group14-sha1; MAC: hmac-sha1\. .*legacy_crypto: true"
    ):
        run(options, "show version active")
    with AdminShell.from_params({**options, "legacy_crypto": True}) as shell:
        assert "11.5.1" in shell.run("show version active")
        assert re.search("legacy_crypto let through key exchange diffie-.*sha1, MAC hmac-sha1", shell.warnings[0])


def test_legacy_crypto_warns_only_of_what_it_let_through(node: Node) -> None:
    _script, options = node(commands={"show version active": VERSION})
    with AdminShell.from_params({**options, "legacy_crypto": True}) as shell:
        shell.run("show version active")
        assert shell.warnings == []


@pytest.mark.parametrize("keyboard_only", [False, True])
def test_a_wrong_password_is_tried_once(node: Node, keyboard_only: bool) -> None:
    script, options = node(keyboard_only=keyboard_only)
    with pytest.raises(Failure, match="tried once only") as caught:
        run({**options, "os_password": "wrong-canary"}, "show version active")
    assert script.passwords == ["wrong-canary"]
    assert "canary" not in str(caught.value)


def test_host_keys(node: Node, host_key: Any, tmp_path: Any) -> None:
    _script, options = node(commands={"show version active": VERSION})
    other = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    where = f"[127.0.0.1]:{options['ssh_port']}"
    changed = tmp_path / "changed"
    changed.write_text(f"{where} {other.export_public_key().decode().strip()}\n")
    nothing = {**options, "ssh_known_hosts": str(tmp_path / "none")}
    refused = {
        "not in": nothing,
        "is NOT the one in": {**options, "ssh_known_hosts": str(changed)},
        "ssh_host_key pins": {**options, "ssh_host_key": other.get_fingerprint()},
        "neither": {**options, "ssh_host_key": "what is this"},
    }
    for words, trust in refused.items():
        with pytest.raises(Failure, match=words):
            run(trust, "show version active")
    for trust in (
        {"ssh_host_key": host_key.get_fingerprint()},
        {"ssh_host_key": host_key.export_public_key().decode()},
        {"validate_host_key": False},
    ):
        assert "11.5" in run({**nothing, **trust}, "show version active")


def test_both_pagers_are_leafed_through(node: Node) -> None:
    lines = [f"line {number}" for number in range(40)]

    async def first(terminal: Any) -> str:
        for at in range(0, 40, 10):
            terminal.write("\r\n".join(lines[at : at + 10]) + "\r\n")
            if at < 30:
                terminal.write("\x1b[1mPress <enter> for 1 line, <space> for one page, or <q> to quit\x1b[0m")
                assert await terminal.key() == " "
                terminal.write("\r\x1b[K")
        return ""

    async def second(terminal: Any) -> str:
        for at in range(0, 40, 20):
            terminal.write("\r\n".join(lines[at : at + 20]) + "\r\n")
            about = f"(lines {at + 1} - {at + 20} of 40)"
            terminal.write(f"\x1b[1m\r\noptions: q=quit, n=next, p=prev, b=begin, e=end {about} : \x1b[0m")
            assert await terminal.key() == ("n" if at < 20 else "q")
        return "\n"

    _script, options = node(commands={"show a": first, "show b": second})
    with AdminShell.from_params(options) as shell:
        for command in ("show a", "show b"):
            assert [line for line in shell.run(command).split("\n") if line.strip()] == lines


def test_questions_are_answered_or_declined(node: Node) -> None:
    replies: list[str] = []

    async def ask(terminal: Any) -> str:
        terminal.write("WARNING: This will overwrite\r\nProceed with regeneration (yes|no)? ")
        replies.append(await terminal.line())
        return "done\n"

    _script, options = node(commands={"set it": ask})
    assert "done" in run(options, "set it", [YES])
    with pytest.raises(Failure, match=r"the answer was no.*nothing was done"):
        run(options, "set it", [Answer(re.compile("Paste"), "x")])
    assert replies == ["yes", "no"]


def test_hostile_output_is_bounded_and_disarmed(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "LARGEST_OUTPUT", 200_000)

    async def endless(terminal: Any) -> str:
        while True:
            terminal.write("x" * 10_000)
            await terminal.process.stdout.drain()
            await asyncio.sleep(0)

    nasty = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x00\x08 end\n"
    _script, options = node(commands={"endless": endless, "nasty": nasty})
    assert run(options, "nasty") == "red end"
    with pytest.raises(Failure, match="more than 16 MiB"):
        run(options, "endless")


def test_silence_and_hang_up_are_told_apart_from_an_end(node: Node) -> None:
    async def silent(_terminal: Any) -> str:
        await asyncio.sleep(30)
        return ""

    async def gone(terminal: Any) -> str:
        terminal.process.channel.get_connection().abort()
        return ""

    _script, options = node(commands={"silent": silent, "gone": gone, "show version active": VERSION})
    with pytest.raises(ShellLost, match="no prompt for 1 s"):
        run(options, "silent", idle=1)
    with AdminShell.from_params(options) as shell:
        with pytest.raises(ShellLost, match="closed the connection during 'gone'"):
            shell.run("gone")
        assert "11.5.1" in shell.run("show version active")


def test_ctrl_c_ends_what_runs_on(node: Node) -> None:
    async def capture(terminal: Any) -> str:
        terminal.write("Executing command with options:\r\n")
        while await terminal.key() != "\x03":
            pass
        return "Control-C pressed\n"

    _script, options = node(commands={"utils network capture": capture})
    assert "Control-C" in run(options, "utils network capture", interrupt_after=0.5)


def test_a_command_is_one_line(node: Node) -> None:
    _script, options = node()
    with pytest.raises(Failure, match="control characters"):
        run(options, "show cert own x\nset cert regen CallManager")
