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
  - With O(serving) a restart happens only when the port does not present the right certificate already, and the module
    waits until it does, so that a run that was stopped between upload and restart is finished by the next one.
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
      - The environment variable E(CUCM_USERNAME) is used when the option is left out.
    type: str
  password:
    description:
      - The password of O(username). A refused password is never tried twice, because CUCM locks accounts.
      - The environment variable E(CUCM_PASSWORD) is used when the option is left out.
    type: str
  os_username:
    description:
      - The platform account, for the CLI.
      - The environment variable E(CUCM_OS_USERNAME) is used when the option is left out.
    type: str
  os_password:
    description:
      - The password of O(os_username).
      - The environment variable E(CUCM_OS_PASSWORD) is used when the option is left out.
    type: str
  ssh_port:
    description: TCP port of the node's SSH server.
    type: int
    default: 22
  ssh_known_hosts:
    description: File with the SSH host keys that are trusted, in the format of OpenSSH.
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
    description: The service, by the full name that the Control Center shows.
    type: str
    default: Cisco CallManager
  state:
    description:
      - V(restarted) restarts at every run, unless O(serving) or O(started_before) shows that it is not needed.
      - V(restarted) does not start a service that somebody stopped (CUCM reports C(Commanded Out of Service)), unless
        O(start_stopped) is set. It starts one that is down for another reason. Control Center may not show the reason;
        the CLI is then asked, and without O(os_username) the service is left stopped.
    type: str
    choices: [started, stopped, restarted]
    default: started
  interface:
    description:
      - V(soap) is Control Center with the application account, V(cli) the platform account over SSH.
      - V(auto) takes Control Center where O(username) is given, and the CLI for C(Cisco Tomcat), which Control Center
        cannot restart.
    type: str
    choices: [auto, soap, cli]
    default: auto
  serving:
    description: What shows that the service serves.
    type: dict
    suboptions:
      port:
        description: TCP port with TLS.
        type: int
        default: 5061
      certificate:
        description: The CallManager certificate (RSA) that the port should present, as PEM or SHA-256 fingerprint. Any
          without it.
        type: str
      certificates:
        description: The certificates that the port should present by purpose, V(CallManager) or V(CallManager-ECDSA),
          as PEM or SHA-256 fingerprint. The port is asked for each of them in a handshake of its own.
        type: dict
        version_added: 1.0.0
      address:
        description: Where the port is; without it, O(host).
        type: str
  started_before:
    description:
      - Date and time (ISO 8601). V(restarted) then restarts only a service that runs since before that time, such as
        the beginning of a certificate that it has to take up, and leaves a stopped one alone. Control Center shows
        since when a service runs, the CLI does not.
      - O(serving) shows more than a time, and is what counts where both are given.
    type: str
    version_added: 1.0.0
  only_activated:
    description: Leave a service alone that is not activated on the node, where it is an error otherwise. A publisher
      or a TFTP server often runs no Cisco CallManager.
    type: bool
    default: false
  start_stopped:
    description: With O(state=restarted), also start a service that somebody stopped by order.
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
        description: Whether they are restarted. If not, RV(also) shows their state, and nothing is done to them.
        type: bool
        default: true
        version_added: 1.0.0
      needed:
        description: Restart them even if O(name) was not restarted.
        type: bool
        default: false
      started_before:
        description: Date and time (ISO 8601). A service that runs since before then does not have the certificate yet,
          such as after an interrupted run. Control Center shows since when a service runs, the CLI does not.
        type: str
  window:
    description:
      - The time of day at which O(state=restarted) may restart, such as V(01:00-04:00) or V(22:00-04:00), by the local
        time that the node shows in C(show status). That requires O(os_username).
      - Outside of it nothing is restarted; RV(pending) has the services that require a restart, and the next run inside
        the window restarts them. Check mode predicts the same.
    type: str
    version_added: 1.0.0
  drain:
    description:
      - Minutes for which O(state=restarted) waits until the node has no active calls, as PerfMon counts them
        (C(CallsActive)). That requires O(username). When the time is over, the restart is made and ends the calls that
        are left; RV(calls_left) has their number.
      - New calls are not refused during that time. If the O(window) ends before the calls do, nothing is restarted.
    type: float
    default: 0
    version_added: 1.0.0
  wait_timeout:
    description: Seconds to wait until the service is in its state and serves.
    type: int
    default: 600
  poll_interval:
    description: Seconds between two looks at the state; the first ones follow each other faster.
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
  description: The state of the service now.
  returned: success
  type: str
  sample: Started
previous_status:
  description: The state that it was found in.
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
  description: Seconds from the request until it served.
  returned: success
  type: float
  sample: 1.3
interface:
  description: The interface that was used.
  returned: success
  type: str
  sample: "control center"
also:
  description: The services of O(also) as they were found, each with C(name), C(status), C(activated), C(since) (when it
    was started, by the node's clock; null where the interface does not show it), and C(changed) (whether it was
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
  description: The services that require a restart which waits for the O(window).
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
