# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for AWX's API: it keeps objects, and refuses what AWX refuses. It runs no job and is no AWX.

What it knows of AWX is in three tables: the fields that each kind of object takes (any other is an error here, where
AWX would ignore it), the links that each kind has, and the questions that a survey may ask. Two refusals were seen on a
real AWX (24.6.2): an approval's template has no links, and a schedule needs the answers to required survey questions.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Row = dict[str, Any]

TOKEN = "stand-in-token"
COMMON = {"name", "description", "organization"}
#: what a job may be asked for at its launch
PROMPTS = {f"ask_{name}_on_launch" for name in ("limit", "verbosity", "job_type", "variables", "inventory")}
FIELDS: dict[str, set[str]] = {
    "organizations": {"name", "description"},
    "credential_types": {"name", "description", "kind", "inputs", "injectors", "managed"},
    "credentials": COMMON | {"credential_type", "inputs"},
    "execution_environments": COMMON | {"image", "pull"},
    "projects": COMMON | {
        "scm_type", "scm_url", "scm_branch", "scm_update_on_launch", "scm_clean", "scm_delete_on_update",
        "scm_track_submodules", "scm_refspec", "scm_update_cache_timeout", "timeout", "allow_override", "local_path",
    },
    "inventories": COMMON | {"kind", "host_filter", "variables"},
    "inventory_sources": {
        "name", "description", "inventory", "source", "source_project", "source_path", "update_on_launch", "overwrite",
        "overwrite_vars",
    },
    "instance_groups": {
        "name", "is_container_group", "policy_instance_percentage", "policy_instance_minimum", "max_concurrent_jobs",
        "max_forks", "pod_spec_override",
    },
    "job_templates": COMMON | PROMPTS | {
        "project", "inventory", "execution_environment", "playbook", "job_type", "job_slice_count",
        "allow_simultaneous", "survey_enabled", "prevent_instance_group_fallback",
    },
    "workflow_job_templates": COMMON | {"inventory", "allow_simultaneous"},
    "workflow_job_template_nodes": {
        "identifier", "workflow_job_template", "unified_job_template", "extra_data", "type",
    },
    "workflow_approval_templates": {"name", "description", "timeout"},
    "schedules": {"name", "unified_job_template", "rrule", "extra_data"},
}  # fmt: skip
LINKS: dict[str, set[str]] = {
    "job_templates": {"credentials", "instance_groups"},
    "workflow_job_template_nodes": {"success_nodes", "failure_nodes", "always_nodes"},
    "inventories": {"instance_groups", "input_inventories"},
}
REFERENCES = {
    "organization": "organizations", "credential_type": "credential_types", "project": "projects",
    "inventory": "inventories", "execution_environment": "execution_environments", "source_project": "projects",
    "workflow_job_template": "workflow_job_templates",
}  # fmt: skip
#: what AWX's form and API take as a question
QUESTION = {
    "question_name", "question_description", "variable", "type", "choices", "default", "required", "min", "max",
    "new_question",
}  # fmt: skip
QUESTION_TYPES = {"text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"}


class Refused(Exception):
    """An answer of 400 or 404, with its body."""

    def __init__(self, status: int, body: Row) -> None:
        super().__init__(body)
        self.status, self.body = status, body


class StandIn:
    """The objects by kind; each request changes them as AWX would."""

    def __init__(self, prefix: str = "/api/") -> None:
        self.prefix = prefix
        self.rows: dict[str, dict[int, Row]] = {kind: {} for kind in FIELDS}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, Row] = {}
        self.writes: list[str] = []
        self._next = 1
        self.add("organizations", {"name": "Default"})

    def add(self, kind: str, fields: Row) -> Row:
        """A new object."""
        number, self._next = self._next, self._next + 1
        base = f"{self.prefix}v2/{kind}/{number}/"
        row = {"id": number, "url": base, "type": kind.removesuffix("s"), "related": {}, "summary_fields": {}, **fields}
        if kind == "projects":
            row["scm_revision"] = ""
        if kind == "job_templates":
            row["related"]["survey_spec"] = f"{base}survey_spec/"
        self.rows[kind][number] = row
        return row

    def answer(self, method: str, path: str, query: list[tuple[str, str]], body: Row) -> tuple[int, Row]:
        """Status and body of the answer to a request."""
        place = path.removeprefix(f"{self.prefix}v2/").strip("/").split("/")
        if not path.startswith(f"{self.prefix}v2/") or (place[0] not in FIELDS and place[0] != "unified_job_templates"):
            raise Refused(404, {"detail": "Not found."})
        if method != "GET":
            self.writes.append(f"{method} {path} {json.dumps(body)}")
        match place:
            case [kind]:
                return self._list(kind, query) if method == "GET" else self._create(kind, body)
            case [kind, number]:
                row = self._row(kind, int(number))
                if method == "PATCH":
                    row |= self._checked(kind, body)
                return 200, row
            case [kind, number, what]:
                return self._below(method, kind, int(number), what, body)
        raise Refused(404, {"detail": "Not found."})

    def _row(self, kind: str, number: int) -> Row:
        if number not in self.rows[kind]:
            raise Refused(404, {"detail": "Not found."})
        return self.rows[kind][number]

    def _list(self, kind: str, query: list[tuple[str, str]]) -> tuple[int, Row]:
        kinds = ("job_templates", "workflow_job_templates") if kind == "unified_job_templates" else (kind,)
        rows = [row for kind_name in kinds for row in self.rows[kind_name].values()]
        ignored = {"page_size", "page", "order_by"}
        either = [(name.removeprefix("or__"), value) for name, value in query if name.startswith("or__")]
        every = [(name, value) for name, value in query if not name.startswith("or__") and name not in ignored]
        found = [
            row for row in rows
            if all(str(row.get(name)) == value for name, value in every)
            and (not either or any(str(row.get(name)) == value for name, value in either))
        ]  # fmt: skip
        return 200, {"count": len(found), "next": None, "previous": None, "results": found}

    def _create(self, kind: str, body: Row) -> tuple[int, Row]:
        fields = self._checked(kind, body)
        if any(row["name"] == fields["name"] for row in self.rows[kind].values() if "name" in fields and "name" in row):
            raise Refused(400, {"name": [f"{kind} with this name already exists."]})
        return 201, self.add(kind, fields)

    def _checked(self, kind: str, body: Row) -> Row:
        """The fields of a body, or why AWX does not take them."""
        if unknown := set(body) - FIELDS[kind]:
            raise Refused(400, {name: ["AWX has no such field."] for name in unknown})
        for name, other in REFERENCES.items():
            if body.get(name) is not None and int(body[name]) not in self.rows[other]:
                raise Refused(400, {name: [f'Invalid pk "{body[name]}" - object does not exist.']})
        if kind == "schedules":
            self._answered(body)
        return body

    def _answered(self, body: Row) -> None:
        """A schedule has to bring the answers to required questions: AWX takes no defaults for it."""
        template = body["unified_job_template"]
        if missing := self.unanswered(template, body.get("extra_data") or {}):
            raise Refused(400, {"variables_needed_to_start": [f"'{name}' value missing" for name in missing]})

    def unanswered(self, template: int, answers: Row) -> list[str]:
        """Required questions of a job template's survey that the answers leave open."""
        spec = self.surveys.get(template, {}).get("spec", [])
        return [
            question["variable"] for question in spec if question["required"] and question["variable"] not in answers
        ]

    def _below(self, method: str, kind: str, number: int, what: str, body: Row) -> tuple[int, Row]:
        self._row(kind, number)
        if kind == "job_templates" and what == "survey_spec":
            return self._survey(method, number, body)
        if kind == "workflow_job_template_nodes" and what == "create_approval_template":
            made = self.add("workflow_approval_templates", self._checked("workflow_approval_templates", body))
            self.rows[kind][number]["unified_job_template"] = made["id"]
            self.rows[kind][number]["related"]["unified_job_template"] = made["url"]
            return 201, made
        if what not in LINKS.get(kind, set()):
            # Seen on AWX: /api/v2/workflow_approval_templates/N/success_nodes/ does not exist.
            raise Refused(404, {"detail": "Not found."})
        linked = self.links.setdefault((kind, number, what), [])
        if method == "GET":
            rows = [row for all_rows in self.rows.values() for row in all_rows.values() if row["id"] in linked]
            return 200, {"count": len(rows), "next": None, "previous": None, "results": rows}
        (linked.remove if body.get("disassociate") else linked.append)(int(body["id"]))
        return 204, {}

    def _survey(self, method: str, number: int, body: Row) -> tuple[int, Row]:
        if method == "GET":
            return 200, self.surveys.get(number, {})
        if method == "DELETE":
            self.surveys.pop(number, None)
            return 200, {}
        for question in body["spec"]:
            unknown = set(question) - QUESTION
            if unknown or question["type"] not in QUESTION_TYPES:
                raise Refused(400, {"error": f"question {question['variable']} is not valid: {sorted(unknown)}"})
            if question["type"] == "multiplechoice" and question.get("default") not in [*question["choices"], "", None]:
                raise Refused(400, {"error": f"the default of {question['variable']} is not a choice"})
        self.surveys[number] = body
        return 200, {}


@contextmanager
def serving(stand_in: StandIn) -> Iterator[str]:
    """The stand-in's address on loopback, as long as it serves."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            url = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, {"detail": "Authentication credentials were not provided."})
                status, content = stand_in.answer(self.command, url.path, parse_qsl(url.query), body)
            except Refused as refusal:
                status, content = refusal.status, refusal.body
            data = b"" if status == 204 else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _do

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests look at the objects."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
