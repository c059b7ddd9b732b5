# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that are not ours: how they are read and judged, and what a cluster gets for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_trunk_objects import sip_tls_trunk_objects
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import clusters_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.external import read_peers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.peers import add_peers, peer_problems
from test_composition import SETTINGS, cluster


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, an intermediate of it (mid.pem), and a root that has expired, all by openssl."""
    folder = tmp_path_factory.mktemp("pki")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "30",
            "-subj", "/O=SBC/CN=Root")  # fmt: skip
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "mid.key", "-out", "mid.csr",
            "-subj", "/O=SBC/CN=Middle")  # fmt: skip
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\n")
    openssl("x509", "-req", "-in", "mid.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "7",
            "-days", "20", "-extfile", "ca.ext", "-out", "mid.pem")  # fmt: skip
    openssl("x509", "-req", "-in", "mid.csr", "-signkey", "mid.key", "-days", "-1", "-extfile", "ca.ext",
            "-out", "old.pem")  # fmt: skip
    signed = ("-CA", "root.pem", "-CAkey", "root.key", "-days", "20")
    openssl("x509", "-req", "-in", "mid.csr", *signed, "-set_serial", "8", "-out", "leaf.pem")
    openssl("req", "-new", "-newkey", "rsa:4104", "-nodes", "-keyout", "long.key", "-out", "long.csr", "-subj", "/CN=L")
    openssl("x509", "-req", "-in", "long.csr", *signed, "-set_serial", "9", "-extfile", "ca.ext", "-out", "long.pem")
    for name in ("leaf", "long"):
        (folder / f"{name}.pem").write_text((folder / f"{name}.pem").read_text() + (folder / "root.pem").read_text())
    return folder


def peer(pki: Path, **more: Any) -> dict[str, Any]:
    return {
        "name": "sbc", "address": "sbc.example.com", "subject_names": ["sbc.example.com"],
        "ca_chain": (pki / "root.pem").read_text(), "numbers": ["8XXX"], **more,
    }  # fmt: skip


def test_a_whole_peer_is_read_from_text_and_from_files_alike(pki: Path) -> None:
    (from_text,), wrong = read_peers([peer(pki)])
    assert not wrong
    for chain, folders in (("root.pem", [str(pki)]), (str(pki / "root.pem"), []), (["root.pem"], ["", str(pki)])):
        (read,), wrong = read_peers([peer(pki, ca_chain=chain)], folders=folders)
        assert (read["chain"], wrong) == (from_text["chain"], [])
    assert (from_text["addresses"], from_text["port"], from_text["patterns"]) == (["sbc.example.com"], 5061, ["8XXX"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject_names": []}, "no subject_names"),
        ({"subject_names": ["a b"]}, "Give a list"),
        ({"ca_chain": None}, "no ca_chain"),
        ({"ca_chain": "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----"}, "damaged"),
        ({"ca_chain": "missing.pem"}, "No such file"),
        ({"ca_chain": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"}, "contains a private key"),
        ({"ca_chain": "@mid.pem"}, "not complete"),
        ({"ca_chain": "@old.pem"}, "expired"),
        ({"ca_chain": "@leaf.pem"}, "O=SBC, CN=Middle of ca_chain: it is not a CA certificate. Give the CA's own"),
        ({"ca_chain": "@long.pem"}, "its key has 4104 bits, and CUCM takes no more than 4096"),
        ({"name": "cucma"}, "cucma is a cluster of the inventory"),
        ({"name": "my sbc"}, "can't be part of a trunk's name"),
        ({"name": None}, "it has no name"),
        ({"address": ""}, "no address"),
        ({"address": "sbc:5061"}, "A port goes into `port`"),
        ({"port": 70000}, "not a TCP port"),
        ({"srtp": "maybe"}, "neither true nor false"),
        ({"security_mode": "Secure"}, "not one of Encrypted, Authenticated"),
        ({"trunk": {"colour": 1}}, "not an option of cucm_sip_trunk"),
        ({"trunk": {"destinations": []}}, "follows from the peer's own keys"),
        ({"number": ["1"]}, "not a key of an external peer"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(pki: Path, change: dict[str, Any], said: str) -> None:
    chain = change.get("ca_chain")
    if isinstance(chain, str) and chain.startswith("@"):
        change = {"ca_chain": (pki / chain[1:]).read_text()}
    peers, wrong = read_peers([peer(pki, **change)], hosts=["cucma", "CUCM10"])
    assert not peers
    assert len(wrong) == 1 and said in wrong[0] and wrong[0].startswith("External peer "), wrong
    assert "c2VjcmV0" not in wrong[0]


def test_the_words_of_the_modules_are_understood_too(pki: Path) -> None:
    other = {"name": "sbc", "addresses": "sbc.example.com", "x509_subject_names": "sbc.example.com",
             "ca_path": str(pki / "root.pem"), "patterns": "8XXX", "srtp_allowed": True}  # fmt: skip
    assert read_peers([other]) == read_peers([peer(pki, srtp=True)])


@pytest.mark.parametrize("given", ["sbc", {"name": "sbc"}, [5], [[]]])
def test_what_is_no_list_of_peers_is_said_too(given: Any) -> None:
    peers, wrong = read_peers(given)
    assert not peers and len(wrong) == 1


def test_two_peers_may_share_neither_name_nor_number_nor_subject(pki: Path) -> None:
    _unused, wrong = read_peers([peer(pki), peer(pki, name="SBC"), peer(pki, name="b")])
    assert len(wrong) == 3
    assert "has this name" in wrong[0] and "subject name" in wrong[1] and "number 8XXX" in wrong[2]
    _unused, wrong = read_peers([peer(pki), peer(pki, name="b", incoming_port=5071, numbers=[])])
    assert wrong == []


def test_all_clusters_problems_with_peers_come_in_one_list_each_once(pki: Path) -> None:
    external = [peer(pki, numbers=["1018"], subject_names=["A"])]
    a, b = clusters_of([cluster("a", "A"), cluster("b", "B", patterns=())])
    add_peers(a, ["b", "ghost"], external, hosts=["a", "b"])
    add_peers(b, [], external, hosts=["a", "b"])
    assert len(a.problems) == 1 and "cucm_peers of a names ghost" in a.problems[0]
    said = peer_problems([a, b])
    assert len(said) == 3
    assert "that of b does not name a" in said[0]
    assert "number 1018" in said[1] and "subject name A" in said[2]


def test_a_peer_that_is_not_ours_gets_our_side_and_nothing_else_is_touched(pki: Path) -> None:
    (read,), _unused = read_peers(
        [peer(pki, address=["sbc1", "sbc2"], port=5062, srtp=False, security_mode="Authenticated",
              normalization_script="for-sbc", trunk={"dtmf_signaling_method": "RFC 2833"})]
    )  # fmt: skip
    ours = [cluster("a", "A"), cluster("b", "B", patterns=("9898",))]
    without = sip_tls_trunk_objects(["b"], ours, SETTINGS)
    made = sip_tls_trunk_objects(["b"], ours, SETTINGS, external=[read])
    assert {key: value[: len(without[key])] for key, value in made.items()} == without
    (profile,), (trunk,), (pattern,) = (made[key][1:] for key in ("profiles", "trunks", "patterns"))
    assert (profile["x509_subject_names"], profile["incoming_port"]) == (["sbc.example.com"], 5061)
    assert profile["security_mode"] == "Authenticated"
    assert trunk["destinations"] == [{"address": "sbc1", "port": 5062}, {"address": "sbc2", "port": 5062}]
    assert (trunk["srtp_allowed"], trunk["normalization_script"]) == (False, "for-sbc")
    assert (trunk["dtmf_signaling_method"], trunk["location"]) == ("RFC 2833", "Hub_None")
    assert (pattern["pattern"], pattern["gateway"]) == ("8XXX", "SIP-TLS-sbc")
    assert made["trust"] == read["chain"]
