# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate templates of an enterprise CA: what each makes of a request.

`WebServer` is the stock template (serverAuth alone). The others are duplicates that an administrator
would make for CUCM, correctly or with one of the usual mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_BOTH = ("serverAuth", "clientAuth")
_WEB_KU = ("digitalSignature", "keyEncipherment")
_CUCM_KU = ("digitalSignature", "keyEncipherment", "dataEncipherment", "keyAgreement")


@dataclass(frozen=True)
class Template:
    """EKU and KU replace the request's; None keeps them."""

    name: str
    eku: tuple[str, ...] | None = _BOTH
    key_usage: tuple[str, ...] | None = _CUCM_KU
    days: int = 730
    #: the CN is added to the SANs
    adds_cn: bool = False
    #: the request's SANs are left out
    drops_san: bool = False
    #: a CA manager has to approve
    approval: bool = False
    #: the account may not enrol
    forbidden: bool = False


TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        Template("WebServer", eku=("serverAuth",), key_usage=_WEB_KU),
        Template("CucmTLS"),
        Template("CucmAddsCn", adds_cn=True),
        Template("CucmNoSan", drops_san=True),
        Template("CucmNoDataEncipherment", key_usage=_WEB_KU),
        Template("CucmShort", days=10),
        Template("CucmApproval", approval=True),
        Template("CucmForbidden", forbidden=True),
    )
}
#: a standalone CA has no templates: it keeps what the request asks for, and a person approves
STANDALONE = Template("", eku=None, key_usage=None, days=365, approval=True)


def templates(rows: list[dict[str, Any]]) -> dict[str, Template]:
    """The templates above, and those of a scenario's `templates:`."""
    own: dict[str, Template] = {}
    for row in rows:
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        own[values["name"]] = Template(**values)
    return {**TEMPLATES, **own}
