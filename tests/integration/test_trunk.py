# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook on two clusters as shipped, from their defaults to calls over mutual TLS."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.operator_site import Site
from tests.support.sites import UNTOUCHED, SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(1200)]
WAYS = [("cucma", "1018", "9898"), ("cucm10", "9898", "1018")]


def shown(text: str) -> str:
    """The end of an output, for a failed assertion."""
    return text[-6000:]


@UNTOUCHED
@pytest.mark.matrix
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
    verdict = set_up.verdict
    assert verdict["verdict"] == "secure"
    assert {(direction["from"], direction["to"], direction["verdict"]) for direction in verdict["directions"]} == {
        ("cucma", "cucm10", "secure"),
        ("cucm10", "cucma", "secure"),
    }
    for direction in verdict["directions"]:
        assert {"subject", "issuer", "serial", "not_after", "sha256"} <= set(direction["server_certificate"])
        assert direction["tls_version"] and direction["cipher"]
        # The run itself was captured and traced.
        assert {"probe", "capture", "status", "trace"} <= {item["source"] for item in direction["evidence"]}


def test_the_first_run_uses_nothing_that_ansible_will_take_away(set_up: SetUp) -> None:
    assert "PLAY RECAP" in set_up.first.output
    warnings = re.findall(r"\[DEPRECATION WARNING\]: (.*)", set_up.first.output)
    # ansible-core 2.21 says this of itself, when it copies one of its plugin loaders.
    assert not [
        warning for warning in warnings if not warning.startswith("Instantiating filter PluginLoader with aliases")
    ]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way[0])
def test_a_call_gets_through_over_tls_with_srtp(set_up: SetUp, way: tuple[str, str, str]) -> None:
    call = set_up.site.call(*way)
    assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call


def handshake(address: str, *options: str | Path, seconds: float = 3) -> str:
    """What openssl s_client says of a node's SIP port, after an INVITE; TLS 1.0 is allowed, 9.1 has nothing newer."""
    order = [
        "openssl", "s_client", "-connect", f"{address}:5061", "-tls1", "-cipher", "ALL:@SECLEVEL=0", "-showcerts",
        "-ign_eof", *map(str, options),
    ]  # fmt: skip
    with subprocess.Popen(order, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        try:
            output, _unused = client.communicate(INVITE.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            client.kill()
            output, _unused = client.communicate()
    return output.decode(errors="replace")


INVITE = "\r\n".join(
    [
        "INVITE sip:1018@x:5061 SIP/2.0",
        "Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKintruder",
        "From: <sip:9898@x>;tag=1",
        "To: <sip:1018@x>",
        "Call-ID: intruder@127.0.0.1",
        "CSeq: 101 INVITE",
        "Max-Forwards: 70",
        "Contact: <sip:9898@127.0.0.1:5061;transport=tls>",
        "Content-Length: 0",
        "",
        "",
    ]
)


def openssl(*order: str | Path) -> None:
    subprocess.run(["openssl", *map(str, order)], check=True, capture_output=True, timeout=60)


def client(folder: Path, common_name: str, ca: tuple[Path, Path]) -> tuple[str | Path, ...]:
    """A client certificate made by openssl, as options of s_client."""
    folder.mkdir()
    key, request, leaf, extensions = (folder / name for name in ("key.pem", "csr.pem", "leaf.pem", "ext.cnf"))
    extensions.write_text("extendedKeyUsage=serverAuth,clientAuth\n")
    openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={common_name}"
    )
    openssl(
        "x509", "-req", "-in", request, "-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-CAserial",
        folder / "serial", "-days", "30", "-sha256", "-extfile", extensions, "-out", leaf,
    )  # fmt: skip
    return "-cert", leaf, "-key", key


@pytest.mark.parametrize("cluster", ["cucma", "cucm10"])
def test_openssl_sees_the_certificate_that_the_ca_signed(set_up: SetUp, cluster: str, tmp_path: Path) -> None:
    seen = handshake(set_up.site.lab.address(cluster), seconds=10)
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", seen, re.DOTALL)
    assert pem, seen
    leaf = tmp_path / "leaf.pem"
    leaf.write_text(pem[0])
    openssl("verify", "-CAfile", set_up.site.ca / "ca.pem", "-purpose", "sslserver", leaf)
    subject = subprocess.run(
        ["openssl", "x509", "-in", leaf, "-noout", "-subject"], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert subject.strip().endswith(f"CN = {cluster.upper()}")


@pytest.mark.parametrize("wrong", ["no_client_certificate", "unknown_ca", "subject_name_mismatch"])
def test_no_call_gets_through_otherwise_and_the_log_says_why(set_up: SetUp, wrong: str, tmp_path: Path) -> None:
    lab, own = set_up.site.lab, (set_up.site.ca / "ca.pem", set_up.site.ca / "ca.key")
    options: tuple[str | Path, ...] = ()
    if wrong == "unknown_ca":
        other = (tmp_path / "other.pem", tmp_path / "other.key")
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", other[1], "-out", other[0], "-days", "30",
            "-subj", "/CN=Other CA",
        )  # fmt: skip
        options = client(tmp_path / "client", "CUCM10", other)
    elif wrong == "subject_name_mismatch":
        options = client(tmp_path / "client", "somebody.else", own)
    before = len(lab.events())
    answer = handshake(lab.address("cucma"), "-bind", f"{lab.address('cucm10')}:0", *options)
    assert not re.search(r"^SIP/2.0 (180|200)", answer, re.MULTILINE), answer
    news = lab.events()[before:]
    # OPTIONS pings of the clusters go on meanwhile; ours is the only one that is refused.
    assert wrong in {event.get("reason") for event in news if event.get("event") in ("handshake", "request_refused")}
    assert not [event for event in news if event.get("event") == "call_in"]


@pytest.mark.matrix
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


def test_the_way_back_leaves_everything_but_identities_as_it_was(set_up: SetUp) -> None:
    """The last one of this group: nothing is set up afterwards."""
    run = set_up.site.play("remove_sip_tls_trunk")
    assert run.code == 0, shown(run.output)
    now = set_up.site.lab.ask("dump")
    for name, content in set_up.before.items():
        assert now[name]["config"] == content["config"], name
