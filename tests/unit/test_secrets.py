# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canaries in every secret option and variable: they show nowhere, least of all when something fails."""

from __future__ import annotations

import base64
import json
import re
import runpy
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils import _module

from tests.support import scripted_ssh
from tests.support.certificate_kit import Authority
from tests.support.module_processes import PACKAGE, Ran, ran
from tests.support.process_watch import ProcessWatch
from tests.support.requests_made import make_csr
from tests.support.scripted_server import Server, hang_up, status

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
#: a secret option -> the value that must not be seen again; keys are written as PEM, so that one marks their text
WORD = "5up3r53cr3t"
CANARY = "canary-{}-" + WORD


def secrets_of(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The names of all options with no_log, those of suboptions with a dot."""
    for name, option in options.items():
        if option.get("no_log"):
            yield prefix + name
        yield from secrets_of(option.get("options") or {}, f"{prefix}{name}.")


def spec_of(module: str) -> dict[str, Any]:
    """A module's argument specification, as it hands it to Ansible."""

    class Raised(Exception):
        """Carries the specification out."""

    def tell(argument_spec: dict[str, Any], **_more: Any) -> None:
        raise Raised(argument_spec)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_module, "AnsibleModule", tell)
        with pytest.raises(Raised) as raised:
            runpy.run_module(f"{PACKAGE}.{module}", run_name="__main__")
    spec: dict[str, Any] = raised.value.args[0]
    return spec


@dataclass
class Stage:
    """What a case may use: servers that refuse, a folder that is searched afterwards."""

    folder: Path
    web: Server
    ssh: Callable[..., dict[str, Any]]

    def node(self) -> dict[str, Any]:
        """Options that lead to the web server."""
        return {"host": "127.0.0.1", "port": self.web.http.server_port, "ca_path": str(self.web.ca), "timeout": 3}


@dataclass(frozen=True)
class Case:
    """A module that meets trouble, with canaries: options, or environment variables."""

    name: str
    module: str
    options: Callable[[Stage], dict[str, Any]]
    secrets: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    fails: bool = True


def canary(name: str) -> str:
    """The canary of an option."""
    return CANARY.format(re.sub(r"\W", "-", name))


def put(options: dict[str, Any], name: str, value: str) -> None:
    """Set an option, in its suboption where the name has a dot."""
    outer, dot, inner = name.partition(".")
    if dot:
        options.setdefault(outer, {})[inner] = value
    else:
        options[outer] = value


def refusing(stage: Stage, *answers: Any) -> dict[str, Any]:
    """A web server that answers so."""
    stage.web.play(*(answers or (status(401),)))
    return stage.node()


def echo(stage: Stage) -> dict[str, Any]:
    """A web server that sends the account back in clear and in Base64, as a badly made page may."""
    word = canary("password")
    token = base64.b64encode(f"axladmin:{word}".encode()).decode()
    page = f"<html>Authorization: Basic {token} {word}</html>".encode()
    return refusing(stage, status(500, page, Content_Type="text/html"))


def closed(stage: Stage) -> dict[str, Any]:
    """Nobody is there."""
    return {**stage.node(), "port": 1}


def ca(stage: Stage, **more: Any) -> dict[str, Any]:
    """ca_sign with a CA of one's own, whose encrypted key bears the canary as passphrase."""
    made = Authority.make(stage.folder / "kit", "Own CA")
    given = {"csr": make_csr(stage.folder / "kit"), "local_ca_certificate": made.pem, "path": str(stage.folder / "ca")}
    return {**given, **more}


AXL = {"username": "axladmin"}
OS = {"os_username": "osadmin"}
CERTSRV = {"provider": "adcs", "adcs_username": "LAB\\enroll", "adcs_auth": "basic"}


def certsrv(stage: Stage, *answers: Any) -> dict[str, Any]:
    """A CA's web site that answers so."""
    node = refusing(stage, *answers)
    return {**CERTSRV, "adcs_url": f"https://127.0.0.1:{node['port']}/certsrv", "adcs_ca_path": node["ca_path"],
            "adcs_timeout": 3, "csr": make_csr(stage.folder / "kit")}  # fmt: skip


def vault(stage: Stage, *answers: Any) -> dict[str, Any]:
    """HashiCorp Vault that answers so."""
    node = refusing(stage, *answers)
    return {"provider": "vault", "vault_url": f"https://127.0.0.1:{node['port']}", "vault_ca_path": node["ca_path"],
            "vault_timeout": 3, "csr": make_csr(stage.folder / "kit")}  # fmt: skip


def probe(stage: Stage, key: str) -> dict[str, Any]:
    """A client certificate with a key that cannot be read."""
    made = Authority.make(stage.folder / "kit", "Client")
    return {"host": "127.0.0.1", "port": stage.web.http.server_port, "client_certificate": made.pem, "client_key": key}


def key_with(word: str) -> str:
    """Something that looks like a key and holds a canary."""
    return f"-----BEGIN PRIVATE KEY-----\n{word}\n-----END PRIVATE KEY-----\n"


CASES = [
    *(Case(f"{module} is refused", module, lambda stage: {**refusing(stage), **AXL},
           ("password",)) for module in ("cucm_info", "cucm_sip_trunk_info", "cucm_trace_info")),
    Case("nobody is there", "cucm_info", lambda stage: {**closed(stage), **AXL}, ("password",)),
    Case("the answer shows it", "cucm_info", lambda stage: {**echo(stage), **AXL}, ("password",)),
    Case("the connection breaks", "cucm_info", lambda stage: {**refusing(stage, hang_up), **AXL}, ("password",)),
    Case("it comes from the environment", "cucm_info", refusing, (),
         {"CUCM_USERNAME": "axladmin", "CUCM_PASSWORD": canary("password")}),
    Case("a profile", "cucm_sip_trunk_profile", lambda stage: {**refusing(stage), **AXL, "name": "x"}, ("password",)),
    Case("a service", "cucm_service", lambda stage: {**refusing(stage), **AXL, **OS, "name": "Cisco Tftp"},
         ("password", "os_password")),
    Case("rest refuses", "cucm_csr", lambda stage: {**refusing(stage), **OS, "interface": "rest"}, ("os_password",)),
    Case("rest from the environment", "cucm_certificate_info", lambda stage: {**refusing(stage), "interface": "rest"},
         (), {"CUCM_OS_USERNAME": "osadmin", "CUCM_OS_PASSWORD": canary("os_password")}),
    Case("ssh refuses", "cucm_certificate_info", lambda stage: {**stage.ssh(password="another"), "interface": "cli"},
         ("os_password",)),
    Case("the shell shows it", "cucm_cert_upload", lambda stage: {
        **stage.ssh(password=canary("os_password"), welcome=f"last login with {canary('os_password')}\r\n",
                    commands={"show cert list trust": canary("os_password") + "\n"}),
        "interface": "cli", "chain": [Authority.make(stage.folder / "kit", "Root").pem]}, ("os_password",)),
    Case("the shell shows the sftp password", "cucm_capture", lambda stage: {
        **stage.ssh(password=canary("os_password"), commands={
            "utils network capture eth0 file siptls count 10 size all": "Executing\n",
            "file list activelog platform/cli/siptls.cap*": "siptls.cap\n",
            "file get activelog platform/cli/siptls.cap": f"Permission denied for {canary('sftp.password')}\n"}),
        "count": 10, "seconds": 1, "dest": str(stage.folder / "captures"),
        "sftp": {"host": "127.0.0.1", "username": "u"}}, ("os_password", "sftp.password")),
    Case("the CA's site refuses", "ca_sign", certsrv, ("adcs_password",)),
    Case("Vault refuses", "ca_sign", vault, ("vault_token",)),
    Case("Vault shows it", "ca_sign", lambda stage: vault(
        stage, status(400, json.dumps({"errors": [f"bad token {canary('vault_token')}"]}).encode())), ("vault_token",)),
    Case("Vault's token from the environment", "ca_sign", vault, (), {"VAULT_TOKEN": canary("vault_token")}),
    Case("the CA's site shows it", "ca_sign", lambda stage: certsrv(
        stage, status(200, f"Denied. {canary('adcs_password')}".encode(), Content_Type="text/html")),
        ("adcs_password",)),
    Case("the CA's account from the environment", "ca_sign", lambda stage: {
        name: value for name, value in certsrv(stage).items() if name != "adcs_username"}, (),
        {"SIP_TLS_ADCS_USERNAME": "u", "SIP_TLS_ADCS_PASSWORD": canary("adcs_password")}),
    Case("a key that is not one", "ca_sign", lambda stage: ca(stage, local_ca_key=key_with(canary("local_ca_key"))),
         ("local_passphrase",)),
    Case("a new CA with a passphrase", "ca_sign", lambda stage: {
        "csr": make_csr(stage.folder / "kit"), "path": str(stage.folder / "ca")}, ("local_passphrase",), fails=False),
    Case("a passphrase from the environment", "ca_sign", lambda stage: {
        "csr": make_csr(stage.folder / "kit"), "path": str(stage.folder / "ca")}, (),
        {"SIP_TLS_CA_PASSPHRASE": canary("local_passphrase")}, fails=False),
    Case("a client key that is not one", "sip_tls_probe", lambda stage: probe(stage, key_with(canary("client_key"))),
         ("client_key_passphrase",)),
]  # fmt: skip
#: the options that a case above, or one alike, speaks for: all AXL modules share one account
COVERED = {
    "password", "os_password", "sftp.password", "client_key", "client_key_passphrase",
    "local_ca_key", "local_passphrase", "adcs_password", "vault_token",
}  # fmt: skip


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return Server(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def host_key() -> Any:
    return asyncssh.generate_private_key("ssh-rsa", key_size=2048)


@pytest.fixture
def stage(tmp_path: Path, web: Server, host_key: Any) -> Iterator[Stage]:
    servers: list[scripted_ssh.Server] = []
    (tmp_path / "kit").mkdir()

    def ssh(**script: Any) -> dict[str, Any]:
        servers.append(scripted_ssh.Server(scripted_ssh.Script(**script), host_key))
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{servers[-1].port} {host_key.export_public_key().decode().strip()}\n")
        return {**OS, "host": "127.0.0.1", "ssh_port": servers[-1].port, "ssh_known_hosts": str(known), "timeout": 5}

    yield Stage(tmp_path, web, ssh)
    for server in servers:
        server.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.module}, {case.name}")
def test_no_canary_is_seen_again(case: Case, stage: Stage) -> None:
    options = case.options(stage)
    for name in case.secrets:
        put(options, name, canary(name))
    temporary = stage.folder / "tmp"
    temporary.mkdir(mode=0o700)
    with ProcessWatch([WORD]) as watch:
        done = ran(case.module, {**options, "_ansible_remote_tmp": str(temporary)}, verbosity=4,
                   environment={**case.environment, "TMPDIR": str(temporary)})  # fmt: skip
    assert bool(done.sentence) == case.fails, done.result
    judge(done, watch.seen, stage.folder)


def judge(done: Ran, arguments: set[str], folder: Path) -> None:
    """Nothing secret in the output, in command lines, or in files that others may read."""
    hidden = [WORD, base64.b64encode(b"axladmin:canary").decode()]
    assert not [word for word in hidden if word in done.output], done.output
    assert not re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----", done.output)
    assert not arguments
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_relative_to(folder / "kit"):
            continue
        content = path.read_bytes()
        assert WORD.encode() not in content, path
        if re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----", content):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert not list((folder / "tmp").rglob("*.pem")), "a temporary file was left"


def test_every_secret_option_has_a_case() -> None:
    found = {name for module in MODULES for name in secrets_of(spec_of(module))}
    assert found and found <= COVERED, f"no case for {found - COVERED}"
    assert {name for case in CASES for name in case.secrets} | {"local_ca_key", "client_key"} >= found
    suspicious = {
        f"{module}.{name}" for module in MODULES for name, option in spec_of(module).items()
        if re.search(r"password|passphrase|secret|token", name) and not option.get("no_log")
    }  # fmt: skip
    assert not suspicious
