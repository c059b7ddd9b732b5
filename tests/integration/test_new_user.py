# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new user does: install the tarball, stand in an empty folder, use each module by itself, follow the README.

Nothing of the repository is on any path of these runs. Each module gets a play of three lines beside its
`module_defaults`, and has to do its job; a second run has to find it done, as its attributes say.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab.testing import LabProcess

from tests.support.operator_site import Run, recap_of

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("new-user"), pytest.mark.timeout(900)]

EVIDENCE = [
    {"name": "cucma", "nodes": [{"name": "CUCMA", "addresses": ["{{ node }}"], "probe": "{{ sip_tls_probe }}"}]},
    {"name": "cucm10", "nodes": [{"name": "CUCM10", "addresses": ["{{ peer }}"]}]},
]
#: the options of each module in its own play, in an order in which each finds what it needs
TASKS: dict[str, dict[str, Any]] = {
    "sip_tls_controller_info": {},
    "cucm_info": {},
    "cucm_configuration_info": {"addresses": "{{ nodes }}"},
    "cucm_behavior_info": {},
    "cucm_certificate_info": {"purposes": ["CallManager"]},
    "cucm_csr": {},
    "ca_sign": {"path": "ca", "csr": "{{ cucm_csr.csr }}"},
    "cucm_cert_upload": {
        "certificate": "{{ ca_sign.certificate }}", "chain": "{{ ca_sign.chain }}", "csr": "{{ cucm_csr.csr }}",
    },
    "cucm_service": {
        "name": "Cisco CallManager", "state": "restarted",
        # A run that had nothing to upload restarts for the certificate that is installed.
        "serving": {
            "port": 5061, "certificate": "{{ (cucm_cert_upload.certificate or cucm_csr.certificate).sha256 }}",
        },
    },
    "cucm_backup": {"path": "backup", "name": "cucma", "objects": {"sip_profile": [{"name": "Standard SIP Profile"}]}},
    "cucm_object_info": {"objects": [{"kind": "sip_profile", "name": "Standard SIP Profile"}]},
    "cucm_sip_profile": {"name": "New", "copy_from": "Standard SIP Profile", "options_ping": True},
    "cucm_sip_trunk_profile": {
        "name": "New TLS", "copy_from": "Non Secure SIP Trunk Profile", "security_mode": "Encrypted",
        "incoming_transport": "TLS", "outgoing_transport": "TLS", "x509_subject_names": ["CUCM10"],
        "incoming_port": 5061,
    },
    "cucm_sip_trunk": {
        "name": "New-Trunk", "device_pool": "Default", "security_profile": "New TLS", "sip_profile": "New",
        "destinations": [{"address": "{{ peer }}", "port": 5061}], "srtp_allowed": True,
    },
    "cucm_route_group": {"name": "New-RG", "members": [{"device": "New-Trunk"}]},
    "cucm_route_list": {"name": "New-RL", "members": [{"route_group": "New-RG"}], "callmanager_group": "Default"},
    "cucm_route_pattern": {"pattern": "9898", "route_list": "New-RL"},
    "cucm_sip_trunk_info": {"names": ["New-Trunk"]},
    "sip_tls_probe": {"host": "{{ node }}", "legacy_crypto": True},
    "cucm_capture": {"seconds": 5, "dest": "evidence"},
    "sip_tls_capture_info": {
        "paths": "{{ cucm_capture.captures | map(attribute='files') | flatten | map(attribute='path') }}",
    },
    "cucm_trace_info": {"dest": "traces"},
    "sip_tls_verdict": {
        "clusters": EVIDENCE,
        "directions": [{"from": "cucm10", "to": "cucma"}],
    },
    "cucm_ctl": {},
    "sip_tls_doctor": {
        "clusters": EVIDENCE,
        "directions": [{"from": "cucm10", "to": "cucma"}],
    },
    "sip_tls_forecast": {
        "clusters": EVIDENCE,
        "directions": [{"from": "cucm10", "to": "cucma"}],
    },
    "sip_tls_report": {
        "dest": "report", "clusters": [{"name": "cucma"}, {"name": "cucm10"}], "verdict": "{{ sip_tls_verdict }}",
    },
}  # fmt: skip


def play_of(module: str, options: dict[str, Any]) -> str:
    """A play for one module: hosts, its module_defaults, one task."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {
            "group/siptls.cucm.cucm": "{{ application }}",
            "group/siptls.cucm.platform": "{{ platform }}",
        },
        "tasks": [{f"siptls.cucm.{module}": options, "register": module}],
    }
    return yaml.safe_dump([play], sort_keys=False)


@dataclass
class NewUser:
    """An empty folder, the installed tarball, a lab."""

    folder: Path
    collections: Path
    lab: LabProcess
    #: more of the environment
    more: dict[str, str] = field(default_factory=dict)

    def run(self, *order: str) -> Run:
        """Run ansible-playbook in the folder; no path leads to the repository."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("ANSIBLE_", "CUCM_", "PYTHONPATH", "PYTEST"))
        }
        environment = kept | {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_HOME": str(self.folder.parent / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_DEPRECATION_WARNINGS": "1",
            **self.more,
        }
        done = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", *order], cwd=self.folder, env=environment, text=True,
            capture_output=True, timeout=600, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        return Run(done.returncode, output, recap_of(output))

    def host(self, cluster: str) -> dict[str, Any]:
        """The lab's variables of a cluster."""
        found: dict[str, Any] = yaml.safe_load(self.lab.inventory.read_text())["cucm_clusters"]["hosts"][cluster]
        return found

    def modules(self, *options: str) -> tuple[Run, dict[str, Any]]:
        """Run every module once; what each returned."""
        host = self.host("cucma")
        connection = {
            "host": host["cucm_host"], "ca_path": host["cucm_ca_path"], "legacy_crypto": True,
        }  # fmt: skip
        given = {
            "ansible_python_interpreter": sys.executable,
            "application": {**connection, "username": host["cucm_username"], "password": host["cucm_password"]},
            "platform": {
                **connection, "os_username": host["cucm_os_username"], "os_password": host["cucm_os_password"],
                "ssh_port": host["cucm_ssh_port"], "ssh_known_hosts": host["cucm_ssh_known_hosts"],
            },
            "folder": str(self.folder),
            "node": host["cucm_host"],
            "nodes": host["cucm_node_addresses"],
            "peer": self.host("cucm10")["cucm_host"],
        }  # fmt: skip
        (self.folder / "given.json").write_text(json.dumps(given))
        books = []
        for number, (module, given_options) in enumerate(TASKS.items()):
            books.append(f"{number:02}-{module}.yml")
            (self.folder / books[-1]).write_text(play_of(module, given_options))
        keep = {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.copy": {
                        "dest": "{{ folder }}/results.json",
                        "mode": "0600",
                        "content": "{{ dict(names | zip(names | map('extract', vars))) | to_json }}",
                    },
                    "vars": {"names": list(TASKS)},
                    "check_mode": False,
                    "diff": False,
                }
            ],
        }
        (self.folder / "keep.yml").write_text(yaml.safe_dump([keep]))
        (self.folder / "results.json").unlink(missing_ok=True)
        run = self.run(*books, "keep.yml", "-i", "localhost,", "-c", "local", "-e", "@given.json", *options)
        kept = self.folder / "results.json"
        return run, json.loads(kept.read_text()) if kept.is_file() else {}


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tarball, built and installed."""
    folder = tmp_path_factory.mktemp("installed")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHONPATH"))}
    environment["ANSIBLE_HOME"] = str(folder / "ansible")
    galaxy = [sys.executable, "-m", "ansible", "galaxy", "collection"]

    def order(*words: str | Path) -> None:
        done = subprocess.run(
            [*galaxy, *map(str, words)], cwd=folder, env=environment, text=True, capture_output=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    order("build", ROOT, "--output-path", folder)
    (built,) = folder.glob("siptls-cucm-*.tar.gz")
    order("install", built, "-p", folder / "collections", "--offline")
    return folder / "collections"


@pytest.fixture
def user(collections: Path, tmp_path: Path) -> Iterator[NewUser]:
    """A new user with two clusters as shipped."""
    (tmp_path / "empty").mkdir()
    with LabProcess(tmp_path / "lab") as lab:
        yield NewUser(tmp_path / "empty", collections, lab)


class Once:
    """The runs of all modules, each made when a test first asks for it: check mode, for real, and again."""

    def __init__(self, user: NewUser) -> None:
        self.user = user
        self.before = user.lab.ask("dump")

    @cached_property
    def check(self) -> tuple[Run, dict[str, Any]]:
        """In check mode, on clusters as shipped."""
        return self.user.modules("--check", "--diff")

    @cached_property
    def first(self) -> tuple[Run, dict[str, Any]]:
        """For real."""
        return self.user.modules("--diff")

    @cached_property
    def again(self) -> tuple[Run, dict[str, Any]]:
        """Once more."""
        assert self.first[0].code == 0
        return self.user.modules("--diff")


@pytest.fixture(scope="module")
def once(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Once]:
    """The runs on one lab."""
    folder = tmp_path_factory.mktemp("new-user")
    (folder / "empty").mkdir()
    with LabProcess(folder / "lab") as lab:
        yield Once(NewUser(folder / "empty", collections, lab))


def made(done: Done) -> bool:
    """Whether an AXL object came to be: changed, with a uuid of CUCM's."""
    return bool(done.result["changed"] and re.fullmatch(r"\{[0-9A-Fa-f-]{36}\}", done.result["uuid"]))


def present(path: Path) -> bool:
    """Whether a file is there and holds something."""
    return path.is_file() and path.stat().st_size > 0


def test_every_module_has_a_play() -> None:
    assert sorted(TASKS) == MODULES


@dataclass(frozen=True)
class Done:
    """What a module's play left: its own result, all results, the folder."""

    result: dict[str, Any]
    results: dict[str, Any]
    folder: Path

    @property
    def uploaded(self) -> dict[str, Any]:
        """The certificate that cucm_cert_upload put into the node."""
        certificate: dict[str, Any] = self.results["cucm_cert_upload"]["certificate"]
        return certificate

    def wrote(self, place: str, pattern: str = "*") -> bool:
        """Whether a file of that name below a place of the folder holds something."""
        return any(present(path) for path in (self.folder / place).rglob(pattern))


#: whether each module has done its job; the others make an AXL object
JOBS: dict[str, Callable[[Done], Any]] = {
    "cucm_info": lambda at: at.result["version"].startswith("9.1") and at.result["nodes"][0]["name"] == "CUCMA",
    "cucm_behavior_info": lambda at: at.result["answers"] and at.result["version"],
    "cucm_configuration_info": lambda at: at.result["objects"]["SipTrunkSecurityProfile"] and not at.result["not_read"],
    "cucm_certificate_info": lambda at: any(view["purpose"] == "CallManager" for view in at.result["certificates"]),
    "cucm_csr": lambda at: at.result["changed"] and "BEGIN CERTIFICATE REQUEST" in at.result["csr"],
    "ca_sign": lambda at: at.result["changed"] and verified(at.folder, at.result),
    "cucm_cert_upload": lambda at: at.result["changed"] and verified(at.folder, at.results["ca_sign"]),
    "cucm_service": lambda at: at.result["changed"] and at.result["status"] == "Started",
    "cucm_backup": lambda at: at.wrote("backup", "*.json"),
    "cucm_object_info": lambda at: at.result["objects"][0]["object"]["name"] == "Standard SIP Profile",
    "cucm_sip_trunk_info": lambda at: at.result["trunks"][0]["name"] == "New-Trunk",
    "sip_tls_probe": lambda at: at.result["chain"][0]["sha256"] == at.uploaded["sha256"],
    "sip_tls_controller_info": lambda at: all(at.result["packages"].values()) and at.result["python"],
    "cucm_capture": lambda at: at.result["captures"] and at.wrote("evidence"),
    "sip_tls_capture_info": lambda at: at.result["files"],
    "cucm_trace_info": lambda at: at.wrote("traces"),
    "sip_tls_verdict": lambda at: [direction["verdict"] for direction in at.result["directions"]] == ["unproven"],
    "cucm_ctl": lambda at: at.result["ctl"]["present"] is False and not at.result["missing"],
    "sip_tls_doctor": lambda at: at.result["summary"] and at.result["diagnoses"],
    "sip_tls_forecast": lambda at: at.result["summary"] and at.result["forecasts"],
    "sip_tls_report": lambda at: present(at.folder / "report" / "report.html"),
}  # fmt: skip


@pytest.mark.parametrize("module", TASKS)
def test_a_module_by_itself_does_its_job(once: Once, module: str) -> None:
    run, results = once.first
    assert run.code == 0, run.output[-6000:]
    assert module in results, run.output[-6000:]
    result = results[module]
    assert not result.get("failed") and not result.get("deprecations")
    done = Done(result, results, once.user.folder)
    assert JOBS.get(module, made)(done), json.dumps(result, indent=1)[:3000]


def verified(folder: Path, signed: dict[str, Any]) -> bool:
    """Whether openssl follows the certificate to the CA of the folder."""
    (folder / "leaf.pem").write_text(signed["certificate"])
    order = ["openssl", "verify", "-CAfile", "ca/ca.pem", "leaf.pem"]
    return subprocess.run(order, cwd=folder, capture_output=True, timeout=60, check=False).returncode == 0


def attributes() -> dict[str, dict[str, Any]]:
    """The documented attributes of each module, by ansible-doc."""
    order = [sys.executable, "-m", "ansible", "doc", "--json", *(f"siptls.cucm.{name}" for name in MODULES)]
    said = subprocess.run(order, capture_output=True, text=True, timeout=120, check=True).stdout
    return {name.rpartition(".")[2]: described["doc"]["attributes"] for name, described in json.loads(said).items()}


@pytest.mark.matrix
@pytest.mark.timeout(1800)
def test_the_attributes_of_the_modules_are_true(once: Once) -> None:
    """check_mode, diff_mode and idempotent, as documented; in check mode on untouched clusters first."""
    lab, documented = once.user.lab, attributes()
    run, predicted = once.check
    assert run.code in (0, 2), run.output[-6000:]
    assert lab.ask("dump") == once.before, "check mode changed a cluster"
    assert not (once.user.folder / "ca").exists() and not (once.user.folder / "report").exists()
    run, first = once.first
    assert run.code == 0, run.output[-6000:]
    before = lab.ask("dump")
    run, again = once.again
    assert run.code == 0, run.output[-6000:]
    assert lab.ask("dump") == before, "a second run changed a cluster"
    assert set(first) == set(again) == set(MODULES)
    for module in MODULES:
        check_support(module, documented[module], first[module], again[module])
    assert predicted.keys() <= set(MODULES)


def check_support(module: str, documented: dict[str, Any], first: dict[str, Any], again: dict[str, Any]) -> None:
    """The results of two runs are as the module's attributes say."""
    support = {name: attribute["support"] for name, attribute in documented.items()}
    if support["idempotent"] == "full" and module != "cucm_service":
        assert not again["changed"], module
    if support["diff_mode"] == "full" and first["changed"]:
        assert first["diff"], module


README = (ROOT / "README.md").read_text(encoding="utf-8")


#: lines that a person reads: of the first run on two clusters, and of every other run
FIRST_RUN_LINES, LINES = 120, 60


def quick_start(user: NewUser) -> list[tuple[str, list[str]]]:
    """Write the README's two files for the lab; its commands as printed, each as its playbook and its words."""
    section = README[README.index("### A first trunk") : README.index("### The other playbooks")]
    inventory = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0])
    group = inventory["cucm_clusters"]
    assert set(group["hosts"]) == {"cucma", "cucm10"}
    for cluster, host in group["hosts"].items():
        real = user.host(cluster)
        # What the README can't know: addresses, ports and passwords of this lab. Its option names and its paths stay.
        host["cucm_host"] = real["cucm_host"]
        host["cucm_ssh_port"], host["cucm_node_addresses"] = real["cucm_ssh_port"], real["cucm_node_addresses"]
    for name in ("cucm_ca_path", "cucm_ssh_known_hosts"):
        assert not os.path.isabs(group["vars"][name])
        place = user.folder / group["vars"][name]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(Path(user.host("cucma")[name]).read_bytes())
    for name in ("cucm_username", "cucm_os_username"):
        assert name in group["vars"]
        group["vars"][name] = user.host("cucma")[name]
    group["vars"]["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
    (user.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
    (configuration,) = re.findall(r"```ini\n(# ansible.cfg.*?)```", section, re.DOTALL)
    (user.folder / "ansible.cfg").write_text(configuration)
    vault = {f"vault_{name}": user.host("cucma")[name] for name in ("cucm_password", "cucm_os_password")}
    (user.folder / "vault.json").write_text(json.dumps(vault))
    commands = re.findall(r"^ansible-playbook (.*?)(?: +#.*)?$", section, re.MULTILINE)
    return [(command.split()[0].rpartition(".")[2], [*command.split(), "-e", "@vault.json"]) for command in commands]


def contents(folder: Path) -> dict[str, bytes]:
    """Each file of a folder; Python's own cache does not count."""
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def check_output(playbook: str, words: list[str], run: Run, *, first: bool) -> None:
    """A run of the README ended well, and a person can read what it printed; first is the first one that writes."""
    assert run.code == 0, f"{playbook}: {run.output[-6000:]}"
    assert "DEPRECATION" not in run.output and "skipping" not in run.output
    if "--diff" not in words and playbook != "plan":
        assert len(run.output.splitlines()) <= (FIRST_RUN_LINES if first else LINES), run.output


def check_forecast(run: Run) -> None:
    """The first run in check mode says what would be."""
    ways = re.findall(r"^ *(\w+) to (\w+): now insecure; after the run: expected secure", run.output, re.MULTILINE)
    assert sorted(ways) == [("cucm10", "cucma"), ("cucma", "cucm10")], run.output[-3000:]
    # CSR, signature, upload, restart, SIP profile, security profile, trunk, pattern; on both clusters
    assert run.recap["cucma"]["changed"] >= 8 and run.recap["cucm10"]["changed"] >= 8
    assert "values, which -vv shows" in run.output


def check_states(before: Any, states: list[Any]) -> None:
    """Each run of the README left the clusters as it should; before is as they were shipped."""
    check, first, plan, verify, renew, remove, restored = states
    assert check == before and first != before
    assert first == plan == verify == renew, "something that changes nothing changed a cluster"
    assert remove not in (first, restored)


@pytest.mark.timeout(1800)
def test_the_readme_is_played_from_the_tarball(user: NewUser) -> None:
    """From an empty HOME and an empty folder, its commands as printed: from the first trunk to its removal and back."""
    home = user.folder.parent / "home"
    user.more = {"HOME": str(home)}
    home.mkdir()
    commands, installed, before = quick_start(user), contents(user.collections), user.lab.ask("dump")
    assert [playbook for playbook, _unused in commands] == [
        "sip_tls_trunk", "sip_tls_trunk", "plan", "verify", "renew_certificates", "remove_sip_tls_trunk", "restore",
    ]  # fmt: skip
    states: list[Any] = []
    runs: list[Run] = []
    for number, (playbook, words) in enumerate(commands):
        run = user.run(*words)
        check_output(playbook, words, run, first=number == 1)
        if number == 1:
            call = user.lab.ask("call", cluster="cucma", calling="1018", called="9898")
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True)
        runs.append(run)
        states.append(user.lab.ask("dump"))
    check_forecast(runs[0])
    check_states(before, states)
    for path in ("ca/ca.pem", "report/report.html", "build/plan/plan.html"):
        assert present(user.folder / path), path
    assert f"{user.folder}/report/report.html" in runs[1].output
    assert contents(user.collections) == installed, "a run wrote into the installed collection"
    assert {path.name for path in user.folder.parent.iterdir()} <= {"empty", "home", "lab", "ansible"}
    assert {path.name for path in home.iterdir()} <= {".ansible"}


def test_the_readmes_single_module_runs(user: NewUser) -> None:
    section = README[README.index("### One module by itself") : README.index("### Included content")]
    (play,) = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0])
    play["hosts"] = "cucma"  # one that has no such trunk
    (user.folder / "play.yml").write_text(yaml.safe_dump([play]))
    run = user.run("play.yml", "-i", str(user.lab.inventory))
    # As shipped there is no trunk of that name: the module says so in a sentence that names both.
    assert run.code == 2 and "SIP-TLS-cucm10" in run.output and "does not exist" in run.output, run.output[-3000:]
    assert "Traceback" not in run.output


#: keys that Ansible adds to a result
ANSIBLE_KEYS = {
    "changed", "failed", "msg", "diff", "invocation", "warnings", "deprecations", "ansible_facts", "exception",
}  # fmt: skip
TYPES: dict[str, type | tuple[type, ...]] = {
    "bool": bool, "dict": dict, "float": (int, float), "int": int, "list": list, "str": str, "path": str, "raw": object,
}  # fmt: skip


def undocumented(where: str, values: dict[str, Any], documented: dict[str, Any]) -> Iterator[str]:
    """What a result has that its documentation lacks, or has in another type; contents of lists and mappings too."""
    for key, value in values.items():
        said, place = documented.get(key), f"{where}.{key}"
        if said is None:
            yield f"{place} is not documented"
            continue
        if value is not None and not isinstance(value, TYPES[said["type"]]):
            yield f"{place} is {type(value).__name__}, documented as {said['type']}"
        inner = said.get("contains")
        for part in (value if isinstance(value, list) else [value]) if inner else ():
            if isinstance(part, dict):
                yield from undocumented(place, part, inner)


def without_sample(where: str, documented: dict[str, Any]) -> Iterator[str]:
    """The keys that are documented without a type, or, where they contain nothing documented, without a sample."""
    for key, said in documented.items():
        if not said.get("type"):
            yield f"{where}.{key} has no type"
        if said.get("contains"):
            yield from without_sample(f"{where}.{key}", said["contains"])
        elif "sample" not in said:
            yield f"{where}.{key} has no sample"


def test_every_key_of_a_result_is_documented_with_its_type(once: Once) -> None:
    order = [sys.executable, "-m", "ansible", "doc", "--json", *(f"siptls.cucm.{name}" for name in MODULES)]
    said = json.loads(subprocess.run(order, capture_output=True, text=True, timeout=120, check=True).stdout)
    run, results = once.first
    assert run.code == 0, run.output[-6000:]
    problems: list[str] = []
    for module in MODULES:
        documented = said[f"siptls.cucm.{module}"]["return"] or {}
        result = {key: value for key, value in results[module].items() if key not in ANSIBLE_KEYS - set(documented)}
        problems += [*dict.fromkeys(undocumented(module, result, documented)), *without_sample(module, documented)]
    assert not problems, "\n".join(problems)
