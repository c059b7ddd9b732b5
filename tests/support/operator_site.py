# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab and the real ansible-playbook on it: what an operator has."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import yaml
from cucm_lab.testing import LabProcess

ROOT = Path(__file__).resolve().parents[2]
CALLBACKS = Path(__file__).parent / "callbacks"
LIMIT = 600


@dataclass
class Run:
    """What a run of ansible-playbook left."""

    code: int
    output: str
    recap: dict[str, dict[str, int]]

    def total(self, what: str) -> int:
        """A count of the recap, over all hosts."""
        return sum(counts.get(what, 0) for counts in self.recap.values())

    @property
    def tasks(self) -> list[str]:
        """The tasks that were begun, in order."""
        return re.findall(r"^TASK \[(.*?)\] \**$", self.output, re.MULTILINE)


@dataclass
class Site:
    """A lab with a state directory, and files of its own beside it."""

    folder: Path
    scenario: str = "two-clusters"
    extra: dict[str, Any] = field(default_factory=dict)
    #: seconds that a run may take
    limit: int = LIMIT

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lab = LabProcess(self.folder / "lab", self.scenario)

    @property
    def ca(self) -> Path:
        """The folder of the local CA."""
        return self.folder / "ca"

    def play(self, name: str, *options: str, extra: dict[str, Any] | None = None, **environment: str) -> Run:
        """Run a playbook of the collection on the lab's inventory."""
        done = subprocess.run(
            self.order(name, *options, extra=extra), cwd=self.folder, env=self.environment() | environment, text=True,
            capture_output=True, timeout=self.limit, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        # The check of the inventory's group runs on localhost.
        clusters = {host: counts for host, counts in recap_of(output).items() if host != "localhost"}
        return Run(done.returncode, output, clusters)

    def start(
        self, name: str, output: TextIO | int = subprocess.DEVNULL, **environment: str
    ) -> subprocess.Popen[bytes]:
        """The same, for a test that does something meanwhile; its output goes to a file, or is lost."""
        return subprocess.Popen(
            self.order(name), cwd=self.folder, env=self.environment() | environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def order(self, name: str, *options: str, extra: dict[str, Any] | None = None) -> list[str]:
        """The command line of ansible-playbook."""
        given = {
            "sip_tls_ca": {"provider": "local", "path": str(self.ca)},
            "sip_tls_verify_verdict_path": str(self.folder / "verdict.json"),
            **self.extra,
            **(extra or {}),
        }
        return [
            sys.executable, "-m", "ansible", "playbook", str(ROOT / "playbooks" / f"{name}.yml"),
            "-i", str(self.lab.inventory), "-e", json.dumps(given), *options,
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Ansible's environment: nothing of the user's, everything it writes below our folder."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "CUCM_"))}
        return kept | {
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_DEPRECATION_WARNINGS": "1",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        }

    def verdict(self) -> dict[str, Any]:
        """The verdict that the last run wrote."""
        found: dict[str, Any] = json.loads((self.folder / "verdict.json").read_text())
        return found

    def call(self, cluster: str, calling: str, called: str) -> dict[str, Any]:
        """Place a call."""
        result: dict[str, Any] = self.lab.ask("call", cluster=cluster, calling=calling, called=called)
        return result

    def microsoft_ca(self) -> dict[str, Any]:
        """The variable sip_tls_ca for the lab's Microsoft CA, without an account."""
        ca = next(authority for authority in self.lab.description["cas"] if authority["name"] == "adcs")
        return {
            "provider": "adcs", "adcs_url": f"https://{ca['address']}:{ca['port']}/certsrv",
            "adcs_template": "CucmTLS", "adcs_ca_path": str(self.lab.state / "ca-adcs" / "ca.pem"),
        }  # fmt: skip

    def secrets(self) -> list[str]:
        """The passwords of the inventory."""
        hosts = yaml.safe_load(self.lab.inventory.read_text())["cucm_clusters"]["hosts"].values()
        return sorted({str(value) for host in hosts for key, value in host.items() if key.endswith("password")})

    def keep(self, name: str) -> None:
        """Keep a copy of the lab's and the CA's state; the lab must be down."""
        for part in ("lab", "ca"):
            shutil.rmtree(self.folder / name / part, ignore_errors=True)
            if (self.folder / part).exists():
                shutil.copytree(self.folder / part, self.folder / name / part)

    def restore(self, name: str) -> None:
        """Put a copy back; the lab must be down."""
        for part in ("lab", "ca"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
            if (self.folder / name / part).exists():
                shutil.copytree(self.folder / name / part, self.folder / part)


def recap_of(output: str) -> dict[str, dict[str, int]]:
    """The counts of Ansible's recap, by host."""
    rows = re.findall(r"^(\S+)\s*:((?:\s+\w+=\d+)+)", output.rpartition("PLAY RECAP")[2], re.MULTILINE)
    return {host: {key: int(count) for key, count in re.findall(r"(\w+)=(\d+)", text)} for host, text in rows}


def settled(content: Any) -> Any:
    """A dump of the lab without what no two runs have in common: keys, serials, identifiers, times."""
    text = json.dumps(content, sort_keys=True)
    text = re.sub(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----(\\n)?", "PEM", text)
    text = re.sub(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?", "UUID", text)
    # versionStamp holds the second of the last write.
    return json.loads(re.sub(r"\b\d{10}-UUID", "STAMP", text))
