# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""set/show csr, set/show cert, set web-security."""

from __future__ import annotations

import asyncio

from cryptography import x509

from ...pki.store import CsrOptions, StoreError
from ...pki.units import STORES, find_unit
from .. import texts
from ..certtext import printed
from ..session import CommandError, Shell


async def generate_csr(shell: Shell, parameters: list[str]) -> None:
    """`set csr gen <unit>`; newer releases ask whether to include the OU."""
    unit = _unit(shell, parameters[0])
    include_ou = None
    if shell.node.cluster.release.csr.asks_ou:
        include_ou = await shell.yes(texts.INCLUDE_OU)
    try:
        await asyncio.to_thread(shell.node.certs.generate_csr, unit, CsrOptions(include_ou=include_ou))
    except StoreError as error:
        raise CommandError(error.text) from None
    form = texts.csr_generated(shell.inferred["shell.csr_generated"], shell.node.cluster.release.number)
    await shell.say(form.format(unit=unit))


async def show_csr(shell: Shell, parameters: list[str]) -> None:
    """`show csr own <unit>`: the PEM of the pending CSR."""
    unit = _unit(shell, parameters[0])
    pem = shell.node.certs.csr(unit)
    if pem is None:
        raise CommandError(shell.inferred["shell.no_csr"].format(unit=unit))
    await shell.say(pem.rstrip("\n"))


async def list_csrs(shell: Shell, parameters: list[str]) -> None:
    """`show csr list [own|trust]`."""
    units = [] if parameters == ["trust"] else shell.node.certs.csrs()
    if not units:
        raise CommandError(shell.inferred["shell.no_csr_at_all"])
    await shell.say("\n".join(f"{unit}/{unit}.csr" for unit in units))


async def import_own(shell: Shell, parameters: list[str]) -> None:
    """`set cert import own <unit> [caCert]`, then the paste."""
    pem = await shell.paste()
    try:
        newest = shell.node.cluster.release.cert_text_form != "rsa"
        if newest and shell.node.certs.csr_is_multi_server(parameters[0]):
            # From 14 SU2 on, multi-server certificates are uploaded only by the web pages or REST.
            raise CommandError(shell.inferred["shell.multi_server"])
        _check_ca(shell, *parameters)
        await asyncio.to_thread(shell.node.certs.import_own, parameters[0], pem)
    except StoreError as error:
        raise CommandError(error.text) from None
    await shell.say(texts.IMPORTED.format(unit=_unit(shell, parameters[0])))


def _check_ca(shell: Shell, unit: str, name: str = "") -> None:
    """Refuse the name of a CA certificate that the unit's trust store does not hold."""
    refusal = shell.inferred["shell.unknown_ca"]
    if name and refusal:
        store, file = name.rpartition("/")[::2]
        trusted = dict(shell.node.certs.trust((store or unit).removesuffix("-trust")))
        if file not in trusted and f"{file}.pem" not in trusted:
            raise CommandError(refusal.format(name=name))


async def import_trust(shell: Shell, parameters: list[str]) -> None:
    """`set cert import trust <unit>`, then the paste."""
    pem = await shell.paste()
    unit = parameters[0].removesuffix("-trust")
    try:
        await asyncio.to_thread(shell.node.certs.import_trust, unit, pem)
    except StoreError as error:
        raise CommandError(error.text) from None
    await shell.say(shell.inferred["shell.trust_imported"].format(unit=f"{unit}-trust"))


async def regenerate(shell: Shell, parameters: list[str]) -> None:
    """`set cert regen <unit>`, after a warning."""
    unit = _unit(shell, parameters[0])
    await shell.say(texts.REGENERATE_WARNING.format(unit=unit))
    if await shell.yes(texts.REGENERATE_QUESTION):
        await asyncio.to_thread(shell.node.certs.regenerate, unit)
        await shell.say(texts.REGENERATED.format(unit=unit))


async def reuse(shell: Shell, parameters: list[str]) -> None:
    """`set cert reuse <tomcat unit> <CallManager unit>`, from 14 on: one multi-server certificate serves as both."""
    if not shell.node.cluster.release.has_cert_reuse:
        raise CommandError(*shell.inferred["shell.unknown_command"])
    source, unit = (_unit(shell, parameter) for parameter in parameters)
    if not shell.node.certs.reuse(source, unit):
        raise CommandError(shell.inferred["shell.cert_not_reusable"].format(source=source))
    await shell.say(shell.inferred["shell.cert_reused"].format(source=source, unit=unit))


async def delete(shell: Shell, parameters: list[str]) -> None:
    """`set cert delete <unit> <file>`: a trust certificate."""
    unit, name = parameters
    if shell.inferred["shell.delete_asks"] and not await shell.yes("Proceed with deletion (yes|no)? "):
        return
    try:
        shell.node.certs.delete_trust(unit, name)
    except StoreError as error:
        raise CommandError(error.text) from None
    await shell.say(shell.inferred["shell.deleted"].format(name=name))


async def show_own(shell: Shell, parameters: list[str]) -> None:
    """`show cert own <unit>`: text and PEM."""
    name = parameters[0].removesuffix(".pem")
    unit = find_unit(shell.node.cluster.release, name)
    if unit is None:
        raise CommandError(shell.inferred["shell.no_certificate"].format(name=parameters[0]))
    pem = await asyncio.to_thread(shell.node.certs.held_certificate, unit.name)
    await shell.say(_printed(shell, pem))


async def show_trust(shell: Shell, parameters: list[str]) -> None:
    """`show cert trust <file>`, with or without its store in front."""
    store, _unused, name = parameters[0].rpartition("/")
    for candidate in [store] if store else STORES:
        try:
            found = dict(shell.node.certs.trust(candidate))
        except StoreError:
            break
        pem = found.get(name) or found.get(f"{name}.pem")
        if pem:
            await shell.say(_printed(shell, pem, pem_too=bool(shell.inferred["shell.cert_trust_has_pem"])))
            return
    raise CommandError(shell.inferred["shell.no_certificate"].format(name=parameters[0]))


async def list_certificates(shell: Shell, parameters: list[str]) -> None:
    """`show cert list [own|trust]`."""
    which = parameters[0] if parameters else "both"
    if which not in ("own", "trust", "both"):
        raise CommandError(*shell.inferred["shell.bad_arguments"])
    store = shell.node.certs
    if which in ("own", "both"):
        for unit in store.listed_units():
            description = await asyncio.to_thread(store.description, unit)
            await shell.say(f"{unit}/{unit}.pem: {description}")
    if which in ("trust", "both"):
        for name in STORES:
            for filename, _unused in store.trust(name):
                await shell.say(f"{name}-trust/{filename}: {shell.inferred['shell.trust_description']}")


async def web_security(shell: Shell, parameters: list[str]) -> None:
    """`set web-security orgunit orgname locality state [country] [alternatehostname]`."""
    unit, organization, locality, state, *rest = parameters
    subject = {"OU": unit, "O": organization, "L": locality, "ST": state}
    if rest and len(rest[0]) == 2:
        subject["C"] = rest.pop(0)
    names = [name for name in ",".join(rest).split(",") if name]
    await shell.say("WARNING: This operation creates self-signed certificate for web access (tomcat)")
    if await shell.yes("Proceed with regeneration (yes|no)? "):
        await asyncio.to_thread(shell.node.certs.set_web_security, subject, names)
        await shell.say("Successfully Regenerated Certificate for tomcat")


def _unit(shell: Shell, name: str) -> str:
    unit = find_unit(shell.node.cluster.release, name.removesuffix(".csr"))
    if unit is None:
        text = shell.inferred["pki.texts"]
        raise CommandError(text.get(1025, text.get("1025", "")).format(unit=name))
    return unit.name


def _printed(shell: Shell, pem: str, pem_too: bool = True) -> str:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    release = shell.node.cluster.release
    return printed(certificate, release.cert_text_form, shell.node.spec.timezone, pem_too)
