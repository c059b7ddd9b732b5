# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that `up` leaves for its users: lab.json, inventory.yml, https-ca.pem, known_hosts."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path
from typing import Any

import yaml

from .packages import package
from .world import Cluster, Lab

LAB, INVENTORY, HTTPS_CA, KNOWN_HOSTS = "lab.json", "inventory.yml", "https-ca.pem", "known_hosts"


def write(lab: Lab) -> None:
    """Write all of them; lab.json last, because it says that the lab is up."""
    directory = lab.directory
    pems = [node.certs.active_identity("tomcat")[0] for node in lab.nodes]
    _write(directory / HTTPS_CA, "".join(pem if pem.endswith("\n") else pem + "\n" for pem in pems))
    _write(directory / KNOWN_HOSTS, "".join(line + "\n" for line in _host_keys(lab)))
    _write(directory / INVENTORY, yaml.safe_dump(inventory(lab), sort_keys=False))
    _write(directory / LAB, json.dumps(description(lab), indent=1) + "\n")


def remove(directory: Path) -> None:
    """Remove what says that a lab is running."""
    (directory / LAB).unlink(missing_ok=True)


def description(lab: Lab) -> dict[str, Any]:
    """What lab.json holds: pid, ports, clusters with nodes and phones, CAs. No password."""
    ports = {"https": lab.ports.https, "ssh": lab.ports.ssh, "sip_tls": lab.ports.sip_tls, "sip_tcp": lab.ports.sip_tcp}
    return {
        "pid": os.getpid(),
        "scenario": lab.scenario.name,
        "source": lab.scenario.source,
        "net": lab.scenario.net,
        "ports": ports,
        "clusters": [
            {
                "name": cluster.name,
                "release": cluster.release.name,
                "version": cluster.release.version,
                "axl_version": cluster.release.axl_version,
                "phones": [phone.extension for phone in cluster.phones],
                "nodes": [
                    {"name": node.name, "fqdn": node.fqdn, "address": node.address, "role": node.role}
                    for node in cluster.nodes
                ],
            }
            for cluster in lab.clusters.values()
        ],
        "cas": [{key: ca[key] for key in ("name", "address", "port") if key in ca} for ca in lab.scenario.cas],
    }


def inventory(lab: Lab) -> dict[str, Any]:
    """A ready inventory: the group cucm_clusters with every connection variable of the collection."""
    return {"cucm_clusters": {"hosts": {c.name: _host(lab, c) for c in lab.clusters.values()}}}


def _host(lab: Lab, cluster: Cluster) -> dict[str, Any]:
    application = next(iter(cluster.application_accounts.values()))
    platform = next(iter(cluster.platform_accounts.values()))
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "cucm_host": cluster.publisher.address,
        "cucm_port": lab.ports.https,
        "cucm_username": application.username,
        "cucm_password": application.password,
        "cucm_os_username": platform.username,
        "cucm_os_password": platform.password,
        "cucm_ssh_port": lab.ports.ssh,
        "cucm_ssh_known_hosts": str(lab.directory / KNOWN_HOSTS),
        "cucm_ca_path": str(lab.directory / HTTPS_CA),
        # Node names do not resolve on loopback.
        "cucm_node_addresses": {node.name: node.address for node in cluster.nodes},
        "cucm_local_patterns": _local_patterns(cluster),
    }
    if cluster.release.tls.maximum < ssl.TLSVersion.TLSv1_2 or "ssh-rsa" in cluster.release.ssh.host_keys:
        variables["cucm_legacy_crypto"] = True
    return variables


def _local_patterns(cluster: Cluster) -> list[str]:
    given = cluster.spec.local_patterns
    return [phone.extension for phone in cluster.phones] if given is None else list(given)


def _host_keys(lab: Lab) -> list[str]:
    """known_hosts lines, from `shell.host_key_lines(lab, node) -> ["ssh-rsa AAAA...", ...]`."""
    shell = package("shell")
    lines = []
    for node in lab.nodes:
        port = lab.ports.ssh
        names = [node.address, node.name.lower(), node.fqdn]
        hosts = ",".join(dict.fromkeys(names if port == 22 else [f"[{name}]:{port}" for name in names]))
        lines += [f"{hosts} {key}" for key in shell.host_key_lines(lab, node)]
    return lines


def _write(path: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner: the inventory contains the lab's accounts."""
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
