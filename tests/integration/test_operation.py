# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other playbooks, on clusters as shipped and on clusters that are set up."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cryptography import x509

from tests.support.doc_examples import example_of
from tests.support.operator_site import Site
from tests.support.sites import UNTOUCHED, SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(1200)]

#: captures are tried in test_breakings.py; one of OPTIONS takes the minute between two of them
NO_CAPTURE = {"sip_tls_verify_capture": False}


@pytest.mark.matrix
@UNTOUCHED
def test_the_plan_says_what_a_run_would_do_and_changes_nothing(untouched: Site, tmp_path: Path) -> None:
    before = untouched.lab.ask("dump")
    run = untouched.play("plan", extra={"plan_path": str(tmp_path)})
    assert run.total("changed") == 0, "a plan changes nothing, and its recap says so"
    assert run.code == 0, run.output[-6000:]
    assert untouched.lab.ask("dump") == before
    plan = (tmp_path / "plan.md").read_text()
    assert "## cucma (CUCM 9.1.2" in plan and "## cucm10 (CUCM 10.5.2" in plan
    assert plan.count("New CallManager certificate") == 2
    assert plan.count("Restart Cisco CallManager") == 2 and plan.count("Calls of this node end") == 2
    assert "Make the SIP trunk SIP-TLS-cucm10" in plan and "Make the SIP trunk SIP-TLS-cucma" in plan
    assert "| x509_subject_names |  | CUCMA |" in plan
    page = (tmp_path / "plan.html").read_text()
    assert page.count('<li class="restart">') == 8, "four services on each node"
    assert "SIP-TLS-cucm10" in page


@pytest.mark.matrix
def test_the_plan_of_what_is_set_up_says_nothing(set_up: SetUp, tmp_path: Path) -> None:
    run = set_up.site.play("plan", extra={"plan_path": str(tmp_path), "plan_reference": "CHG <4711>"})
    assert run.code == 0, run.output[-6000:]
    plan = (tmp_path / "plan.md").read_text()
    assert plan.count("\nNothing.\n") == 2 and "0 changes, 0 restarts" in plan
    assert plan.count("CallManager certificate of CUCM") == 2, "what is left alone is named"
    page = (tmp_path / "plan.html").read_text()
    assert "<b>No change.</b>" in page and "CHG &lt;4711&gt;" in page and "<4711>" not in page


@UNTOUCHED
def test_everything_wrong_on_all_clusters_is_said_at_once_and_nothing_is_changed(
    untouched: Site, tmp_path: Path
) -> None:
    before = untouched.lab.ask("dump")
    inventory = yaml.safe_load(untouched.lab.inventory.read_text())
    hosts = inventory["cucm_clusters"]["hosts"]
    hosts["cucma"]["cucm_password"] = "not the password"
    hosts["cucm10"]["cucm_os_password"] = "not the password either"
    bad = tmp_path / "inventory.yml"
    bad.write_text(yaml.safe_dump(inventory))
    run = untouched.play("sip_tls_trunk", "-i", str(bad))
    assert run.code != 0
    said = run.output.partition("List every problem")[2]
    assert "axladmin" in said and "osadmin" in said, run.output[-6000:]
    assert untouched.lab.ask("dump") == before
    tried = [event for event in untouched.lab.events() if event.get("kind") == "axl" and event.get("status") == 401]
    assert len(tried) <= 1, "a refused password was tried again"


@pytest.mark.matrix
def test_verify_proves_what_is_set_up(set_up: SetUp) -> None:
    before = set_up.site.lab.ask("dump")
    run = set_up.site.play("verify", extra=NO_CAPTURE)
    assert run.code == 0, run.output[-6000:]
    assert run.total("changed") == 0
    assert set_up.site.verdict()["verdict"] == "secure"
    assert set_up.site.lab.ask("dump") == before


@pytest.mark.matrix
@UNTOUCHED
def test_verify_does_not_call_the_defaults_secure(untouched: Site) -> None:
    run = untouched.play("verify", extra=NO_CAPTURE | {"sip_tls_verify_retries": 1})
    assert run.code != 0
    assert {direction["verdict"] for direction in untouched.verdict()["directions"]} <= {"insecure", "unproven"}


def test_renewal_touches_nothing_that_is_not_due(set_up: SetUp) -> None:
    before = set_up.site.lab.ask("dump")
    run = set_up.site.play("renew_certificates")
    assert run.code == 0, run.output[-6000:]
    assert "Nothing was due." in run.output and run.total("changed") == 0
    assert set_up.site.lab.ask("dump") == before


def test_the_examples_of_the_roles_run_as_they_stand(set_up: SetUp, tmp_path: Path) -> None:
    """The example of role sip_tls_report runs all roles of a set-up; that of sip_tls_undo predicts a removal."""
    site = set_up.site
    before = site.lab.ask("dump")
    for role, options in (("connection", []), ("sip_tls_report", []), ("sip_tls_undo", ["--check"])):
        book = tmp_path / f"{role}.yml"
        book.write_text(example_of(role).text)
        run = site.play(str(book.with_suffix("")), *options, extra=NO_CAPTURE | {"sip_tls_report_path": str(tmp_path)})
        assert run.code == 0, run.output[-6000:]
        assert role == "sip_tls_undo" or run.total("changed") == 0, run.output[-6000:]
    assert run.recap["cucma"]["changed"] >= 4, "pattern, trunk and both profiles"
    assert (tmp_path / "report.html").is_file() and site.lab.ask("dump") == before


@pytest.mark.matrix
@pytest.mark.xdist_group("remove")
def test_remove_after_set_up_leaves_everything_but_identities_as_it_was(tmp_path: Path) -> None:
    """With a CA for each cluster, so that each has to trust a foreign one, which has to go again."""
    own_ca = {"provider": "local", "path": str(tmp_path / "ca-{{ inventory_hostname }}"),
              "ca_subject": "O=lab,CN=CA of {{ inventory_hostname }}"}  # fmt: skip
    site = Site(tmp_path, extra={"sip_tls_ca": own_ca})
    with site.lab:
        before = configuration(site), trust(site)
        first = site.play("sip_tls_trunk")
        assert first.code == 0, first.output[-6000:]
        assert configuration(site) != before[0]
        assert {cas_of_ours(site, name) for name in before[1]} == {("CA of cucm10", "CA of cucma")}
        run = site.play("remove_sip_tls_trunk")
        assert run.code == 0, run.output[-6000:]
        assert configuration(site) == before[0]
        for name, names in trust(site).items():
            # The identity certificate stays, and with it the CA above it.
            assert cas_of_ours(site, name) == (f"CA of {name}",)
            assert [ca for ca in names if not ca.startswith("CA of ")] == before[1][name]
        assert site.play("remove_sip_tls_trunk").total("changed") == 0


def configuration(site: Site) -> object:
    """The AXL objects of every cluster."""
    return {name: content["config"] for name, content in site.lab.ask("dump").items()}


def trust(site: Site) -> dict[str, list[str]]:
    """The common names in CallManager-trust of every cluster."""
    return {
        name: sorted(
            str(
                x509.load_pem_x509_certificate(row["certificate"].encode())
                .subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0]
                .value
            )
            for row in content["pki_trust"]
            if row["store"] == "CallManager"
        )
        for name, content in site.lab.ask("dump").items()
    }


def cas_of_ours(site: Site, cluster: str) -> tuple[str, ...]:
    """Those of them that the test made."""
    return tuple(name for name in trust(site)[cluster] if name.startswith("CA of "))
