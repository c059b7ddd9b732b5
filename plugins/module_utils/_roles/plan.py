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
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import MADE
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK

#: of a new SIP profile only this is worth a reader's time; the rest is its template's
SIP_PROFILE_WISHES = ("options_ping", "options_ping_interval_not_ok")
RESTART = (
    "Calls of this node end, and its phones register with another node until it is back, some minutes later. Phones "
    "fetch the new trust list and may reset."
)
RESET = "Calls over this trunk end; new ones are refused for some seconds."
NEW_CA = "the new local CA"
_WOULD = re.compile(r"^would ")


def change_plan(
    hosts: Mapping[str, Mapping[str, Any]],
    problems: Iterable[str] = (),
    head: Mapping[str, Any] | None = None,
    form: str = "",
) -> dict[str, Any]:
    """The document as data: `clusters`, `problems`, and how many `changes`, `restarts` and `resets` there would be.

    hosts are the facts and registered results of each host by its name. head is passed through. form is html or
    markdown: every text is then safe to be put into such a page.
    """
    wrong = list(problems)
    clusters = [_cluster(name, facts, wrong) for name, facts in hosts.items()]
    steps = [step for one in clusters for step in one["steps"]]
    document = {
        "head": _plain(head or {}),
        "clusters": clusters,
        "problems": wrong,
        "calls": _calls(hosts.values()),
        "changes": sum(step["kind"] in ("certificate", "object") for step in steps),
        "restarts": sum(step["kind"] == "restart" for step in steps),
        "resets": sum(step["kind"] == "reset" for step in steps),
        "unknown": [one["name"] for one in clusters if not one["known"]],
    }
    safe: dict[str, Any] = _each_text(document, ESCAPES[form])
    return safe


def _cluster(name: str, facts: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """One cluster: its steps in the order of the run, and what stays as it is."""
    found = facts.get("preflight_cluster") or {}
    made = facts.get("sip_tls_trunk_objects") or {}
    known = bool(found) and "sip_tls_trunk_objects" in facts and not problems
    steps = [*_certificates(facts), *_objects(facts, made)] if known else []
    unknown = "" if known or problems else "What a run would do could not be found out; the run's output says why."
    return {
        "name": name,
        "release": _text(found, "version"),
        "security_mode": _text(found, "security_mode"),
        "nodes": [f"{node['name']} ({node['address']})" for node in _list(found, "nodes")],
        "known": known,
        "why": _text(found, "unreachable") or unknown,
        "steps": steps,
        "same": [*_kept_certificates(facts), *_kept_objects(facts)] if known else [],
        "warnings": [*_list(found, "warnings"), *_list(made, "waiting"), *_list(made, "offers")],
        "external": [_external(peer) for peer in _list(found, "external")],
    }


def _text(facts: Mapping[str, Any], key: str) -> str:
    return str(facts.get(key) or "")


def _list(facts: Mapping[str, Any], key: str) -> list[Any]:
    return list(facts.get(key) or ())


def _calls(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
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


def _external(peer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": peer["name"],
        "address": ", ".join(f"{address}:{peer.get('port') or 5061}" for address in peer.get("addresses") or ()),
        "subject_names": ", ".join(peer.get("names") or ()),
        "numbers": ", ".join(str(one) for one in peer.get("patterns") or ()) or "none, it only calls in",
    }


def _step(kind: str, title: str, *, where: str = "", effect: str = "", changes: Iterable[Any] = ()) -> dict[str, Any]:
    return {"kind": kind, "title": title, "where": where, "effect": effect, "changes": list(changes)}


def _certificates(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in _results(facts, "callmanager_certificate_csrs"):
        if one.get("needed"):
            yield _step("certificate", f"New {TRUNK.name} certificate: {one.get('reason')}", where=one["item"]["name"],
                        changes=_certificate_rows(facts, one))  # fmt: skip
    for one in _results(facts, "callmanager_certificate_uploads"):
        signed = one["item"]
        for action in one.get("actions") or ():
            # A CA that does not exist yet is made up anew for each node that is predicted.
            text = str(action).replace(str(signed["view"]["issuer"]), NEW_CA) if _to_be_made(signed) else action
            yield _step("certificate", _sentence(text), where=signed["item"]["item"]["name"])
    for action in (facts.get("sip_tls_trunk_trusted") or {}).get("actions") or ():
        yield _step("certificate", f"{_sentence(action)}, for the peers that it signs for")
    for one in _results(facts, "callmanager_certificate_restarts"):
        if one.get("changed"):
            yield _step("restart", "Restart Cisco CallManager", where=one["item"]["name"], effect=RESTART)


def _certificate_rows(facts: Mapping[str, Any], csr: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What changes of the certificate, as far as it is known before it is signed."""
    before = csr.get("certificate") or {}
    signed = next(
        (one for one in _results(facts, "callmanager_certificate_signed") if one["item"]["item"] == csr["item"]), {}
    )
    after = dict(signed.get("view") or {})
    if _to_be_made(signed):
        after["issuer"] = NEW_CA
    for key, label in (("subject", "subject"), ("issuer", "signed by"), ("not_after", "valid to"), ("sans", "names")):
        row = {"option": label, "before": text_of(before.get(key)), "after": text_of(after.get(key))}
        if after and row["before"] != row["after"]:
            yield row


def _to_be_made(signed: Mapping[str, Any]) -> bool:
    """Whether the CA that signed is one that check mode made up, because there is none yet."""
    return bool(signed.get("predicted") and signed.get("ca_created") and signed.get("view"))


def _objects(facts: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    reset: list[str] = []
    for kind in MADE:
        result = facts.get(kind.registered) or {}
        wishes = {str(_key(wish)): wish for wish in made.get(kind.objects) or ()}
        for one in _each_object(result):
            if one["changed"]:
                verb = "Make the" if not one["previous"] else "Change the"
                wish = wishes.get(one["name"]) or dict.fromkeys(SIP_PROFILE_WISHES)
                yield _step("object", f"{verb} {kind.noun} {one['name']}", changes=_rows(one, wish))
        reset += [device for device in result.get("reset") or () if device not in reset]
    for device in reset:
        yield _step("reset", f"Reset the SIP trunk {device}", effect=RESET)


def _each_object(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects of a task with one or with many; a task that was skipped has none."""
    if "objects" in result:
        return list(result["objects"])
    return [result] if "object" in result else []


def _key(wish: Mapping[str, Any]) -> Any:
    return wish.get("name") or wish.get("pattern")


def _rows(one: Mapping[str, Any], wish: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Before and after, option by option: of a new object what is asked for, of an old one what changes."""
    before, after = one["previous"] or {}, one["object"] or {}
    for option in after:
        if option in ("name", "pattern") or (not before and option not in wish):
            continue
        row = {"option": option, "before": text_of(before.get(option)), "after": text_of(after.get(option))}
        if row["before"] != row["after"]:
            yield row


def _kept_certificates(facts: Mapping[str, Any]) -> Iterator[str]:
    for one in _results(facts, "callmanager_certificate_csrs"):
        held = one.get("certificate") or {}
        if not one.get("needed") and held:
            yield (
                f"{TRUNK.name} certificate of {one['item']['name']}: signed by {held['issuer']}, valid to "
                f"{held['not_after']}"
            )


def _kept_objects(facts: Mapping[str, Any]) -> Iterator[str]:
    for kind in MADE:
        for one in _each_object(facts.get(kind.registered) or {}):
            if not one["changed"]:
                yield f"{kind.noun} {one['name']}"


def _results(facts: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The results of a looped task that ran."""
    found = (facts.get(name) or {}).get("results") or ()
    return [one for one in found if not one.get("skipped") and "item" in one]


def _sentence(action: str) -> str:
    text = _WOULD.sub("", str(action))
    return text[:1].upper() + text[1:]


def text_of(value: Any) -> str:
    """A value as a person reads it: destinations as address and port, members in their order, nothing as nothing."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "address" in value:
            return f"{value['address']}:{value.get('port', '')}"
        shown = {key: text for key, one in value.items() if (text := text_of(one)) and key != "order"}
        return next(iter(shown.values())) if len(shown) == 1 else ", ".join(f"{k} {v}" for k, v in shown.items())
    if isinstance(value, list | tuple):
        return ", ".join(text_of(one) for one in value)
    return str(value)


def _each_text(value: Any, escape: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: _each_text(one, escape) for key, one in value.items()}
    return [_each_text(one, escape) for one in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Plain types of whatever a template brought, numbers as text, so that nothing evades the escapes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is. Underscores and hyphens within words mean nothing there and stay readable."""
    safe = html.escape(_one_line(text), quote=False)
    safe = re.sub(r"([\\`*\[\]|~])", r"\\\1", safe)
    safe = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", safe)
    return re.sub(r"^(\d*)([#+>-]|(?<=\d)[.)](?=\s|$))", r"\1\\\2", safe)


ESCAPES: dict[str, Callable[[str], str]] = {
    "": str,
    "html": lambda text: html.escape(_one_line(text)),
    "markdown": _markdown,
}
