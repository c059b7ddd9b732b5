# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501
"""The shell's texts. Those that a document or a capture of a real node shows are constants; all others are registered
in the lab's table of inferred behaviour."""

from __future__ import annotations

from ..inferred import register

STARTING = "Command Line Interface is starting up, please wait ..."
WELCOME = """
   Welcome to the Platform Command Line Interface

VMware Installation:
        4 vCPU: Intel(R) Xeon(R) CPU E5-2643 0 @ 3.30GHz
        Disk 1: 110GB, Partitions aligned
        8192 Mbytes RAM
"""
#: the rest of `show status`, for a machine such as the greeting names
MACHINE_LOAD = """CPU Idle:   97.98%  System:   00.51%    User:   01.52%
  IOWAIT:   00.00%     IRQ:   00.00%    Soft:   00.00%

Memory Total:        8010284K
        Free:         512532K
        Used:        7497752K
      Cached:        2764284K
      Shared:         340692K
     Buffers:         181452K

                        Total            Free            Used
Disk/active         19743372K        4889892K       14652448K (75%)
Disk/inactive       19743372K       18687028K          44472K (1%)
Disk/logging        68861560K       55246568K       10117036K (16%)
"""
HARDWARE = """
HW Platform       : VMware Virtual Machine
Processors        : 4
Type              : Intel(R) Xeon(R) CPU E5-2643 0 @ 3.30GHz
CPU Speed         : 3300
Memory            : 8192 MBytes
Object ID         : 1.3.6.1.4.1.9.1.1348
OS Version        : UCOS {os}.i386
Serial Number     : VMware-00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 01

RAID Version      :
No RAID controller information is available

BIOS Information  :
PhoenixTechnologiesLTD 6.00 09/21/2015

RAID Details      :
No RAID information is available
-----------------------------------------------------------------------
Physical device information
-----------------------------------------------------------------------
Number of Disks   : 1
Hard Disk #1
Size (in GB)      : 110
"""
PROMPT = "admin:"
PAGER = "\x1b[1mPress <enter> for 1 line, <space> for one page, or <q> to quit\x1b[0m"
PAGER_GONE = "\r\x1b[K"
PASTE = "Paste the Certificate and Hit Enter"
IMPORTED = """Successfully imported certificate for {unit}.
Please restart services related to {unit} for the new certificate to
become active."""
REGENERATE_WARNING = "WARNING: This operation will overwrite any CA signed certificate previously imported for  {unit}"
REGENERATE_QUESTION = "Proceed with regeneration (yes|no)? "
REGENERATED = """Successfully Regenerated Certificate for {unit}.
You must restart services related to {unit} for the regenerated certificates to become active."""
INCLUDE_OU = "Include OU in CSR (yes|no)? "
NO_SUCH_FILE = "no such file or directory can be found"
#: rows of the inferred table that the REST API reads too
LOCK_AFTER, LOCK_MINUTES = "shell.lock_after", "shell.lock_minutes"
CONTINUE = "Would you like to proceed [y/n]? "
SESSION_TIMEOUT_QUESTION = "Continue (y/n)?"

register("shell.start_seconds", 0.05, "How long the shell takes from login to its prompt (a real node: 9 s and more)")
register("shell.prompt_needs_newline", False, "The first prompt appears only after a newline was sent")
register(
    "shell.no_plain_password",
    True,
    "15 takes keyboard-interactive alone and no plain password (one client says so, and contradicts itself)",
)
register(
    "shell.session_timeout_asks",
    True,
    "set cli session timeout asks 'Continue (y/n)?' and acts on the key y, without Enter (one family of samples)",
)
register(
    "shell.unknown_ca",
    "Certificate {name} does not exist",
    "set cert import own that names a CA certificate which the trust store does not hold; empty: the name is ignored",
)
register(LOCK_AFTER, 5, "Bad passwords after which a platform account is locked on the node")
register(LOCK_MINUTES, 5, "How long it stays locked")
register(
    "shell.unknown_command",
    ["Executed command unsuccessfully", "No valid command entered"],
    "Answer to a command that does not exist",
)
register(
    "shell.bad_arguments",
    ["Executed command unsuccessfully", "Incorrect number of parameters entered"],
    "Answer to missing or surplus parameters",
)
register(
    "shell.level_refused",
    ["Executed command unsuccessfully", "Insufficient privilege level to run this command"],
    "A certificate command of an account of level 0",
)
register(
    "shell.csr_generated",
    {"9.1": "Successfully Generated CSR for {unit}.", "12.5": "Successfully Generated CSR  for {unit}"},
    "First release of each of the two known forms (one blank and full stop; two blanks)",
)
register("shell.no_csr", "CSR for {unit} does not exist", "show csr own without a pending CSR")
register("shell.no_csr_at_all", "No CSR found", "show csr list when there is none")
register("shell.no_certificate", "Certificate {name} does not exist", "show cert of a file that is not there")
register("shell.cert_trust_has_pem", True, "show cert trust prints the PEM behind the text")
register(
    "shell.multi_server",
    "Multi-server certificates cannot be uploaded by CLI",
    "From 14 SU2: set cert import own of a multi-server certificate",
)
register("shell.trust_imported", "Successfully imported certificate for {unit}.", "Success of set cert import trust")
register("shell.tls_minimum", "Configured TLS minimum version: {version}", "show tls min-version")
register(
    "shell.tls_minimum_warning",
    "\n*** W A R N I N G ***\nThis will set the minimum TLS to {version} and the system will reboot.",
    "Warning of set tls min-version; known: the system restarts by itself",
)
register("shell.tls_minimum_set", "Successfully set minimum TLS version to {version}", "Success of set tls min-version")
register(
    "shell.tls_minimum_publisher_only",
    "This command can be executed on the publisher only",
    "set tls min-version on a subscriber, from 15SU2 on; known: it is set on the publisher",
)
register("shell.fips_on", "The system is operating in FIPS mode.", "utils fips status in FIPS mode")
register("shell.fips_off", "The system is operating in NON-FIPS mode.", "utils fips status otherwise")
register("shell.cert_reused", "Successfully reused {source} certificate for {unit}.", "Success of set cert reuse")
register("shell.cert_not_reusable", "{source} has no multi-server certificate", "set cert reuse of another certificate")
register("shell.delete_asks", False, "set cert delete asks for confirmation")
register("shell.deleted", "Successfully deleted certificate {name}.", "Success of set cert delete")
register("shell.trust_description", "Trust Certificate", "Description of trust certificates in show cert list trust")
register("shell.no_service", "Service {name} does not exist", "utils service with an unknown name")
register("shell.not_deployable", "Service {name} cannot be activated or deactivated", "activate of a network service")
register(
    "shell.restart_lead",
    [
        "Don't press Ctrl-c while the service is getting RESTARTED.If Service has not Restarted Properly, execute the same Command Again",
        "Service Manager is running",
    ],
    "Lead-in of utils service restart",
)
register("shell.restart_returns_starting", False, "utils service restart returns at [STARTING]")
register("shell.capture_stopped", "Control-C pressed", "Text when a capture is ended by Ctrl-C")
register(
    "shell.capture_renamed",
    "Warning: existing file {name} was renamed to {other}",
    "Text when a capture's name is taken",
)
register(
    "shell.file_list_columns",
    1,
    "Names that file list without detail prints on a line (the one public capture has a single file)",
)
register("shell.sftp_failed", "SFTP transfer failed: {reason}", "Text of a failed file get")
register("shell.session_expired", "Session timed out.", "Text at the end of an idle session")


def csr_generated(forms: dict[str, str], release: tuple[int, int]) -> str:
    """The form of this release: the one whose first release is the highest that is not above it."""
    numbered = sorted((tuple(int(part) for part in since.split(".")), text) for since, text in forms.items())
    return [text for since, text in numbered if since <= release or since == numbered[0][0]][-1]
