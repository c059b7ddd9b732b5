# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of what runs change, as files on the controller that nobody else can read.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import object_info
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_MODULE
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Failure, Outcome, Task
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo import backup, run_claim
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.unchanged import end_if_changed
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK_EC

SPEC = APPLICATION + ArgSpec(
    options={
        "path": {"type": "path", "required": True},
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["begun", "finished", "claimed", "released"], "default": "begun"},
        "run": {"type": "str", "default": ""},
        "objects": {
            "type": "dict",
            "default": {},
            "options": {kind: {"type": "list", "elements": "dict", "default": []} for kind in BY_MODULE},
        },
        "seen": {"type": "dict", "default": {}},
        "certificates": {"type": "dict", "default": {}},
        "ec_certificates": {"type": "dict", "default": {}},
        "trust": {"type": "list", "elements": "str", "default": []},
        "trust_added": {"type": "list", "elements": "str", "default": []},
        "trust_removed": {"type": "list", "elements": "str", "default": []},
    }
)
OPEN = "unfinished.json"
#: what is kept of an identity certificate
_VIEW = ("subject", "issuer", "serial", "not_after", "sha256")


def service(task: Task) -> Outcome:
    """The service of cucm_backup."""
    params = task.params
    folder = Path(params["path"]) / params["name"]
    if params["state"] in ("claimed", "released"):
        return _claim(task, folder)
    if params["state"] == "finished":
        return _finish(task, folder, _read(folder / OPEN))
    if not task.check_mode:
        run_claim.claim(_place(params, folder), _now())
    earlier = _read(folder / OPEN)
    planned = {kind: objects for kind, objects in (params["objects"] or {}).items() if objects}
    known = [(entry["kind"], entry["name"], entry["partition"]) for entry in (earlier or {}).get("objects") or ()]
    asked = dict.fromkeys(
        [*known, *(backup.key_of(kind, options) for kind, many in planned.items() for options in many)]
    )
    found, warnings = _current(task, asked) if planned else ([], [])
    end_if_changed(params["name"], params["seen"], found)
    head = {
        "cluster": params["name"],
        "run": params["run"],
        "began": _now(),
        "identity": {label: {key: view.get(key) for key in _VIEW} for label, view in _identities(params).items()},
        "trust": sorted({backup.bare(sha256) for sha256 in params["trust"]}),
        "trust_added": params["trust_added"],
        "trust_removed": params["trust_removed"],
    }
    record = backup.begun(earlier, head, planned, found)
    if not task.check_mode:
        _write(folder, folder / OPEN, record)
    return Outcome(result={"record": record, "file": str(folder / OPEN)}, warnings=warnings)


def _claim(task: Task, folder: Path) -> Outcome:
    """Claim the cluster, or release it, without a record."""
    if not task.check_mode and task.params["state"] == "claimed":
        run_claim.claim(_place(task.params, folder), _now())
    elif not task.check_mode:
        run_claim.release(_place(task.params, folder))
    return Outcome(result={"record": {}, "file": ""})


def _place(params: Mapping[str, Any], folder: Path) -> run_claim.Place:
    """The cluster as a claim names it."""
    return run_claim.Place(folder, params["name"], params["host"], params["port"])


def _identities(params: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The certificates of all nodes, each under the label of a record."""
    found = {backup.label(node): view for node, view in params["certificates"].items() if view}
    ec = params["ec_certificates"] or {}
    return found | {backup.label(node, TRUNK_EC.name): view for node, view in ec.items() if view}


def _finish(task: Task, folder: Path, earlier: dict[str, Any] | None) -> Outcome:
    """Close the record; one of a run that changed nothing is taken away."""
    if not task.check_mode:
        run_claim.release(_place(task.params, folder))
    if earlier is None:
        return Outcome(result={"record": {}, "file": ""})
    asked = [backup.entry_key(entry) for entry in earlier["objects"]]
    found, warnings = _current(task, asked) if asked else ([], [])
    identity = {label: view["sha256"] for label, view in _identities(task.params).items()}
    record = backup.finished(earlier, _now(), found, identity)
    kept = backup.holds_something(record)
    file = folder / f"{record['began'].replace(':', '').replace('-', '')}.json"
    if not task.check_mode:
        if kept:
            _write(folder, file, record)
        (folder / OPEN).unlink(missing_ok=True)
    return Outcome(result={"record": record if kept else {}, "file": str(file) if kept else ""}, warnings=warnings)


def _current(task: Task, asked: Iterable[tuple[str, str, str]]) -> tuple[list[dict[str, Any]], list[str]]:
    client, session = object_info.opened(task.params, task.check_mode)
    objects = [{"kind": kind, "name": name, "partition": part} for kind, name, part in asked]
    return object_info.objects(session, objects), [*client.http.warnings, *session.warnings]


def _now() -> str:
    """The moment, in UTC and to the millisecond, so that records sort by their names."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _read(file: Path) -> dict[str, Any] | None:
    """The unfinished record of an earlier run, or None."""
    try:
        record: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Failure(
            f"The record of an interrupted run, {file}, cannot be read ({type(error).__name__}). Move it away. What "
            "that run changed can't be restored then."
        ) from None
    if not isinstance(record, Mapping) or record.get("format") != backup.FORMAT:
        raise Failure(f"{file} is not a record of this version of siptls.cucm. Move it away.")
    return dict(record)


def _write(folder: Path, file: Path, record: Mapping[str, Any]) -> None:
    """Write whole or not at all; the folder and the file are for their owner alone."""
    try:
        for place in (folder.parent, folder):
            if not place.exists():
                place.mkdir(mode=0o700, parents=True)
        os.chmod(folder, 0o700)
        part = file.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(record, out, indent=2, sort_keys=True)
            out.write("\n")
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        raise Failure(
            f"The backup of {record['cluster']} cannot be written to {folder} ({error.strerror}), and nothing was "
            "changed on the cluster for it. Set sip_tls_undo_backup_path to a folder of yours, or "
            "sip_tls_undo_backup to false."
        ) from None


__all__ = ["SPEC", "service"]
