# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the certificates of a bundle from a CA."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pem_chain
short_description: List the certificates of a PEM bundle, DER or PKCS#7, the leaf first
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Reads the certificates from a CA in any of these forms and returns them as PEM. The certificate that issued none of
    the others comes first.
options:
  _input:
    description: PEM, or Base-64 of PEM, DER or PKCS#7 as M(ansible.builtin.slurp) returns it.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read the certificate from a file in any of these forms
  ansible.builtin.set_fact:
    certificate: "{{ (found.content | siptls.cucm.pem_chain)[0] }}"
"""

RETURN = r"""
_value:
  description: The certificates, each as PEM.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._node.upload import handed_out


def pem_chain(source: str) -> list[str]:
    """Read and put in order."""
    try:
        return [certificate.pem for certificate in handed_out("the certificate", source)]
    except Failure as failure:
        raise AnsibleFilterError(failure.msg) from None


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"pem_chain": pem_chain}
