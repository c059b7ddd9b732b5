# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of HTTPS: the versions and ciphers of the release, the tomcat certificate."""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world import Node


def context(node: Node) -> ssl.SSLContext:
    """A server context as old as the node's release, with its tomcat identity."""
    policy = node.cluster.release.tls
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(policy.ciphers)
    with warnings.catch_warnings():
        # Python calls TLS 1.0 deprecated, rightly; an old release speaks nothing else.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = policy.minimum
        made.maximum_version = policy.maximum
    certificate, key = node.certs.active_identity("tomcat")
    # The ssl module reads certificates and keys from files alone.
    path = node.directory / "tomcat.pem"
    path.touch(mode=0o600)
    path.write_text(key.rstrip("\n") + "\n" + certificate)
    made.load_cert_chain(path)
    path.unlink()
    return made
