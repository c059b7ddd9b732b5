# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read side by side, check everything, then write in order; a write whose answer was lost is looked up first.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import bulk, rules, validation
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient, returned
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import DUPLICATE, AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.journal import Journal
from ansible_collections.siptls.cucm.plugins.module_utils._axl.plan import (
    Item,
    decide,
    look_up,
    references,
    stored_otherwise,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Session, key_body
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain, wanted
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import AnswerLost

TRIES = 5
PAUSE = 0.2  # seconds before a lost write is looked up: CUCM may still be working on it
PAST = {"add": "added", "update": "updated", "remove": "removed"}


def items_of(resource: Resource, params: Mapping[str, Any]) -> list[Item]:
    """The objects of a task: the entries of aggregate, with the task's own options as defaults, or a single one."""
    common = {option: value for option in resource.options if (value := params.get(option)) is not None}
    items = []
    for given in [{}] if params.get("aggregate") is None else params["aggregate"]:
        entry = {**common, **{key: value for key, value in given.items() if value is not None}}
        desired = wanted(resource.fields, entry)
        renames = {key: desired.pop(new) for key in resource.key if (new := resource.new_key(key)) in desired}
        state = entry.get("state") or params["state"]
        copy_from = entry.get("copy_from") or params.get("copy_from") or ""
        items.append(Item(resource, desired, state, renames, copy_from))
    return items


def run(resource: Resource, params: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Bring the objects of a task into the state that it asks for; Failure before any write if anything is wrong."""
    items = items_of(resource, params)
    shown = [{**item.desired, **{resource.new_key(key): new for key, new in item.renames.items()}} for item in items]
    validation.refuse([*validation.purge(params.get("purge")), *validation.shape(resource, shown)])
    client = AxlClient.from_params(params, [resource])
    validation.refuse(list(validation.for_release(resource, shown, client.version, client.release)))
    session = Session(client, check_mode)
    single = params.get("aggregate") is None
    client.side_by_side(lambda item: _prepare(item, session, whole=single), bulk.unsettled(items, session))
    items += _purged(resource, params, items, session)
    session.planned = {(resource.kind, item.label.casefold()) for item in items if item.action == "add"}
    named = [reference for item in items for reference in references(item)]
    problems = [problem for item in items for problem in item.problems]
    validation.refuse(problems)
    validation.refuse([*session.missing(named), *rules.check(session, resource, items)])
    resets = _resets(session, items, params.get("reset") or "never")
    journal = Journal(Path(params["reset_journal"]) if params.get("reset_journal") else None)
    left_over = _left_over(session, journal, resets, params.get("reset") or "never")
    if not check_mode:
        journal = _noted(session, journal, resets)
        for device in left_over:
            _reset(session, journal, device)
        for item in items:
            _write(item, session)
            # At once, not after the last write: a run that is stopped in between leaves one trunk to reset, not all.
            for device in _due(item, resets):
                _reset(session, journal, device)
                _mark(device, resets[device])
    resets.update({device: [] for device in left_over})
    return _outcome(session, items, resets, single=single)


def _prepare(item: Item, session: Session, *, whole: bool) -> None:
    """Read one object and decide what to do; of an unchanged one among many keep only what was asked for.

    Otherwise a task with 10,000 unchanged objects would keep, and return, every field of each of them.
    """
    look_up(item, session)
    rules.complete(item)
    decide(item, session)
    if item.current is not None and not whole and not item.action:
        item.current, item.after = item.only_asked(item.current), {}


def _purged(resource: Resource, params: Mapping[str, Any], items: list[Item], session: Session) -> list[Item]:
    """The objects within the prefixes of purge that the task does not name, to be removed."""
    purge = {option: text for option, text in (params.get("purge") or {}).items() if text is not None}
    if not purge:
        return []
    start = {option.removesuffix("_prefix"): text for option, text in purge.items()}
    start = {resource.first if option == "prefix" else option: text for option, text in start.items()}
    search = {resource.field(option, session.version).axl: f"{text}%" for option, text in start.items()}
    kept = {validation.key_of(resource, item.final_key) for item in items} | {
        validation.key_of(resource, item.desired) for item in items
    }
    victims = [
        Item(resource, {option: found.values.get(option, "") for option in resource.key}, "absent", purged=True)
        for found in session.listed(resource, resource.key, **search)
        # CUCM compares without case and takes _ and % as wildcards; the prefix is taken literally.
        if all(str(found.values.get(option, "")).startswith(text) for option, text in start.items())
    ]
    victims = [item for item in victims if validation.key_of(resource, item.desired) not in kept]
    session.client.side_by_side(lambda item: _prepare(item, session, whole=False), victims)
    return victims


def _resets(session: Session, items: list[Item], when: str) -> dict[str, list[Item]]:
    """The SIP trunks to reset, by name, each with the objects that require it."""
    found: dict[str, list[Item]] = {}
    for item in items:
        always = when == "always" and item.state == "present" and item.current is not None
        if always or (when == "on_change" and item.needs_reset):
            for device in rules.devices_to_reset(session, item):
                found.setdefault(device, []).append(item)
    return found


def _left_over(session: Session, journal: Journal, resets: dict[str, list[Item]], when: str) -> list[str]:
    """The trunks that an earlier run changed but did not reset, without those that this run resets anyway."""
    if when == "never":
        return []
    names = [name for name in journal.pending() if name not in resets]
    there = [name for name in names if session.exists("SipTrunk", name)]
    for gone in set(names) - set(there) if not session.check_mode else ():
        journal.done(gone)
    return there


def _noted(session: Session, journal: Journal, resets: dict[str, list[Item]]) -> Journal:
    """Note the coming resets. A file that cannot be written is only a warning, because this run does not need it."""
    try:
        journal.note(resets)
    except Failure as failure:
        session.warnings.append(failure.msg)
        return Journal()
    return journal


def _due(item: Item, resets: dict[str, list[Item]]) -> list[str]:
    """The trunks for whose reset this object was the last reason."""
    return [device for device, reasons in resets.items() if reasons and reasons[-1] is item]


def _mark(device: str, reasons: list[Item]) -> None:
    for item in reasons:
        item.done.append(f"reset SIP trunk {device}")


def _write(item: Item, session: Session) -> None:
    """Make one change; after a lost response, read the object and repeat only what is missing."""
    operation, again = item.action, 0
    while item.action:
        try:
            _send(item, session)
            break
        except AnswerLost:
            again += 1
            if again >= TRIES:
                raise
            time.sleep(PAUSE)
        except AxlFault as refused:
            raced = (item.action == "add" and refused.code in DUPLICATE) or (
                item.action == "remove" and refused.missing
            )
            again += 1
            if not raced or again >= TRIES:
                raise
        _decide_again(item, session)
    if operation:
        session.forget()
        item.done.append(f"{PAST[operation]} {item.name}")
        item.action = operation


def _decide_again(item: Item, session: Session) -> None:
    """What is left to do after a write of unknown outcome; the plan that the user was shown is kept."""
    fresh = Item(item.resource, dict(item.desired), item.state, dict(item.renames))
    look_up(fresh, session)
    decide(fresh, session)
    if fresh.action == "add":
        return
    item.action, item.body, item.renames, item.desired = fresh.action, fresh.body, fresh.renames, fresh.desired


def _send(item: Item, session: Session) -> None:
    kind = item.resource.kind
    key = {} if item.action == "add" else key_body(item.resource, item.desired, session.version)
    body = {} if item.action == "remove" else item.body
    session.client.call(f"{item.action}{kind}", item.name, **key, **body)


def _reset(session: Session, journal: Journal, device: str) -> None:
    for left in reversed(range(TRIES)):
        try:
            answer = _reset_device(session, device)
            break
        except AnswerLost:
            # Whether a reset was made cannot be looked up; a second one ends no calls that the first one has not ended.
            if not left:
                raise
            time.sleep(PAUSE)
    if str(returned(answer)).lower() in ("false", "f"):
        raise Failure(f"CUCM did not reset the SIP trunk {device} on {session.client.host}; reset it by hand.")
    journal.done(device)


def _reset_device(session: Session, device: str) -> Any:
    name = {"_value_1": device}
    return session.client.call("doDeviceReset", f"SIP trunk {device}", deviceName=name, isHardReset=True)


def _outcome(session: Session, items: list[Item], resets: dict[str, list[Item]], *, single: bool) -> Outcome:
    if session.check_mode:
        for item in items:
            if item.action:
                item.done.append(f"{PAST[item.action]} {item.name}")
        for device, reasons in resets.items():
            _mark(device, reasons)
    results = [_result(item, session, single=single) for item in items]
    changed = any(item.action for item in items) or bool(resets)
    result: dict[str, Any] = {
        "axl_version": session.version,
        "assumes": session.assumes,
        "reset": sorted(resets),
        "actions": [action for item in items for action in item.done]
        + [f"reset SIP trunk {device}, which an earlier run did not" for device, why in resets.items() if not why],
    }
    if single:
        result.update(results[0], actions=result["actions"])
    else:
        result["objects"] = results
    diff = [_diff(item, result) for item, result in zip(items, results, strict=True) if item.action]
    brief = [_brief(item, change) for item, change in zip([item for item in items if item.action], diff, strict=True)]
    return Outcome(changed, diff=diff, brief=brief, result=result, warnings=_warnings(session, items))


def _warnings(session: Session, items: list[Item]) -> list[str]:
    for item in items:
        if item.resource.kind == "SipTrunkSecurityProfile" and item.action in ("add", "update"):
            secure = item.after.get("security_mode") in rules.SECURE_MODES
            if secure and not item.after.get("x509_subject_names"):
                session.warnings.append(f"{item.name} has no x509_subject_names: CUCM refuses every peer's call.")
    return [*session.client.http.warnings, *session.warnings]


def _result(item: Item, session: Session, *, single: bool) -> dict[str, Any]:
    """What a task returns for one object: its present state. A single object is read again after a write."""
    previous = item.current.values if item.current else {}
    uuid = item.current.uuid if item.current else ""
    now = {} if item.action == "remove" or item.state == "absent" else (item.after if item.action else previous)
    if item.action in ("add", "update") and single and not session.check_mode:
        fresh = session.fetch(item.resource, item.final_key)
        if fresh is None:
            raise Failure(f"{item.name} was written on {session.client.host}, but CUCM does not find it afterwards.")
        other = stored_otherwise(item, fresh, session.version)
        if other:
            session.warnings.append(f"CUCM stored {', '.join(other)} of {item.name} differently from the request.")
        now, uuid = fresh.values, fresh.uuid
    shown = {
        "name": item.label,
        "state": item.state,
        "changed": bool(item.action),
        "object": plain(now),
        "previous": plain(previous),
        "uuid": uuid,
        "actions": item.done,
    }
    if not (item.action or single):
        del shown["previous"]
    return shown


def _diff(item: Item, result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "before_header": item.name,
        "after_header": item.name,
        "before": _shown(item, result["previous"]),
        "after": _shown(item, result["object"]),
    }


def _brief(item: Item, whole: dict[str, Any]) -> dict[str, Any]:
    """A diff without the defaults of a new object and without unchanged values."""
    before, after = whole["before"], whole["after"]
    if item.action == "update":
        differs = {option for option in {**before, **after} if before.get(option) != after.get(option)}
        sides = {
            side: {option: value for option, value in whole[side].items() if option in differs}
            for side in ("before", "after")
        }
        return {**whole, **sides}
    if item.action == "add":
        asked = {option: value for option, value in after.items() if option in item.desired}
        if len(asked) < len(after):
            source = f"copied from {item.copy_from}" if item.copy_from else "set by CUCM"
            asked[source] = f"{len(after) - len(asked)} values, which -vv shows"
        return {**whole, "after": asked}
    return whole


def _shown(item: Item, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a diff shows: settings, without CUCM's own counters."""
    settings = {row.option for row in flat(item.resource.fields) if row.writable or row.fixed}
    return {option: value for option, value in values.items() if option in settings}
