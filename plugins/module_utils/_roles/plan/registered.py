# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks of the roles registered, as far as the plan reads it. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypedDict, TypeVar

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Objects, View


class Holder(TypedDict, total=False):
    """The item of a loop over nodes, or over the certificates of nodes."""

    name: str
    address: str
    purpose: str
    #: CallManager groups in which no other node runs Cisco CallManager
    only_in: Sequence[str]


class Signed(Holder, total=False):
    """A certificate that ca_sign returned, with the node that it is for."""

    view: View
    #: it was signed in check mode, by a CA that does not exist yet
    predicted: bool
    ca_created: bool


class Result(TypedDict, total=False):
    """What a task in a loop registered for one item."""

    skipped: bool
    failed: bool
    changed: bool
    msg: str


class Csr(Result, total=False):
    """A result of cucm_csr."""

    item: Holder
    needed: bool
    reason: str
    certificate: View | None


class Upload(Result, total=False):
    """A result of cucm_cert_upload."""

    item: Signed
    actions: Sequence[str]


class Restart(Result, total=False):
    """A result of cucm_service."""

    item: Holder
    also: Sequence[Mapping[str, Any]]
    pending: Sequence[str]


class Object(TypedDict):
    """A result of a module of objects, or one entry of its aggregate."""

    name: str
    changed: bool
    previous: Mapping[str, Any] | None
    object: Mapping[str, Any] | None


class ObjectTask(TypedDict, total=False):
    """What a task with one object or with many registered; a skipped one has neither."""

    objects: Sequence[Object]
    object: Mapping[str, Any] | None
    reset: Sequence[str]
    actions: Sequence[str]


class CtlTask(TypedDict, total=False):
    """What a task of cucm_ctl registered; a plan has `would_change` in place of `changed`."""

    changed: bool
    would_change: bool


AnyResult = TypeVar("AnyResult", Csr, Upload, Restart)


class Loop(TypedDict, Generic[AnyResult], total=False):
    """What a task with a loop registered."""

    results: Sequence[AnyResult]


class Following(TypedDict, total=False):
    """What the filter sip_tls_restarts returned."""

    waiting: Sequence[Restart]


class RunFacts(TypedDict, total=False):
    """The facts and registered results of a host after the roles ran."""

    preflight_cluster: Mapping[str, Any]
    preflight_calls: Mapping[str, Any]
    callmanager_certificate_csrs: Loop[Csr]
    callmanager_certificate_signed: Sequence[Signed]
    callmanager_certificate_uploads: Loop[Upload]
    callmanager_certificate_ctl_file: CtlTask
    callmanager_certificate_restarts: Loop[Restart]
    callmanager_certificate_following: Following
    callmanager_certificate_followed: Loop[Restart]
    sip_tls_trunk_objects: Objects
    sip_tls_trunk_trusted: ObjectTask
    #: why the prediction for a plan failed
    plan_failure: str


def ran(loop: Loop[AnyResult] | None) -> list[AnyResult]:
    """The results of a loop's items that ran."""
    found: Iterable[AnyResult] = (loop or {}).get("results") or ()
    return [result for result in found if not result.get("skipped") and "item" in result]
