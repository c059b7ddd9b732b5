# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From records to a scenario. What a record has and a twin cannot have is a sentence in the scenario's `not_copied`.

The twin of a node has a loopback address, which takes the place of the original's in the destinations of trunks. The
names of the original lead to it as well (`aliases`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..https.axl.schema import KINDS, Field, target
from ..https.axl.shipped import BARE, ORDER
from ..release import RELEASES, Release, service_update
from ..services import SERVICES
from .peers import not_copied

FORMAT, VERSION = "siptls.cucm record", 1
#: kinds whose objects refer to others of their own kind: they are made first, and filled afterwards
_MUTUAL = {"Location": ("betweenLocations", "relatedLocations"), "Region": ("relatedRegions",)}
#: most phones that a twin has for lines that were only counted
MOST_PHONES = 50
_WILDCARDS = {"X": "0123456789", "N": "23456789", "!": "0", "@": "2"}
_INTEGERS = ("int", "uint", "digits")


class RecordError(ValueError):
    """The record cannot be used; the text says why."""


def load(path: Path) -> dict[str, Any]:
    """Read a record from a YAML or JSON file."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecordError(f"Record {path} cannot be read: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise RecordError(f"{path} is not a record of a cluster: it has no `format: {FORMAT}`.")
    if found.get("version") != VERSION:
        raise RecordError(f"Record {path} has version {found.get('version')}; this lab reads version {VERSION}.")
    return found


def scenario_of(paths: Sequence[Path]) -> dict[str, Any]:
    """The scenario of the twins of these records, ready to be written as YAML."""
    from ..scenario import SCENARIOS

    shipped = yaml.safe_load((SCENARIOS / "two-clusters.yml").read_text(encoding="utf-8"))
    records = [load(path) for path in paths]
    stand_ins = peer_addresses(records)
    places = addresses(records) | stand_ins
    twins, peers = [], {name: _new_peer(name, address) for name, address in stand_ins.items()}
    for path, record in zip(paths, records, strict=True):
        try:
            # JSON has texts as keys.
            record["certificates"] = {int(place): certificate for place, certificate in record["certificates"].items()}
            twin = _Twin(record, places)
            twins.append(twin.cluster())
            twin.add_to(peers)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, RecordError):
                raise
            raise RecordError(f"Record {path} is not complete: {error!r} is missing or has another form.") from None
    made = list(peers.values())
    return {"name": "twins", "accounts": shipped["accounts"], "clusters": twins, **({"peers": made} if made else {})}


def peer_addresses(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The address of each foreign peer of the records, in lower case -> the address of its stand-in."""
    names = dict.fromkeys(
        str(peer["address"]).lower() for record in records for peer in record.get("peers") or () if served(peer)
    )
    return {name: f"127.0.{200 + number // 250}.{1 + number % 250}" for number, name in enumerate(names)}


def served(peer: Mapping[str, Any]) -> bool:
    """Whether the record shows enough of a peer for a stand-in."""
    return peer["transport"] != "TLS" or bool(peer["chain"])


def _new_peer(name: str, address: str) -> dict[str, Any]:
    return {"name": name, "address": address, "listeners": [], "numbers": {}}


def addresses(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The address of each node of the records -> the address of its twin."""
    return {
        str(node["address"]): f"127.0.{100 + number}.{place}"
        for number, record in enumerate(records, 1)
        for place, node in enumerate(record.get("nodes") or (), 1)
    }


class _Twin:
    """One cluster of the scenario."""

    def __init__(self, record: Mapping[str, Any], addresses: Mapping[str, str]) -> None:
        self._record = record
        self._addresses = addresses
        self._release = release_of(str(record["cluster"]["release"]))
        self._missing: list[str] = []

    def cluster(self) -> dict[str, Any]:
        """As `clusters:` of a scenario has it."""
        record = self._record
        cluster = record["cluster"]
        return {
            "name": cluster["name"],
            "release": self._release.name,
            "version": cluster["release"],
            "domain": cluster["parameters"].get("OrganizationTopLevelDomain") or "lab.local",
            "subject": self._subject(),
            "security_mode": "mixed" if cluster["security_mode"] == "mixed" else "non-secure",
            "local_patterns": list(cluster["local_patterns"]),
            "nodes": [self._node(node) for node in record["nodes"]],
            "phones": list(self._phones()),
            "config": self._config(),
            "recorded": {"certificates": record["certificates"], "stores": record["stores"]},
            "not_copied": self._not_copied(),
        }

    def _subject(self) -> dict[str, str]:
        """The attributes of the publisher's certificate, which its next requests have as well."""
        stores = self._record["stores"].get(self._record["nodes"][0]["name"], {})
        own = next((self._record["certificates"].get(number) for number in stores.get("CallManager", ())), None)
        pairs = (part.partition("=") for part in (own or {}).get("subject", ()))
        return {kind: value for kind, _equals, value in pairs if kind in ("C", "ST", "L", "O", "OU")}

    def _node(self, node: Mapping[str, Any]) -> dict[str, Any]:
        features = {service.name for service in SERVICES if service.feature}
        services = node["services"]
        known = {service.name for service in SERVICES}
        self._missing += [f"service {name} of {node['name']}" for name in services if name not in known]
        name, _dot, domain = str(node["name"]).partition(".")
        return {
            "name": name,
            **({"domain": domain} if domain else {}),
            "address": self._addresses[str(node["address"])],
            "role": node["role"],
            "aliases": [str(node["address"]), str(node["name"])],
            "not_activated": sorted(n for n, status in services.items() if status == "Not activated" and n in features),
            "stopped": sorted(n for n, status in services.items() if status == "Stopped" and n in known),
        }

    def _phones(self) -> Iterator[dict[str, Any]]:
        for line in self._record["lines"]:
            for number in line.get("numbers") or self._made_up(line):
                yield {
                    "extension": number, "partition": line["partition"], "line_css": line["line_search_space"],
                    "css": line["device_search_space"], "device_pool": line["device_pool"] or "Default",
                    "name": f"SEP{abs(hash_of(number, line['partition'])):012X}",
                }  # fmt: skip

    def _made_up(self, line: Mapping[str, Any]) -> list[str]:
        """Numbers that fit the local patterns, for lines that were only counted."""
        patterns = [str(pattern) for pattern in self._record["cluster"]["local_patterns"]]
        numbers = [number for pattern in patterns for number in numbers_of(pattern, min(line["count"], MOST_PHONES))]
        if line["count"] > len(numbers):
            self._missing.append(
                f"{line['count'] - len(numbers)} of {line['count']} lines in partition {line['partition'] or '<None>'}"
            )
        return numbers[: line["count"]]

    def add_to(self, peers: Mapping[str, dict[str, Any]]) -> None:
        """Add what this record says of each peer: its ports, and a number that leads there."""
        cluster = self._record["cluster"]["name"]
        for seen in self._record.get("peers") or ():
            peer = peers.get(str(seen["address"]).lower())
            if peer is None or not served(seen):
                continue
            if seen["port"] not in {listener["port"] for listener in peer["listeners"]}:
                transport = "TLS" if seen["transport"] == "TLS" else "TCP"
                peer["listeners"].append(
                    {"port": seen["port"], "transport": transport, "cluster": cluster, "seen": dict(seen)}
                )
            number = self._number_to(str(seen["address"]).lower())
            if number:
                peer["numbers"][cluster] = number

    def _number_to(self, address: str) -> str:
        """A number whose route pattern leads to a trunk with this destination; empty without one."""
        objects = self._record["objects"]
        trunks = {
            trunk["name"]
            for trunk in objects.get("SipTrunk", ())
            for row in trunk.get("destinations") or ()
            if str(row.get("addressIpv4") or "").lower() == address
        }
        groups = _containing(objects.get("RouteGroup", ()), "deviceName", trunks)
        lists = _containing(objects.get("RouteList", ()), "routeGroupName", groups)
        for pattern in objects.get("RoutePattern", ()):
            destination = pattern.get("destination") or {}
            leads = destination.get("gatewayName") in trunks or destination.get("routeListName") in lists
            if leads and str(pattern.get("blockEnable")).lower() != "true":
                return next(iter(numbers_of(str(pattern["pattern"]), 1)), "")
        return ""

    # -- AXL's objects

    def _config(self) -> dict[str, list[dict[str, Any]]]:
        objects = self._record["objects"]
        made = {kind: [self._typed(kind, body) for body in objects.get(kind, ())] for kind in ORDER}
        for kind, mutual in _MUTUAL.items():
            bare = [{name: value for name, value in body.items() if name not in mutual} for body in made[kind]]
            made[kind] = [*bare, *made[kind]]
        for trunk in made["SipTrunk"]:
            for row in trunk.get("destinations") or ():
                given = str(row.get("addressIpv4") or "")
                row["addressIpv4"] = self._addresses.get(given.lower(), given)
        hosts = {str(node["name"]): str(node["name"]).partition(".")[0] for node in self._record["nodes"]}
        for number, manager in enumerate(made["CallManager"], 1):
            manager.update(processNodeName=hosts[manager["processNodeName"]], _ctiid=number)
        return {**self._bare(made), **made}

    def _typed(self, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
        body = typed(KINDS[kind].at(self._release.number), given)
        # AXL shows a group that an object does not have with nothing but defaults.
        return {name: value for name, value in body.items() if not isinstance(value, Mapping) or any(value.values())}

    def _bare(self, made: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        """Objects of kinds that no record has, made by their names because others refer to them."""
        found: dict[str, dict[str, None]] = {}
        for kind, objects in made.items():
            fields = KINDS[kind].at(self._release.number)
            for body in objects:
                for name, value in references(fields, body):
                    if target(name) not in (*ORDER, "ProcessNode"):
                        found.setdefault(target(name), {})[value] = None
        kept = {
            kind: [{"name": name} for name in names if name not in BARE.get(kind, ())] for kind, names in found.items()
        }
        return {kind: rows for kind, rows in kept.items() if rows}

    def _not_copied(self) -> list[str]:
        """What the twin does not have."""
        hosts = {str(node[key]).lower() for node in self._record["nodes"] for key in ("name", "address")}
        unreadable = list(self._record["not_recorded"])
        return [
            *(f"not in the record: {sentence}" for sentence in unreadable),
            *self._missing,
            *not_copied(self._record.get("peers") or ()),
            "certificates for the web interfaces (tomcat): they name addresses that a twin does not have",
            f"private keys: every certificate of {', '.join(sorted(hosts))} was issued anew by stand-ins of its CAs",
        ]


def _containing(objects: Iterable[Mapping[str, Any]], field: str, wanted: Iterable[str]) -> set[str]:
    """The names of the groups or lists that have one of these members."""
    chosen = set(wanted)
    return {body["name"] for body in objects if any(row.get(field) in chosen for row in body.get("members") or ())}


def hash_of(*texts: str) -> int:
    """A number of 48 bits that stands for texts, the same in each run."""
    import hashlib

    return int.from_bytes(hashlib.sha256("\0".join(texts).encode()).digest()[:6], "big")


def release_of(version: str) -> Release:
    """The row of the lab for a version: the newest one of its release that is not newer than it."""
    try:
        wanted = tuple(int(part) for part in version.replace("-", ".").split("."))
    except ValueError:
        raise RecordError(f"{version!r} is not the version of a release.") from None
    rows = [row for row in RELEASES.values() if service_update(row)[:2] == wanted[:2]]
    if not rows:
        raise RecordError(f"The lab has no release {version}; it has {', '.join(RELEASES)}.")
    older = [row for row in rows if service_update(row) <= wanted]
    return max(older, key=service_update) if older else min(rows, key=service_update)


def typed(fields: Iterable[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """An object of a record, whose values are texts, with the types of the schema."""
    known = {field.name: field for field in fields}
    return {name: _typed(known[name], value) for name, value in given.items() if name in known}


def _typed(field: Field, value: Any) -> Any:
    if field.items is not None:
        return [typed(field.items.children, row) for row in value] if isinstance(value, list) else []
    if field.type == "group":
        return typed(field.children, value) if isinstance(value, Mapping) else None
    if field.type == "bool":
        return None if value == "" else str(value).lower() in ("true", "t", "1")
    if field.type in _INTEGERS:
        return int(value) if str(value).lstrip("-").isdecimal() else None
    return value or None if field.type == "fk" else value


def references(fields: Iterable[Field], body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, name) of everything that an object refers to."""
    for field in fields:
        value = body.get(field.name)
        if not value:
            continue
        if field.type == "fk":
            yield field.name, str(value)
        elif field.items is not None:
            for row in value:
                yield from references(field.items.children, row)
        elif field.type == "group":
            yield from references(field.children, value)


def numbers_of(pattern: str, most: int) -> list[str]:
    """Numbers that a pattern matches, at most so many: its wildcards count up from the right."""
    places = [_WILDCARDS.get(sign, sign) for sign in pattern.replace("\\+", "+") if sign not in ".#"]
    found = []
    for number in range(most):
        left, digits = number, []
        for place in reversed(places):
            digits.append(place[left % len(place)])
            left //= len(place)
        if left:
            break
        found.append("".join(reversed(digits)))
    return found
