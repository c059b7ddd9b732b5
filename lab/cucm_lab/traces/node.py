# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SDL traces and call logs of one node, written while its SIP side works."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..sip.peers import identify
from ..sip.sdp import masked
from .files import RollingFile

if TYPE_CHECKING:
    from ..sip.connection import SipConnection
    from ..sip.digits import Match
    from ..sip.engine import TlsFailure
    from ..world import Lab, Node

_CALL_METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE")
#: process types of a node: SIPTcp, SIPHandler, SIPD, the timer service
_SIPTCP, _SIPHANDLER, _SIPD, _TIMER = 71, 79, 81, 3
#: SDL's process of a TLS connection, SdlSSLTCPConnection
_TLS_CONNECTION = 17
#: OpenSSL's words for X509_V_ERR, as its releases in CUCM have them
_VERIFICATION_WORDS = {
    2: "unable to get issuer certificate", 9: "certificate is not yet valid", 10: "certificate has expired",
    18: "self signed certificate", 19: "self signed certificate in certificate chain",
    20: "unable to get local issuer certificate", 21: "unable to verify the first certificate",
    24: "invalid CA certificate", 26: "unsupported certificate purpose", 66: "EE certificate key too weak",
    67: "CA certificate key too weak", 68: "CA signature digest algorithm too weak",
}  # fmt: skip
#: numbers of OpenSSL's reasons (sslerr.h); that of an alert which the peer sent is 1000 and its code
_REASON_NUMBERS = {
    "http request": 156, "no ciphers available": 181, "no protocols available": 191, "no shared cipher": 193,
    "peer did not return a certificate": 199, "unsupported protocol": 258, "wrong version number": 267,
    "unexpected eof while reading": 294,
}  # fmt: skip
_ALERT_CODES = {
    "unexpected message": 10, "bad record mac": 20, "record overflow": 22, "handshake failure": 40,
    "bad certificate": 42, "unsupported certificate": 43, "certificate revoked": 44, "certificate expired": 45,
    "certificate unknown": 46, "illegal parameter": 47, "unknown ca": 48, "access denied": 49, "decode error": 50,
    "decrypt error": 51, "protocol version": 70, "insufficient security": 71, "internal error": 80,
    "inappropriate fallback": 86, "user cancelled": 90, "missing extension": 109, "certificate required": 116,
}  # fmt: skip


def _openssl_reason(failure: TlsFailure) -> str:
    """OpenSSL's reason with its number, as `HandleSSLError` writes it."""
    if not failure.alert:
        return f"{failure.detail} [{_REASON_NUMBERS.get(failure.detail, 0)}]"
    code = _ALERT_CODES.get(failure.alert, 0)
    family = "tlsv13" if code in (109, 116) else "sslv3" if code < 48 else "tlsv1"
    return f"{family} alert {failure.alert} [{1000 + code}]"


class NodeTraces:
    """Writes one node's traces. Nothing is written while Cisco CallManager is stopped."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self.number = node.cluster.nodes.index(node) + 1 if node in node.cluster.nodes else 1
        self._zone = ZoneInfo(node.spec.timezone)
        self._started = self._moment = self._now()
        folder = node.active_log / "cm" / "trace" / "ccm"
        self._sdl = RollingFile(folder / "sdl", f"SDL{self.number:03d}_100_", 6, self._file_head)
        self._calllogs = RollingFile(folder / "calllogs", "calllogs_", 8)
        self._open = False
        self._signal = 4_530_000
        self._sub = 0
        self._net = itertools.count(131)
        self._ccb = itertools.count(1000)
        self._legs: dict[str, int] = {}
        self._leg_numbers = itertools.count(19_024_196)
        self._pids: dict[str, int] = {}
        self._tags = itertools.count(1)

    # -- life ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """Cisco CallManager has started."""
        self._open = True
        self._started = self._now()
        self._app(f"CallManager|{self._node.name}: initialized, version {self._node.cluster.release.version}")

    def close(self) -> None:
        """Cisco CallManager has stopped: close the files."""
        self._open = False
        self._sdl.finish()
        self._calllogs.finish()
        self._legs.clear()

    # -- connections --------------------------------------------------------------------------------

    def connection_wanted(self, connection: SipConnection) -> None:
        """An outgoing connection was requested."""
        modes = self._lab.inferred["sip.tls_security"]
        mode = connection.trunk.security_mode if connection.trunk and connection.engine else "Non Secure"
        self._app(
            f"//SIP/SIPHandler/ccbId=0/scbId=0/SIP_PROCESS_ENQUEUE: createConnMsg tls_security={modes.get(mode, 0)}"
        )

    def connection_made(self, connection: SipConnection) -> None:
        """The TCP connection is up."""
        address, port = connection.remote
        where = f"addr={address}, port={port}, connid={connection.connid}, transport={_transport(connection)}"
        if connection.incoming:
            accepted = f"addr={address}, port={port}, transport={_transport(connection)}"
            self._app(
                "//SIP/Stack/Transport/0x0/sipCreateConnInstance: Created new accptd "
                f"conn=0x{_pointer(connection)}, connid={connection.connid}, {accepted}"
            )
            self._app(f"//SIP/Stack/Transport/0x0/sipConnectionManagerProcessNewConnMsg: gConnTab=0xb444c150, {where}")
        else:
            self._app(f"//SIP/Stack/Transport/0x0/sipConnectionManagerProcessConnCreated: gConnTab=0xb444c150, {where}")

    def connection_closed(self, connection: SipConnection) -> None:
        """The connection is closed."""
        address, port = connection.remote
        self._app(
            "//SIP/Stack/Transport/0x0/sipTransportPostCloseConnection: Posting TCP conn close for "
            f"addr={address}, port={port}, connid={connection.connid}"
        )
        self._app(f"//SIP/Stack/Transport/0x0/sipDeleteConnInstance: Deleted conn=0x{_pointer(connection)}")

    def certificate(self, connection: SipConnection) -> None:
        """The peer's certificate: a signal to the handler, and one to the trunk's process."""
        engine = connection.engine
        if engine is None or engine.peer is None:
            return
        sans = str(self._lab.inferred["sdl.san_format"]).join(engine.peer.sans)
        text = (
            f"connIdx= {connection.connid} --remoteIP={connection.remote[0]} --remotePort = {connection.remote[1]} "
            f"--X509SubjectName {engine.peer.subject} --Cipher {engine.cipher} --SubjectAltname = {sans}"
        )
        tag = self._tag(connection)
        trunk = connection.trunk.name if connection.trunk else ""
        if not trunk and connection.candidates:
            trunk = min(connection.candidates)
        handler = self._process("SIPHandler", _SIPHANDLER)
        first = ("SIPCertificateInd", "wait", handler, self._process("SIPTcp", _SIPTCP), tag)
        second = ("SIPCertificateInd", "restart0", self._process("SIPD", _SIPD, trunk), handler, tag)
        self._sig(first, f"[T:N-H:0,N:1,L:0,V:0,Z:0,D:0] {text}")
        self._sig(second, f"[R:N-H:0,N:0,L:0,V:0,Z:0,D:0] {text}")

    def handshake_failed(self, connection: SipConnection, failure: TlsFailure) -> None:
        """TLS was not established: the lines of SDL's TLS process, with OpenSSL's number for a refused certificate."""
        if not self._lab.inferred["sdl.tls_failure"]:
            return
        address, port = connection.remote
        source = f"[{self.number}, 100, {_TLS_CONNECTION}, {connection.connid}]: HandleSSLError -"
        if failure.verification:
            words = _VERIFICATION_WORDS.get(failure.verification, "certificate verify failed")
            self._app(
                f"{source} Certificate verification failed:(Verification error:{failure.verification})- {words} "
                f"for {address}:{port}"
            )
            self._app(f"{source} Certificate verification failed for {address}:{port}")
            return
        self._app(
            f"{source} TLS protocol error(ssl reason code={_openssl_reason(failure)}),lib=SSL routines [20],"
            f"fun=ssl3_read_bytes [148], errno=0 for {address}:{port}"
        )

    def name_refused(self, connection: SipConnection, expected: Sequence[str]) -> None:
        """The peer's certificate has none of the names that a profile accepts."""
        peer = connection.engine.peer if connection.engine else None
        if peer is None:
            return
        trunk, process = connection.trunk, self._lab.inferred["sdl.name_mismatch"]
        received = peer.common_names[0] if peer.common_names else ""
        name = f"{process}({connection.connid}) - validTLSConnection:TLS InvalidX509NameInCertificate"
        wanted = " ".join(expected)
        self._app(f"{name}, Rcvd={received} , Expected={wanted}. Will check SAN the next")
        self._app(f"{name} Error , did not find matching SAN either, Rcvd={received}, Expected={wanted}")
        if trunk is None or not self._lab.inferred["sdl.connection_failure"]:
            return
        text = "Unified CM failed to open a TLS connection for the indicated device"
        self._app(
            f"ConnectionFailure - {text} Device Name:{trunk.name} IP Address:{connection.remote[0]} IPV6Address: "
            f"Device type:131 Reason code:2 App ID:Cisco CallManager Cluster ID:StandAloneCluster "
            f"Node ID:{self._node.name}"
        )
        parameters = (("DeviceName", trunk.name), ("IPAddress", connection.remote[0]), ("IPV6Address", ""),
                      ("DeviceType", "131"), ("Reason", "2"))  # fmt: skip
        self._alarm("ConnectionFailure", "Error", text, parameters)

    # -- messages -----------------------------------------------------------------------------------

    def message_out(self, connection: SipConnection, raw: bytes) -> None:
        """An outgoing message."""
        where = f"to {connection.remote[0]} on port {connection.remote[1]} index {connection.connid} "
        self._message(f"SIPTcp - wait_SdlSPISignal: Outgoing SIP TCP message {where}", connection, raw, "OUT")

    def message_in(self, connection: SipConnection, raw: bytes) -> None:
        """An incoming message."""
        where = f"from {connection.remote[0]} on port {connection.remote[1]} index {connection.connid}"
        title = f"SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message {where} with {len(raw)} bytes:"
        self._message(title, connection, raw, "IN")

    def _message(self, title: str, connection: SipConnection, raw: bytes, direction: str) -> None:
        if not self._open:
            return
        number = next(self._net)
        shown = masked(raw) if self._lab.inferred["sdl.mask_srtp_keys"] else raw
        self._app(f"{title}\n[{number},NET]\n{shown.decode('utf-8', 'surrogateescape')}\n")
        self._call_log(connection, raw, direction, number)

    def _call_log(self, connection: SipConnection, raw: bytes, direction: str, number: int) -> None:
        head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
        fields = dict(line.lower().partition(":")[::2] for line in head[1:])
        method = fields.get("cseq", "").split()[-1:] or [""]
        if method[0].upper() not in _CALL_METHODS:
            return
        first = head[0].removeprefix("SIP/2.0 ") if head[0].startswith("SIP/2.0 ") else head[0].split(" ")[0]
        call_id = next((line.partition(":")[2].strip() for line in head[1:] if line.lower().startswith("call-id")), "")
        leg = self._legs.get(call_id, 0)
        if not leg:
            leg = self._legs[call_id] = next(self._leg_numbers)
            if direction == "IN":
                # CUCM has no leg yet when the first message comes in.
                leg = 0
        trunk = connection.trunk or identify(connection)
        transport = self._lab.inferred["calllogs.tls"] if connection.engine else "TCP"
        address, port = connection.local
        if trunk and not connection.incoming:
            # CUCM logs the port that it listens on, not the connection's own.
            port = trunk.incoming_port
        self._log("SIPT", leg, transport, direction, address, port, trunk.name if trunk else "", *connection.remote,
                  self._tag(connection), number, call_id, first)  # fmt: skip

    # -- calls --------------------------------------------------------------------------------------

    def digit_analysis(self, calling: str, called: str, match: Match | None) -> None:
        """A dialled number and where it leads."""
        self._app(
            f'Digit analysis: match(pi="2", fqcn="{calling}", cn="{calling}",plv="5", pss="", TodFilteredPss="", '
            f'dd="{called}",dac="0")'
        )
        if match is None:
            self._app("Digit analysis: potentialMatches=NoPotentialMatchesExist")
            return
        self._app("Digit analysis: analysis results")
        rows = (
            f"PretransformCallingPartyNumber={calling}",
            f"CallingPartyNumber={calling}",
            f"DialingPartition={match.partition}",
            f"DialingPattern={match.pattern}",
            f"FullyQualifiedCalledPartyNumber={match.dialled}",
            f"DialingPatternRegularExpression=({match.pattern})",
            "DialingWhere=",
            f"PatternType={'Enterprise' if match.phone else 'Route'}",
            "PotentialMatches=NoPotentialMatchesExist",
            f"PretransformDigitString={match.dialled}",
            "PretransformTagsList=SUBSCRIBER",
        )
        self._app("".join(f"|{row}\n" for row in rows).rstrip("\n"))

    def call_offered(self, calling: str, called: str, source: str, target: str) -> None:
        """A call goes from one device to another."""
        first, second = next(self._leg_numbers), next(self._leg_numbers)
        self._log("CC", "SETUP", first, second, calling, called, called)
        self._log("CC", "OFFERED", first, second, calling, called, called, source, target)

    def call_released(self, calling: str, called: str) -> None:
        """A call has ended normally."""
        first, second = next(self._leg_numbers), next(self._leg_numbers)
        self._log("CC", "RELEASE", first, second, 16)

    # -- OPTIONS ping and alarms ------------------------------------------------------------------------

    def ping_begins(self, trunk: str, connection: SipConnection) -> int:
        """An OPTIONS ping was sent; its ccbID."""
        ccb = next(self._ccb)
        tag, process = self._tag(connection), self._process("SIPD", _SIPD, trunk)
        self._sig(("SIPPingReqTimer", "restart0", process, self._process("SdlTimerService", _TIMER), tag), "")
        self._sig(
            ("SIPPingReq", "wait", self._process("SIPHandler", _SIPHANDLER), process, tag),
            f"[T:N-H:0,N:1,L:0,V:0,Z:0,D:0]  ccbID= {ccb} maxForward=0 {self._peer(connection)}",
        )
        return ccb

    def ping_ended(self, trunk: str, connection: SipConnection, ccb: int, code: int, *, named: bool) -> None:
        """Its result; code 0 without a response; `named`: the destination is a host name."""
        error = "F" if code else "T"
        quirk = self._lab.inferred["sdl.host_name_ping"].get(self._node.cluster.release.name)
        if named and quirk:
            error, code = quirk
        handler = self._process("SIPHandler", _SIPHANDLER)
        self._sig(
            ("SIPPingResult", "restart0", self._process("SIPD", _SIPD, trunk), handler, self._tag(connection)),
            f"[R:N-H:0,N:1,L:0,V:0,Z:0,D:0]  ccbID= {ccb} interErr={error} resp={code} state=0 "
            f"{self._peer(connection)}",
        )

    def trunk_status(self, trunk: str, status: str, unavailable: Sequence[str]) -> None:
        """A trunk went out of service, lost some of its peers, or came back."""
        name = ("DeviceName", trunk)
        peers = ("UnavailableRemotePeersWithReasonCode", "; ".join(unavailable))
        if status == "UnRegistered":
            text = "All remote peers are out of service and unable to handle calls"
            self._ris("SIPTrunkOOS", trunk, unavailable)
            self._alarm("SIPTrunkOOS", "Error", text, (name, peers))
        elif status == "Registered" and unavailable and self._lab.inferred["sdl.partial_alarm"]:
            text = "Some of the remote peers are not available to handle calls"
            self._alarm("SIPTrunkPartiallyISV", "Warning", text, (name, peers))
        elif status == "Registered" and self._lab.inferred["sdl.in_service_alarm"]:
            self._ris("SIPTrunkISV", trunk, unavailable)
            self._alarm("SIPTrunkISV", "Notice", "All remote peers are available to handle calls", (name,))

    def _ris(self, event: str, trunk: str, unavailable: Sequence[str]) -> None:
        if self._lab.inferred["sdl.ris_lines"]:
            where = f"RISCMAccess::{event}"
            self._app(f"{where} -->")
            self._app(f"{where}::deviceName={trunk}")
            self._app(f"{where}::availList=")
            self._app(f"{where}::unAvailList={'; '.join(unavailable)}")
            self._app(f"{where} <--")

    def _alarm(self, name: str, severity: str, text: str, parameters: Iterable[tuple[str, str]]) -> None:
        given = (*parameters, ("AppID", "Cisco CallManager"), ("ClusterID", "StandAloneCluster"))
        shown = "".join(f"{key}:{value}, " for key, value in given)
        self._lab.syslog.send(self._node, "CALLMANAGER", (name, severity, text), given)
        self._line(
            "AlarmErr",
            f"AlarmClass: CallManager, AlarmName: {name}, AlarmSeverity: {severity}, AlarmMessage: , "
            f"AlarmDescription: {text}, AlarmParameters:  {shown}NodeID:{self._node.name},",
        )

    # -- lines --------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self._lab.clock.now().astimezone(self._zone)

    def _file_head(self, number: int) -> str:
        now, version = self._moment, self._node.cluster.release.version
        offset = now.strftime("%z") or "+0000"
        text = (
            f"UTC:{offset[:3]}:{offset[3:]},Date: {now:%Y/%m/%d}, AppName: CCM, AppId: 100, AppNodeId: {self.number}, "
            f"AppVersion: CUCM Install={version} Build={version} (lab) memlog=20, HostName: {self._node.name}, "
            f"HostIPAddress: {self._node.address}, AppStartTime: {self._started:%Y/%m/%d %H:%M:%S}, "
            f"FileNumber: {number}, TraceVer: 3.0"
        )
        return f"{self._signal:08d}.000 |{_time(now)} |FileHead |{text}\n"

    def _line(self, kind: str, text: str) -> None:
        if not self._open:
            return
        self._sub += 1
        if self._sub > 999:
            self._signal, self._sub = self._signal + 1, 0
        self._moment = self._now()
        self._sdl.write(f"{self._signal:08d}.{self._sub:03d} |{_time(self._moment)} |{kind:<9}|{text}\n")

    def _app(self, text: str) -> None:
        self._line("AppInfo", text)

    def _sig(self, columns: tuple[str, str, str, str, str], text: str) -> None:
        """`columns`: signal, state, receiver, sender, tag."""
        signal, state, receiver, sender, tag = columns
        self._signal, self._sub = self._signal + 1, -1
        self._line("SdlSig", f"{signal:<39}|{state:<31}|{receiver:<33}|{sender:<33}|{tag:<41}|{text}")

    def _log(self, *fields: object) -> None:
        if self._open:
            now = self._now()
            self._calllogs.write("|".join(map(str, (f"{now:%Y/%m/%d} {_time(now)}", *fields))) + "\n")

    def _process(self, name: str, kind: int, of: str | None = None) -> str:
        """A process's name with node, application, type and instance; each trunk has an instance of SIPD."""
        instance = 1 if of is None else self._pids.setdefault(of, 16 + len(self._pids))
        return f"{name}({self.number},100,{kind},{instance})"

    def _tag(self, connection: SipConnection) -> str:
        kind, peer = (14, connection.remote[0]) if connection.incoming else (17, "*")
        return f"{self.number},100,{kind},{connection.connid}.{next(self._tags)}^{peer}^*"

    def _peer(self, connection: SipConnection) -> str:
        name = connection.transport_name
        types, security = self._lab.inferred["sdl.trans_type"], self._lab.inferred["sdl.trans_security"]
        return (
            f"--TransType={types.get(name, 1)} --TransSecurity={security.get(name, 0)} "
            f"PeerAddr = {connection.remote[0]}:{connection.remote[1]}"
        )


def _transport(connection: SipConnection) -> str:
    return "TLS Over TCP" if connection.engine else "TCP"


def _pointer(connection: SipConnection) -> str:
    return f"{0xF1000000 + connection.connid * 0x140:x}"


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
