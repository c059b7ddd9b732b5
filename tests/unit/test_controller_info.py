# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the controller is listed, and a package that is missing is named with the way to install it."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

from tests.support.module_processes import run_module


def test_the_versions_are_those_that_run() -> None:
    result = run_module("sip_tls_controller_info", {})
    assert (result["python"], result["executable"]) == (platform.python_version(), sys.executable)
    assert result["ansible_core"] == metadata.version("ansible-core") and not result["changed"]
    assert result["packages"] == {
        name: metadata.version(name) for name in ("asyncssh", "cryptography", "requests", "zeep")
    }


def test_a_package_that_is_missing_is_named_with_the_way_to_install_it() -> None:
    result = run_module("sip_tls_controller_info", {"packages": ["requests", "no-such-package"]})
    assert result["failed"] and result["packages"]["no-such-package"] is None and result["packages"]["requests"]
    assert result["msg"] == (
        f"The Python that runs Ansible ({sys.executable}) lacks no-such-package. Nothing was changed. "
        f"Run {sys.executable} -m pip install no-such-package."
    )
