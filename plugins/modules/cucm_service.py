#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/services.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_service
short_description: Start, stop or restart a service of a CUCM node and wait until it serves
version_added: 1.0.0
description:
  - Controls a service of one node of Cisco Unified Communications Manager through Control Center (SOAP) or the CLI.
  - With O(serving) it restarts the service only if the port does not present the right certificate yet, and waits until
    it does. A run that was interrupted between upload and restart is therefore completed by the next one.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.attributes
  - siptls.cucm.attributes.both
options:
  username:
    description:
      - The application account, for Control Center.
      - The environment variable E(CUCM_USERNAME) is the default.
    type: str
  password:
    description:
      - The password of O(username). A rejected password is never tried twice, because CUCM locks accounts.
      - The environment variable E(CUCM_PASSWORD) is the default.
    type: str
  os_username:
    description:
      - The platform account, for the CLI.
      - The environment variable E(CUCM_OS_USERNAME) is the default.
    type: str
  os_password:
    description:
      - The password of O(os_username).
      - The environment variable E(CUCM_OS_PASSWORD) is the default.
    type: str
  ssh_port:
    description: TCP port of the node's SSH server.
    type: int
    default: 22
  ssh_known_hosts:
    description: File of trusted SSH host keys, in the format of OpenSSH.
    type: path
    default: ~/.ssh/known_hosts
  ssh_host_key:
    description: Pins the node's SSH host key, as a C(SHA256:) fingerprint or as a public key line.
    type: str
  validate_host_key:
    description: Verify the SSH host key of the node.
    type: bool
    default: true
  name:
    description: The service, by the full name that Control Center shows.
    type: str
    default: Cisco CallManager
  state:
    description:
      - V(restarted) restarts in every run, unless O(serving) or O(started_before) shows that it is not needed.
      - V(restarted) does not start a service that somebody stopped (CUCM reports C(Commanded Out of Service)), unless
        O(start_stopped) is set. It starts one that is down for another reason. If Control Center does not show the
        reason, the module asks the CLI; without O(os_username) it leaves the service stopped.
    type: str
    choices: [started, stopped, restarted]
    default: started
  interface:
    description:
      - V(soap) is Control Center with the application account, V(cli) the platform account over SSH.
      - V(auto) uses Control Center if O(username) is given, and the CLI for C(Cisco Tomcat), which Control Center
        cannot restart.
    type: str
    choices: [auto, soap, cli]
    default: auto
  serving:
    description: How to check that the service is ready.
    type: dict
    suboptions:
      port:
        description: TCP port with TLS.
        type: int
        default: 5061
      certificate:
        description: The CallManager certificate (RSA) that the port should present, as PEM or SHA-256 fingerprint.
          Without it, any certificate will do.
        type: str
      certificates:
        description: The certificates that the port should present by purpose, V(CallManager) or V(CallManager-ECDSA),
          as PEM or SHA-256 fingerprint. The port is asked for each of them in a handshake of its own.
        type: dict
        version_added: 1.0.0
      address:
        description: Address of the port. The default is O(host).
        type: str
  started_before:
    description:
      - Date and time (ISO 8601). V(restarted) then restarts the service only if it was started before that time, such
        as the start of validity of a certificate that it has to load, and leaves a stopped service alone. Control
        Center shows when a service was started, the CLI does not.
      - If O(serving) is given too, O(serving) decides.
    type: str
    version_added: 1.0.0
  only_activated:
    description: Leave a service alone that is not activated on the node; otherwise this is an error. A publisher or a
      TFTP server often does not run Cisco CallManager.
    type: bool
    default: false
  start_stopped:
    description: With O(state=restarted), also start a service that somebody stopped.
    type: bool
    default: false
  also:
    description:
      - Other services of the node that use the same certificate, restarted one after another after O(name).
      - A service is restarted if it is running and either O(name) was restarted, or O(also.needed) is set, or the
        service was started before O(also.started_before). One that is stopped or not activated is left as it is.
    type: dict
    suboptions:
      services:
        description: Full names of the services, in the order in which they are restarted.
        type: list
        elements: str
        default: []
      restart:
        description: Whether to restart them. If not, RV(also) only shows their state.
        type: bool
        default: true
        version_added: 1.0.0
      needed:
        description: Restart them even if O(name) was not restarted.
        type: bool
        default: false
      started_before:
        description: Date and time (ISO 8601). A service that was started before it does not have the certificate yet,
          for example after an interrupted run. Control Center shows when a service was started, the CLI does not.
        type: str
  window:
    description:
      - The time of day at which O(state=restarted) may restart, such as V(01:00-04:00) or V(22:00-04:00), by the local
        time that the node shows in C(show status). Reading it requires O(os_username).
      - Outside of the window nothing is restarted; RV(pending) lists the services that require a restart, and the next
        run inside the window restarts them. Check mode predicts the same.
    type: str
    version_added: 1.0.0
  drain:
    description:
      - Minutes for which O(state=restarted) waits until the node has no active calls, as PerfMon counts them
        (C(CallsActive)). Counting them requires O(username). After that time the restart ends the remaining calls;
        RV(calls_left) is their number.
      - New calls are not refused during that time. If the O(window) ends before the calls do, nothing is restarted.
    type: float
    default: 0
    version_added: 1.0.0
  wait_timeout:
    description: Seconds to wait until the service is in its state and ready.
    type: int
    default: 600
  poll_interval:
    description: Seconds between two checks of the state; the first checks are more frequent.
    type: float
    default: 5.0
seealso:
  - module: siptls.cucm.cucm_cert_upload
"""

EXAMPLES = r"""
- name: Make the uploaded certificate active, and wait for it
  siptls.cucm.cucm_service:
    host: cucma.example.com
    username: axladmin
    password: "{{ vault_password }}"
    name: Cisco CallManager
    state: restarted
    serving:
      port: 5061
      certificate: "{{ upload.certificate.sha256 }}"

- name: The same at night, once the node has no calls, after half an hour at the latest
  siptls.cucm.cucm_service:
    host: cucma.example.com
    username: axladmin
    password: "{{ vault_password }}"
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    name: Cisco CallManager
    state: restarted
    serving:
      certificate: "{{ upload.certificate.sha256 }}"
    window: "01:00-04:00"
    drain: 30
"""

RETURN = r"""
status:
  description: The present state of the service.
  returned: success
  type: str
  sample: Started
since:
  description: When the service was started, by the node's clock; null if the interface does not show it.
  returned: success
  type: str
  version_added: 1.0.0
  sample: "2027-01-31T02:00:00+00:00"
previous_status:
  description: The state of the service before.
  returned: success
  type: str
  sample: "Started"
presented:
  description: SHA-256 fingerprint of the certificate that the port presents for the first purpose.
  returned: success
  type: str
  sample: "C4:57:64:33:A0:FB:E1:CF:EE:0A:7C:CE:43:AD:53:29:6D:6B..."
presented_certificates:
  description: SHA-256 fingerprint of the certificate that the port presents, by purpose.
  returned: success
  type: dict
  sample: {"CallManager": "C4:57:64:33:A0:FB:E1:CF:EE:0A:7C:CE:43:AD:53:29:6D:6B..."}
waited:
  description: Seconds from the request until it was ready.
  returned: success
  type: float
  sample: 1.3
interface:
  description: The interface used.
  returned: success
  type: str
  sample: "control center"
also:
  description: The services of O(also) as they were before, each with C(name), C(status), C(activated), C(since) (when
    it was started, by the node's clock; null if the interface does not show it), and C(changed) (whether it was
    restarted).
  returned: with O(also)
  type: list
  elements: dict
  sample: [{"name": "Cisco Tftp", "changed": true, "status": "Started", "since": "2027-01-31T02:00:00+00:00"}]
restarted:
  description: The services that were restarted, in order. In check mode, those that would be.
  returned: success
  type: list
  elements: str
  version_added: 1.0.0
  sample: ["Cisco CallManager"]
pending:
  description: The services whose restart waits for the O(window).
  returned: success
  type: list
  elements: str
  version_added: 1.0.0
  sample: []
calls_left:
  description: The number of calls that were active when the restart was made, after waiting for O(drain).
  returned: success, with O(drain), if a running service was restarted
  type: int
  version_added: 1.0.0
  sample: 0
left_stopped:
  description: Whether a service that somebody had stopped was left as it is.
  returned: success
  type: bool
  sample: false
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._node.services import SPEC, service

FACE = Face(SPEC, service, needs=("asyncssh", "cryptography", "requests"))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
