# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's SIP judged by SIP programs of other makes: Kamailio in between and SIPp at the far end; baresip."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cucm_lab.sip import offer, place_call
from cucm_lab.sip import testing as world

from tests.support import baresip
from tests.support.other_make import SIP, Kamailio, modules

BOTH = (offer.RSA, offer.ECDSA)


def peer(other: Kamailio) -> Any:
    """The other server as `connect` takes a cluster."""
    node = SimpleNamespace(name=other.name, fqdn=f"{other.name}.example", address=other.address)
    return SimpleNamespace(name=other.name, publisher=node, nodes=[node])


def calls_in(lab: Any) -> list[tuple[Any, ...]]:
    return [(event["result"], event["transport"], event["srtp"]) for event in lab.log.events("sip", event="call_in")]


def bye(result: Any) -> str:
    return str(result["steps"][-1])


@pytest.mark.parametrize(("release", "method"), [("9.1", "TLSv1+"), ("15", "TLSv1.2+")])
def test_dialogs_through_a_proxy_keep_its_record_route(tmp_path: Path, release: str, method: str) -> None:
    modules()

    async def run() -> None:
        async with world.running(tmp_path / "lab", world.scenario(release, release)) as lab:
            ours = lab.clusters["a"]
            address = f"{lab.scenario.net}.200.1"
            other = Kamailio(tmp_path / "kamailio", address, ours.publisher.address)
            world.connect(ours, peer(other), "8XXX")
            authority = world.Authority()
            # With default ciphers Kamailio is shown the EC certificate of a release that has one.
            await world.certify(ours.publisher, authority, purposes=BOTH if release == "15" else (offer.RSA,))
            ours.publisher.certs.import_trust("CallManager-trust", other.ca.file.read_text())
            trusted = tmp_path / "site-ca.pem"
            trusted.write_text(authority.pem)
            with other.running(trusted, method), other.answering():
                out = await place_call(lab, "a", "1018", "8001")
                assert (out["result"], out["transport"], out["srtp"]) == ("answered", "TLS", True), (out, other.log())
                assert bye(out) == "BYE, 200 OK"
                refused = await place_call(lab, "a", "1018", "8404")
                assert (refused["result"], refused["status"]) == ("failed", 404), refused
                for number in ("1018", "1018"):
                    code, said = await asyncio.to_thread(other.call, number)
                    assert code == 0, (said, other.log())
                assert calls_in(lab) == [("answered", "TLS", True)] * 2
                code, _unused = await asyncio.to_thread(other.call, "1019")
                assert code != 0, "a busy phone was answered"

    asyncio.run(run())


def test_sipp_itself_calls_and_answers_over_tcp(tmp_path: Path) -> None:
    modules()

    async def run() -> None:
        async with world.running(tmp_path / "lab", world.scenario("12.5", "12.5")) as lab:
            ours = lab.clusters["a"]
            other = Kamailio(tmp_path / "sipp", f"{lab.scenario.net}.200.1", ours.publisher.address)
            world.connect(ours, peer(other), "8XXX", tls=False)
            await asyncio.sleep(0.6)
            with other.answering("t1", SIP):
                await asyncio.sleep(0.5)
                out = await place_call(lab, "a", "1018", "8001")
                assert (out["result"], out["transport"]) == ("answered", "TCP"), out
                assert bye(out) == "BYE, 200 OK"
            code, said = await asyncio.to_thread(other.call, "1018", f"{ours.publisher.address}:{SIP}", "t1")
            assert code == 0, said
            assert [call[:2] for call in calls_in(lab)] == [("answered", "TCP")]

    asyncio.run(run())


@pytest.mark.parametrize(("release", "tls"), [("12.5", "TLSv1.2"), ("15SU2", "TLSv1.3")])
def test_baresip_with_its_default_ciphers_calls_and_answers(tmp_path: Path, release: str, tls: str) -> None:
    baresip.modules()

    async def run() -> None:
        async with world.running(tmp_path / "lab", world.scenario(release, release)) as lab:
            ours = lab.clusters["a"]
            phone = baresip.Baresip(tmp_path / "baresip", ours.publisher.address)
            node = SimpleNamespace(name=phone.name, fqdn=f"{phone.name}.example", address=baresip.ADDRESS)
            other: Any = SimpleNamespace(name=phone.name, publisher=node, nodes=[node])
            where = [{"addressIpv4": baresip.ADDRESS, "port": phone.port, "sortOrder": 1}]
            world.connect(ours, other, "7XXX", destinations=where)
            authority = world.Authority()
            await world.certify(ours.publisher, authority, purposes=BOTH)
            ours.publisher.certs.import_trust("CallManager-trust", phone.ca.file.read_text())
            trusted = tmp_path / "site-ca.pem"
            trusted.write_text(authority.pem)
            # Its start and its end wait for the program, while the lab goes on.
            with phone.running(trusted):
                out = await place_call(lab, "a", "1018", baresip.NUMBER)
                assert (out["result"], out["transport"], out["srtp"]) == ("answered", "TLS", True), (out, phone.log())
                answered = await asyncio.to_thread(phone.call, "1018")
                assert answered["type"] == "CALL_ESTABLISHED", (answered, phone.log())
            (came,) = lab.log.events("sip", event="call_in")
            assert (came["result"], came["transport"], came["srtp"]) == ("answered", "TLS", True), came
            assert came["tls_version"] == tls and (tls == "TLSv1.3" or "ECDSA" in came["cipher"]), came

    asyncio.run(run())
