# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP server of another make: Debian's Kamailio over mutual TLS, with SIPp as the people behind it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.own_ca import OwnCa

MODULES = [*sorted(Path("/usr/lib").glob("*/kamailio/modules")), Path("/usr/lib/kamailio/modules")]
NEEDED = ("tls", "tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils")
SIP, SIPS, ANSWERS, CALLS = 5060, 5061, 5070, 5072


def modules() -> Path:
    """Kamailio's modules; the test is skipped, with the packages to install, where a part is missing."""
    found = next((place for place in MODULES if all((place / f"{name}.so").exists() for name in NEEDED)), None)
    programs = {"kamailio": kamailio(), "sip-tester": shutil.which("sipp")}
    missing = [package for package, path in programs.items() if not path]
    if found is None:
        missing.append("kamailio-tls-modules")
    if found is None or missing:
        pytest.skip(f"a SIP server of another make is not here; on Debian install {' '.join(dict.fromkeys(missing))}")
    return found


def kamailio() -> str | None:
    """The program, which an ordinary user's PATH often leaves out."""
    return shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Kamailio:
    """Kamailio on one address: TLS towards a cluster, UDP towards SIPp."""

    folder: Path
    address: str
    cluster: str
    name: str = "kamailio"

    def __post_init__(self) -> None:
        self.ca = OwnCa(self.folder, "Another Make", self.name)

    @contextmanager
    def running(self, trusts: Path, method: str = "TLSv1.2+") -> Iterator[None]:
        """The server, which demands a client certificate of the CA `trusts`, until the end of the block."""
        place = modules()
        side = (
            f"method = {method}\nverify_certificate = yes\nrequire_certificate = yes\n"
            f"private_key = {self.folder}/leaf.key\ncertificate = {self.folder}/leaf.pem\nca_list = {trusts}\n"
        )
        if "1.2" not in method:
            side += "cipher_list = ALL:@SECLEVEL=0\n"
        (self.folder / "tls.cfg").write_text(f"[server:default]\n{side}\n[client:default]\n{side}")
        config = self.folder / "kamailio.cfg"
        config.write_text(self._config(place))
        program = kamailio()
        assert program
        with (self.folder / "kamailio.log").open("w") as log:
            # -DD keeps it in the foreground, a child of ours; it ends its own children when it is asked to end.
            server = subprocess.Popen(
                [program, "-f", str(config), "-DD", "-E", "-m", "32", "-M", "8", "-Y", str(self.folder)],
                cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            self._wait(server)
            yield
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                # Its children would outlive it, each with the ports open.
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            assert server.poll() is None, self.log()
            with socket.socket() as probe:
                if probe.connect_ex((self.address, SIPS)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError(f"Kamailio does not listen: {self.log()}")

    def log(self) -> str:
        """What Kamailio said."""
        return (self.folder / "kamailio.log").read_text(errors="replace")[-4000:]

    def _config(self, place: Path) -> str:
        loads = "".join(f'loadmodule "{name}.so"\n' for name in NEEDED)
        return f"""#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
enable_tls=yes
# From its own address, by which the cluster knows it.
tcp_source_ipv4={self.address}
listen=udp:{self.address}:{SIP}
listen=tls:{self.address}:{SIPS}
mpath="{place}/"
{loads}
modparam("tls", "config", "{self.folder}/tls.cfg")
request_route {{
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    record_route();
    if ($rU == "8404") {{ t_newtran(); t_reply("404", "Not Found"); exit; }}
    if ($proto == "tls") {{ $du = "sip:{self.address}:{ANSWERS}"; }}
    else {{ $du = "sip:{self.cluster}:{SIPS};transport=tls"; }}
    t_relay();
}}
"""

    @contextmanager
    def answering(self, transport: str = "u1", port: int = ANSWERS) -> Iterator[None]:
        """SIPp answers the calls that Kamailio passes on (or a cluster's own, over TCP with t1), with SRTP."""
        sipp = self._sipp("answers", "-p", str(port), "-t", transport, self.address)
        try:
            yield
        finally:
            sipp.terminate()
            sipp.wait(10)

    def call(self, number: str, to: str = "", transport: str = "u1") -> tuple[int, str]:
        """SIPp calls a number, through Kamailio or at `to` (address:port); (exit code, what it said)."""
        sipp = self._sipp("calls", "-p", str(CALLS), "-m", "1", "-s", number, "-t", transport, "-timeout", "30s",
                          "-timeout_error", to or f"{self.address}:{SIP}")  # fmt: skip
        try:
            sipp.wait(40)
        except subprocess.TimeoutExpired:
            sipp.kill()
            sipp.wait()
        errors = "".join(path.read_text(errors="replace") for path in self.folder.glob("calls_*_errors.log"))
        return sipp.returncode, errors + (self.folder / "calls.out").read_text(errors="replace")[-2000:]

    def _sipp(self, scenario: str, *options: str) -> subprocess.Popen[bytes]:
        (self.folder / f"{scenario}.xml").write_text(SCENARIOS[scenario])
        program = shutil.which("sipp")
        assert program
        with (self.folder / f"{scenario}.out").open("w") as out:
            return subprocess.Popen(
                [program, "-sf", f"{scenario}.xml", "-i", self.address, "-nostdin", "-trace_err", *options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip


_SDP = """v=0
      o=sipp 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      m=audio 6000 RTP/SAVP 0
      a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk
      a=rtpmap:0 PCMU/8000"""

_ANSWER = """<send><![CDATA[
      SIP/2.0 {status}
      [last_Via:]
      [last_From:]
      [last_To:]{tag}
      [last_Call-ID:]
      [last_CSeq:]
      [last_Record-Route:]
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      {rest}
  ]]></send>"""

_REQUEST = """<send{more}><![CDATA[
      {method} {uri} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:6001@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>{tag}
      Call-ID: [call_id]
      CSeq: {cseq} {method}
      Contact: <sip:6001@[local_ip]:[local_port]>
      Max-Forwards: 70
      {rest}
  ]]></send>"""

_WITH_SDP = f"Content-Type: application/sdp\n      Content-Length: [len]\n\n      {_SDP}"
_EMPTY = "Content-Length: 0"
_TAG = ";tag=[pid]SIPp[call_number]"

_IN_DIALOG = f"[routes]\n      {_EMPTY}"
_INVITE = _REQUEST.format(
    more=' retrans="500"',
    method="INVITE",
    uri="sip:[service]@[remote_ip]:[remote_port]",
    tag="",
    cseq=1,
    rest=_WITH_SDP,
)
_ACK = _REQUEST.format(more="", method="ACK", uri="[next_url]", tag="[peer_tag_param]", cseq=1, rest=_IN_DIALOG)
_BYE = _REQUEST.format(
    more=' retrans="500"', method="BYE", uri="[next_url]", tag="[peer_tag_param]", cseq=2, rest=_IN_DIALOG
)

SCENARIOS = {
    "answers": f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answers">
  <recv request="INVITE" crlf="true"/>
  {_ANSWER.format(status="180 Ringing", tag=_TAG, rest=_EMPTY)}
  {_ANSWER.format(status="200 OK", tag=_TAG, rest=_WITH_SDP)}
  <recv request="ACK"/>
  <recv request="BYE"/>
  {_ANSWER.format(status="200 OK", tag="", rest=_EMPTY)}
</scenario>
""",
    "calls": f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="calls">
  {_INVITE}
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true">
    <action><ereg regexp="RTP/SAVP" search_in="msg" check_it="true" assign_to="1"/></action>
  </recv>
  {_ACK}
  <pause milliseconds="200"/>
  {_BYE}
  <recv response="200"/>
  <Reference variables="1"/>
</scenario>
""",
}
