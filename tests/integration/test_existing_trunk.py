# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trunks over TCP that exist already: turned into TLS under their own names, and back by restore.yml."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator_site import Site, settled

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("existing"), pytest.mark.timeout(1800)]
WAYS = [("cucma", "1018", "9898"), ("cucm10", "9898", "1018")]
EXISTING = {"cucma": {"cucm10": "TO-CUCM10"}, "cucm10": {"cucma": "TO-CUCMA"}}
BEFORE = """
- hosts: cucm_clusters
  connection: local
  gather_facts: false
  module_defaults:
    group/siptls.cucm.cucm:
      host: "{{ cucm_host }}"
      username: "{{ cucm_username }}"
      password: "{{ cucm_password }}"
      ca_path: "{{ cucm_ca_path }}"
      legacy_crypto: true
  vars:
    peer: "{{ groups.cucm_clusters | difference([inventory_hostname]) | first }}"
    trunk: "TO-{{ peer | upper }}"
  tasks:
    - siptls.cucm.cucm_sip_trunk:
        name: "{{ trunk }}"
        description: made by hand
        security_profile: Non Secure SIP Trunk Profile
        destinations: [{address: "{{ hostvars[peer].cucm_host }}"}]
    - siptls.cucm.cucm_route_group: {name: OLD-RG, members: [{device: "{{ trunk }}"}]}
      when: inventory_hostname == 'cucma'
    - siptls.cucm.cucm_route_list: {name: OLD-RL, members: [{route_group: OLD-RG}]}
      when: inventory_hostname == 'cucma'
    - siptls.cucm.cucm_route_pattern: {pattern: 98XX, route_list: OLD-RL}
      when: inventory_hostname == 'cucma'
    - siptls.cucm.cucm_route_pattern: {pattern: "1018", gateway: "{{ trunk }}"}
      when: inventory_hostname == 'cucm10'
"""


@pytest.mark.matrix
def test_tcp_trunks_become_tls_trunks_under_their_names_and_restore_brings_them_back(tmp_path: Path) -> None:
    site = Site(tmp_path, extra={"sip_tls_trunk_existing": f"{{{{ {EXISTING} [inventory_hostname] }}}}"})
    book = tmp_path / "before.yml"
    book.write_text(BEFORE)
    with site.lab:
        made = site.play(str(book.with_suffix("")))
        assert made.code == 0, made.output[-6000:]
        before = configuration(site)
        calls(site, "TCP", srtp=False)

        run = site.play("sip_tls_trunk")
        assert run.code == 0, run.output[-6000:]
        calls(site, "TLS", srtp=True)
        after = configuration(site)
        for cluster in before:
            for kind in ("RouteGroup", "RouteList", "RoutePattern"):
                assert of_kind(after[cluster], kind) == of_kind(before[cluster], kind)
            trunks = of_kind(after[cluster], "SipTrunk")
            assert list(trunks) == list(EXISTING[cluster].values()) and "made by hand" in json.dumps(trunks)
        again = site.play("sip_tls_trunk")
        assert again.code == 0 and again.total("changed") == 0, again.output[-6000:]
        records_are_private(site)

        restored = site.play("restore")
        assert restored.code == 0, restored.output[-6000:]
        assert "key no longer exists" in restored.output
        assert configuration(site) == before
        calls(site, "TCP", srtp=False)


def configuration(site: Site) -> dict[str, Any]:
    """The AXL objects of every cluster, without what CUCM counts for itself."""
    return {name: settled(content["config"]) for name, content in site.lab.ask("dump").items()}


def of_kind(config: Any, kind: str) -> dict[str, Any]:
    """The objects of a kind by their names."""
    found: dict[str, Any] = config.get(kind, {})
    return found


def calls(site: Site, transport: str, *, srtp: bool) -> None:
    for way in WAYS:
        call = site.call(*way)
        assert (call["result"], call["transport"], call["srtp"]) == ("answered", transport, srtp), call


def records_are_private(site: Site) -> None:
    """One record a cluster, for its owner alone, and no password in it."""
    files = list((site.lab.inventory.parent / "sip_tls_backup").rglob("*.json"))
    assert len(files) == 2
    hosts = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"].values()
    secrets = [str(value) for host in hosts for key, value in host.items() if key.endswith("password")]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        text = file.read_text()
        assert not [secret for secret in secrets if secret in text] and "PRIVATE KEY" not in text
