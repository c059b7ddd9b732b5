# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same values as YAML, as INI or as a survey's text, with native Jinja or not: preflight finds the same."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator_site import LIMIT, Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("mistakes"), pytest.mark.timeout(600)]
#: options of roles that are not text
OPTIONS: dict[str, Any] = {
    "sip_tls_trunk_srtp_allowed": False, "sip_tls_trunk_port": 5071, "sip_tls_trunk_run_on_every_node": True,
    "callmanager_certificate_days": 60, "callmanager_certificate_every_node": False, "preflight_warn_days": 60,
}  # fmt: skip
PLAY = [{
    "hosts": "cucm_clusters", "connection": "local", "gather_facts": False,
    "module_defaults": {
        "group/siptls.cucm.cucm": "{{ cucm_application_connection }}",
        "group/siptls.cucm.platform": "{{ cucm_platform_connection }}",
    },
    "tasks": [
        {"import_role": {"name": "siptls.cucm.preflight", "rolespec_validate": False}},
        {"copy": {"content": "{{ preflight_cluster | to_json }}", "dest": "{{ found }}.{{ inventory_hostname }}"}},
    ],
}]  # fmt: skip


class Ways:
    """Runs preflight on the two clusters, whose values are given in one way or another."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.hosts = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))["cucm_clusters"]["hosts"]
        for host, peer in (("cucma", "cucm10"), ("cucm10", "cucma")):
            self.hosts[host] |= {"cucm_peers": [peer], "cucm_transit": False, "cucm_timeout": 60}
        (site.folder / "play.yml").write_text(yaml.safe_dump(PLAY), encoding="utf-8")

    def yaml(self) -> Path:
        """An inventory with types."""
        path = self.site.folder / "typed.yml"
        path.write_text(yaml.safe_dump({"cucm_clusters": {"hosts": self.hosts}}), encoding="utf-8")
        return path

    def ini(self) -> Path:
        """An INI inventory: a list of one as text, booleans in lower case, which INI takes for text."""
        lines = ["[cucm_clusters]"]
        for name, values in self.hosts.items():
            given = {**values, "cucm_peers": values["cucm_peers"][0]}
            shown = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
            lines.append(" ".join([name, *(f"{key}={shlex.quote(value)}" for key, value in shown.items())]))
        path = self.site.folder / "hosts.ini"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def found(self, name: str, inventory: Path, options: list[str], **environment: str) -> dict[str, Any]:
        """The facts of both clusters."""
        order = self.site.order("verify", "-e", json.dumps({"found": str(self.site.folder / name)}), *options)
        order[order.index("-i") - 1] = str(self.site.folder / "play.yml")
        order[order.index("-i") + 1] = str(inventory)
        run = subprocess.run(
            order, cwd=self.site.folder, env=self.site.environment() | environment, text=True, capture_output=True,
            timeout=LIMIT, check=False,
        )  # fmt: skip
        assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
        texts = {host: (self.site.folder / f"{name}.{host}").read_text(encoding="utf-8") for host in self.hosts}
        # The days left and the clocks are those of the moment.
        return {host: json.loads(re.sub(r'"days_left": -?\d+', '"days_left": 0', text)) for host, text in texts.items()}


def test_values_mean_the_same_however_they_are_given(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        before = site.lab.ask("dump")
        ways = Ways(site)
        survey = [part for name, value in OPTIONS.items() for part in ("-e", f"{name}={str(value).lower()}")]
        typed = ways.found("typed", ways.yaml(), ["-e", json.dumps(OPTIONS)])
        text = ways.found("text", ways.ini(), survey)
        native = ways.found("native", ways.ini(), survey, ANSIBLE_JINJA2_NATIVE="1")
        assert site.lab.ask("dump") == before
    settings = typed["cucma"]["planned"]["settings"]
    assert (settings["srtp_allowed"], settings["port"], settings["run_on_every_node"]) == (False, 5071, True)
    assert typed["cucma"]["peers"] == ["cucm10"] and typed["cucma"]["patterns"]
    assert not any("SRTP" in text for result in typed.values() for text in result["warnings"])
    assert text == typed and native == typed
