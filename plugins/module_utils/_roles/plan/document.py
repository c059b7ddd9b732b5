# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change document: what a run would do to each cluster, from what its tasks predicted. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import MADE, Made
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Objects, Peer
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import CALLMANAGER
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.certificates import (
    certificate_steps,
    cluster_of,
    kept_certificates,
    sentence,
    shipped_certificates,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.registered import Object, ObjectTask, RunFacts
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.steps import Row, Step, row, step
from ansible_collections.siptls.cucm.plugins.module_utils._text import harmless

#: of a new SIP profile only this is worth a reader's time; the rest is its template's
SIP_PROFILE_SHOWN = ("options_ping", "options_ping_interval_not_ok")
RESET = "Calls over this trunk end; new ones are refused for some seconds."


def change_plan(
    hosts: Mapping[str, Any],
    problems: Iterable[str] = (),
    head: Mapping[str, Any] | None = None,
    form: str = "",
) -> dict[str, Any]:
    """The document as data: `clusters`, `problems`, and how many `changes`, `restarts` and `resets` there would be.

    hosts are the facts and registered results of each host by its name. head is passed through. form is html or
    markdown: every text is then safe to be put into such a page.
    """
    wrong = list(problems)
    releases = {name: cluster_of(facts).version or "" for name, facts in hosts.items()}
    clusters = [_cluster(name, facts, wrong, releases) for name, facts in hosts.items()]
    steps = [action for cluster in clusters for action in cluster["steps"]]
    document = {
        "head": _plain(head or {}),
        "clusters": clusters,
        "problems": wrong,
        "calls": _calls(hosts.values()),
        "changes": sum(action["kind"] in ("certificate", "ctl", "object") for action in steps),
        "restarts": sum(CALLMANAGER in action.get("services", ()) for action in steps),
        "resets": sum(action["kind"] == "reset" for action in steps),
        "unknown": [cluster["name"] for cluster in clusters if not cluster["known"]],
    }
    safe: dict[str, Any] = _each_text(harmless(document), ESCAPES[form])
    return safe


def _cluster(name: str, facts: RunFacts, problems: list[str], releases: Mapping[str, str]) -> dict[str, Any]:
    """One cluster: its steps in the order of the run, and what the run does not change."""
    found = cluster_of(facts)
    made = facts.get("sip_tls_trunk_objects")
    known = not problems and _is_predicted(facts)
    steps = [*certificate_steps(facts), *_trusted(facts), *_objects(facts, made)] if known and made is not None else []
    kept = [*kept_certificates(facts), *shipped_certificates(facts, releases), *_kept_objects(facts)] if known else []
    unknown = "" if known or problems else _unknown(facts)
    return {
        "name": name,
        "release": found.version or "",
        "security_mode": found.security_mode or "",
        "nodes": [f"{node.name} ({node.address})" for node in found.nodes],
        "known": known,
        "why": found.unreachable or unknown,
        "steps": steps,
        "users": list(found.certificate_users) if _renews(steps) else [],
        "same": kept,
        "warnings": [
            *found.warnings,
            *(made.get("waiting", ()) if made else ()),
            *(made.get("offers", ()) if made else ()),
        ],
        "external": [_external(peer) for peer in found.external],
    }


def _is_predicted(facts: RunFacts) -> bool:
    """Whether the prediction came to its end: a part of the steps would look like all of them."""
    return bool(facts.get("preflight_cluster")) and "sip_tls_trunk_objects" in facts and "plan_failure" not in facts


def _unknown(facts: RunFacts) -> str:
    """Why the plan has nothing of a cluster."""
    reason = f": {facts['plan_failure']}" if "plan_failure" in facts else "; the run's output says why."
    return f"What a run would do could not be found out{reason}"


def _calls(hosts: Iterable[RunFacts]) -> list[dict[str, str]]:
    """Whether calls between clusters are routed, now and after the run; preflight found the same for every host."""
    paths = next((facts["preflight_calls"]["paths"] for facts in hosts if facts.get("preflight_calls")), ())
    return [
        {
            "from": str(entry["from"]),
            "to": str(entry["to"]),
            "pattern": str(entry["pattern"]),
            "now": str(entry["now"]["state"]),
            "planned": str(entry["planned"]["state"]),
            "why": str(entry["planned"]["why"]),
        }
        for entry in paths
    ]


def _external(peer: Peer) -> dict[str, Any]:
    return {
        "name": peer.name,
        "address": ", ".join(f"{address}:{peer.port or 5061}" for address in peer.addresses),
        "subject_names": ", ".join(peer.names),
        "numbers": ", ".join(map(str, peer.patterns)) or "none, it only calls in",
    }


def _renews(steps: list[Step]) -> bool:
    """Whether a certificate of the cluster changes."""
    return any(action["kind"] == "certificate" and action["where"] for action in steps)


def _trusted(facts: RunFacts) -> Iterator[Step]:
    for action in (facts.get("sip_tls_trunk_trusted") or {}).get("actions") or ():
        yield step("certificate", f"{sentence(action)}, for the peers that it signs for")


def _objects(facts: RunFacts, made: Objects) -> Iterator[Step]:
    reset: list[str] = []
    for kind in MADE:
        result = _task(facts, kind)
        asked = {str(_key(item)): item for item in made.get(kind.objects) or ()}
        for item in _each_object(result):
            if item["changed"]:
                verb = "Make the" if not item["previous"] else "Change the"
                shown = asked.get(item["name"]) or dict.fromkeys(SIP_PROFILE_SHOWN)
                yield step("object", f"{verb} {kind.noun} {item['name']}", changes=_rows(item, shown))
        reset += [device for device in result.get("reset") or () if device not in reset]
    for device in reset:
        yield step("reset", f"Reset the SIP trunk {device}", effect=RESET)


def _task(facts: RunFacts, kind: Made) -> ObjectTask:
    """What the task that makes objects of a kind registered."""
    return cast("Mapping[str, ObjectTask]", facts).get(kind.registered) or {}


def _each_object(result: ObjectTask) -> list[Object]:
    """The objects of a task with one or with many; a task that was skipped has none."""
    if "objects" in result:
        return list(result["objects"])
    return [cast("Object", result)] if "object" in result else []


def _key(item: Mapping[str, Any]) -> Any:
    return item.get("name") or item.get("pattern")


def _rows(item: Object, shown: Mapping[str, Any]) -> Iterator[Row]:
    """Before and after, option by option: of a new object what is asked for, of an old one what changes."""
    before, after = item["previous"] or {}, item["object"] or {}
    for option in after:
        if option in ("name", "pattern") or (not before and option not in shown):
            continue
        change = row(option, before.get(option), after.get(option))
        if change["before"] != change["after"]:
            yield change


def _kept_objects(facts: RunFacts) -> Iterator[str]:
    for kind in MADE:
        for item in _each_object(_task(facts, kind)):
            if not item["changed"]:
                yield f"{kind.noun} {item['name']}"


def _each_text(value: Any, escape: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: _each_text(item, escape) for key, item in value.items()}
    return [_each_text(item, escape) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Plain types of whatever a template brought, numbers as text, so that nothing evades the escapes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else str(harmless(str(value)))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _markdown(text: str) -> str:
    """Text that Markdown shows unchanged. Underscores and hyphens within words have no meaning there."""
    safe = html.escape(_one_line(text), quote=False)
    safe = re.sub(r"([\\`*\[\]|~])", r"\\\1", safe)
    safe = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", safe)
    return re.sub(r"^(\d*)([#+>-]|(?<=\d)[.)](?=\s|$))", r"\1\\\2", safe)


ESCAPES: dict[str, Callable[[str], str]] = {
    "": str,
    "html": lambda text: html.escape(_one_line(text)),
    "markdown": _markdown,
}
