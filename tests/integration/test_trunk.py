# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook on two clusters as shipped, from their defaults to calls over mutual TLS."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SetUp
from operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk")]
WAYS = [("cucma", "1018", "9898"), ("cucm10", "9898", "1018")]


def shown(text: str) -> str:
    """The end of an output, for a failed assertion."""
    return text[-6000:]


def test_check_mode_passes_every_task_predicts_and_changes_nothing(untouched: Site) -> None:
    before = untouched.lab.ask("dump")
    run = untouched.play("sip_tls_trunk", "--check", "--diff")
    assert run.code == 0, shown(run.output)
    assert untouched.lab.ask("dump") == before
    assert not untouched.ca.exists()
    # CSR, signature, upload, restart, SIP profile, security profile, trunk, pattern; on both clusters
    assert all(counts["changed"] >= 8 for counts in run.recap.values()), run.recap
    assert "SIP-TLS-cucm10" in run.output and "SIP-TLS-cucma" in run.output


def test_the_first_run_ends_in_a_secure_verdict_both_ways(set_up: SetUp) -> None:
    run = set_up.first
    assert run.code == 0, shown(run.output)
    assert set(run.recap) == {"cucma", "cucm10"} and run.total("failed") == 0
    assert set_up.site.lab.ask("dump") != set_up.before
    verdict = set_up.site.verdict()
    assert verdict["verdict"] == "secure"
    assert {(one["from"], one["to"], one["verdict"]) for one in verdict["directions"]} == {
        ("cucma", "cucm10", "secure"),
        ("cucm10", "cucma", "secure"),
    }
    for one in verdict["directions"]:
        assert {"subject", "issuer", "serial", "not_after", "sha256"} <= set(one["server_certificate"])
        assert one["evidence"] and one["tls_version"] and one["cipher"]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way[0])
def test_a_call_gets_through_over_tls_with_srtp(set_up: SetUp, way: tuple[str, str, str]) -> None:
    call = set_up.site.call(*way)
    assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call


def test_openssl_sees_the_certificate_that_the_ca_signed(set_up: SetUp) -> None:
    root = next(set_up.site.ca.rglob("*.pem"), None)
    for cluster, name in (("cucma", "CUCMA"), ("cucm10", "CUCM10")):
        seen = handshake(set_up.site.lab.address(cluster))
        assert f"CN = {name}" in seen or f"CN={name}" in seen, seen
        subject, issuer = re.search(r"subject=(.*)", seen), re.search(r"issuer=(.*)", seen)
        assert subject and issuer and subject[1] != issuer[1], "the leaf is self-signed"
        assert root is not None


def handshake(address: str, *options: str | Path, port: int = 5061, send: str = "") -> str:
    """What openssl s_client says of a node's SIP port; TLS 1.0 is allowed, for 9.1 has nothing newer."""
    order = [
        "openssl", "s_client", "-connect", f"{address}:{port}", "-tls1", "-cipher", "ALL:@SECLEVEL=0", "-showcerts",
        "-ign_eof", *map(str, options),
    ]  # fmt: skip
    try:
        done = subprocess.run(order, input=send, text=True, capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired as slow:
        return f"{_text(slow.stdout)}{_text(slow.stderr)}"
    return done.stdout + done.stderr


def _text(data: Any) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else data or ""


def test_the_second_run_changes_nothing(set_up: SetUp) -> None:
    before = set_up.site.lab.ask("dump")
    run = set_up.site.play("sip_tls_trunk")
    assert run.code == 0, shown(run.output)
    assert set(run.recap) == {"cucma", "cucm10"}
    assert all(counts["changed"] == 0 for counts in run.recap.values()), shown(run.output)
    assert set_up.site.lab.ask("dump") == before


def secrets_of(site: Site) -> list[str]:
    """The passwords of the inventory."""
    hosts = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"].values()
    found = {str(value) for host in hosts for key, value in host.items() if key.endswith("password")}
    assert len(found) >= 2
    return sorted(found)


KEY = re.compile(rb"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----")


def test_no_secret_in_the_output_at_the_highest_verbosity(set_up: SetUp) -> None:
    output = set_up.first.output
    assert "task path" in output, "the run was not verbose"
    assert not [secret for secret in secrets_of(set_up.site) if secret in output]
    assert not KEY.search(output.encode())


def test_no_secret_in_files_that_others_can_read_nor_in_the_labs_logs(set_up: SetUp) -> None:
    secrets = [secret.encode() for secret in secrets_of(set_up.site)]
    looked = 0
    for path in set_up.site.folder.rglob("*"):
        if not path.is_file():
            continue
        looked += 1
        log = path.suffix in (".log", ".out")
        if log or stat.S_IMODE(path.stat().st_mode) & 0o077:
            content = path.read_bytes()
            assert not KEY.search(content), path
            assert not [secret for secret in secrets if secret in content], path
    assert looked > 5
