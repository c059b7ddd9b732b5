# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pagination, version, network, status, the session itself."""

from __future__ import annotations

import ssl
from zoneinfo import ZoneInfo

from ...scenario import TLS_VERSIONS
from ...services import CALLMANAGER
from ...sip import offer
from .. import texts
from ..session import IDLE_SETTING, CommandError, Shell


async def show_pagination(shell: Shell, _unused: list[str]) -> None:
    """`show cli pagination`."""
    await shell.say(f"Automatic Pagination : {'On' if shell.terminal.pagination else 'Off'}.")


async def set_pagination(shell: Shell, parameters: list[str]) -> None:
    """`set cli pagination on|off|auto`, for this login."""
    wanted = parameters[0].lower()
    if wanted not in ("on", "off", "auto"):
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    shell.terminal.pagination = wanted != "off"
    await shell.say(f"Automatic pagination is turned {'off' if wanted == 'off' else 'on'}")


async def set_session_timeout(shell: Shell, parameters: list[str]) -> None:
    """`set cli session timeout <5-99999>` minutes, for new logins."""
    if not parameters[0].isdigit() or not 5 <= int(parameters[0]) <= 99999:
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    if shell.inferred["shell.session_timeout_asks"] and not await _key_yes(shell, texts.SESSION_TIMEOUT_QUESTION):
        return
    shell.node.cluster.db.set_setting(f"{IDLE_SETTING}/{shell.node.name}", parameters[0])
    await shell.say(f"The session timeout is set to {parameters[0]} minutes for new logins.")


async def _key_yes(shell: Shell, question: str) -> bool:
    """A question answered with one key; anything but y changes nothing."""
    shell.terminal.write(question)
    key = await shell.terminal.key()
    shell.terminal.write(f"{key if key.isprintable() else ''}\n")
    return key.lower() == "y"


async def show_version(shell: Shell, _unused: list[str]) -> None:
    """`show version active`."""
    await shell.say(f"Active Master Version: {shell.node.cluster.release.version}")
    await shell.say("Active Version Installed Software Options:\n  No Installed Software Options Found.")


async def show_network_cluster(shell: Shell, _unused: list[str]) -> None:
    """`show network cluster`: the other nodes with a start time, this one without."""
    since = shell.node.clock.now().strftime("%a %b %-d %H:%M:%S %Y")
    for node in sorted(shell.node.cluster.nodes, key=lambda n: n is not shell.node, reverse=True):
        line = f"{node.address} {node.fqdn} {node.name} {node.role} callmanager "
        line += "DBPub" if node.role == "Publisher" else "DBSub"
        line += " authenticated" if node is shell.node else f" authenticated using TCP since {since}"
        await shell.say(line)
    await shell.say("\nServer Table (processnode) Entries\n----------------------------------")
    await shell.say("\n".join(node.address for node in shell.node.cluster.nodes))


async def show_network_eth0(shell: Shell, _unused: list[str]) -> None:
    """`show network eth0`."""
    node = shell.node
    gateway = node.address.rsplit(".", 1)[0] + ".254"
    await shell.say(
        "Ethernet 0\n"
        "DHCP         : disabled           Status     : up\n"
        f"IP Address   : {node.address:<19}IP Mask    : 255.255.255.000\n"
        "Link Detected: yes                Mode       : Auto disabled, Full, 1000 Mbits/s\n"
        "Duplicate IP : no\n\n"
        "DNS\n"
        "Primary      :                    Secondary  :\n"
        "Options      : timeout:5 attempts:2\n"
        f"Domain       : {node.domain}\n"
        f"Gateway      : {gateway} on Ethernet 0"
    )


async def show_status(shell: Shell, _unused: list[str]) -> None:
    """`show status`: names, versions, uptime, load, memory and disks of the emulated machine."""
    node = shell.node
    zone = ZoneInfo(node.spec.timezone)
    now = node.clock.now().astimezone(zone)
    await shell.say(
        f"\nHost Name          : {node.name}\n"
        f"Date               : {now:%a %b %-d, %Y %H:%M:%S}\n"
        f"Time Zone          : {_zone_name(now.tzname())} ({node.spec.timezone})\n"
        "Locale             : en_US.UTF-8\n"
        f"Product Ver        : {node.cluster.release.version}\n"
        f"Unified OS Version : {node.cluster.release.os_version}\n"
    )
    up = int(node.cluster.lab.clock.time() - (node.services.get("System SSH").since or 0.0))
    days, hours, minutes = up // 86400, up // 3600 % 24, up // 60 % 60
    await shell.say(
        f"Uptime:\n {now:%H:%M:%S} up {days} days, {hours:2}:{minutes:02},  1 user,  load average: 0.20, 0.24, 0.27\n"
    )
    await shell.say(texts.MACHINE_LOAD)


async def show_hardware(shell: Shell, _unused: list[str]) -> None:
    """`show hardware`: the same emulated machine as in the shell's greeting."""
    await shell.say(texts.HARDWARE.format(os=shell.node.cluster.release.os_version))


async def show_myself(shell: Shell, _unused: list[str]) -> None:
    """`show myself`: the node and the account of this login."""
    await shell.say(
        f"\nMachine Name    : {shell.node.name}\n"
        f"account name    : {shell.account.username}\n"
        f"privilege level : {shell.account.level}\n"
        "command count   : disabled\n"
        "logging setting : disabled"
    )


async def show_timezone(shell: Shell, _unused: list[str]) -> None:
    """`show timezone config`."""
    await shell.say(f"Current timezone is set to : {shell.node.spec.timezone}")


async def ntp_status(shell: Shell, _unused: list[str]) -> None:
    """`utils ntp status`: the peers, and the time in UTC and in the node's zone."""
    node = shell.node
    now = node.clock.now()
    local = now.astimezone(ZoneInfo(node.spec.timezone))
    form = "%a %b %-d %H:%M:%S %Z %Y"
    await shell.say(
        "ntpd (pid 28435) is running...\n"
        "     remote           refid      st t when poll reach   delay   offset    jitter\n"
        "==============================================================================\n"
        "*203.0.113.5     .GPS.            1 u   44   64   377   11.724   -0.021    0.064\n\n\n"
        "synchronised to NTP server (203.0.113.5) at stratum 2\n"
        "   time correct to within 24 ms\n"
        "   polling server every 64 s\n\n"
        f"Current time in UTC is : {now:{form}}\n"
        f"Current time in {node.spec.timezone} is : {local:{form}}"
    )


async def show_tls_minimum(shell: Shell, _unused: list[str]) -> None:
    """`show tls min-version`, from 11.5(1)SU3 on."""
    _has_tls_minimum(shell)
    await shell.say(shell.inferred["shell.tls_minimum"].format(version=offer.minimum_version(shell.node)))


async def fips_status(shell: Shell, _unused: list[str]) -> None:
    """`utils fips status`."""
    await shell.say(shell.inferred["shell.fips_on" if shell.node.cluster.spec.fips else "shell.fips_off"])


async def set_tls_minimum(shell: Shell, parameters: list[str]) -> None:
    """`set tls min-version <1.0|1.1|1.2|1.3>`: the node restarts; from 15SU2 on it applies to the cluster."""
    _has_tls_minimum(shell)
    release = shell.node.cluster.release
    highest = 4 if release.sip.maximum is ssl.TLSVersion.TLSv1_3 else 3
    if parameters[0] not in TLS_VERSIONS[:highest]:
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    if release.tls_min_version_cluster_wide and shell.node is not shell.node.cluster.publisher:
        raise CommandError(shell.inferred["shell.tls_minimum_publisher_only"])
    await shell.say(shell.inferred["shell.tls_minimum_warning"].format(version=parameters[0]))
    if not await shell.yes("Do you want to continue (yes/no) ? "):
        return
    nodes = offer.set_minimum_version(shell.node, parameters[0])
    await shell.say(shell.inferred["shell.tls_minimum_set"].format(version=parameters[0]))
    for node in nodes:
        # Of the system's restart, only the part that SIP sees.
        node.services.begin("restart", CALLMANAGER)


def _has_tls_minimum(shell: Shell) -> None:
    if not shell.node.cluster.release.has_tls_min_version:
        raise CommandError(*shell.inferred["shell.unknown_command"])


async def leave(shell: Shell, _unused: list[str]) -> None:
    """`exit` and `quit`."""
    shell.leaving = True


def _zone_name(short: str | None) -> str:
    """A time zone's name in words, if the lab knows it."""
    return {"UTC": "Coordinated Universal Time", "CET": "Central European Time"}.get(str(short), str(short))
