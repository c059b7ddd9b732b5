# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces to read: the lines of Cisco document 200180, and the same call as CUCM's files have it."""

from __future__ import annotations

# As the document prints them: flat, without their line ends.
FLAT = (
    '04530161.009 |19:59:21.185 |AppInfo |Digit analysis: match(pi="2", fqcn="1018", cn="1018",plv="5", pss="", '
    'TodFilteredPss="", dd="9898",dac="0") 04530161.010 |19:59:21.185 |AppInfo |Digit analysis: analysis results '
    "04530161.011 |19:59:21.185 |AppInfo ||PretransformCallingPartyNumber=1018 |CallingPartyNumber=1018 "
    "|DialingPartition= |DialingPattern=9898 |FullyQualifiedCalledPartyNumber=9898\n"
    "04530191.034 |19:59:21.189 |AppInfo |//SIP/SIPHandler/ccbId=0/scbId=0/SIP_PROCESS_ENQUEUE: createConnMsg "
    "tls_security=3 04530204.002 |19:59:21.224 |AppInfo |//SIP/Stack/Transport/0x0/"
    "sipConnectionManagerProcessConnCreated: "
    "gConnTab=0xb444c150, addr=10.106.95.200, port=5061, connid=12, transport=TLS Over TCP 04530208.001 |19:59:21.224 "
    "|AppInfo |SIPTcp - wait_SdlSPISignal: Outgoing SIP TCP message to 10.106.95.200 on port 5061 index 12 [131,NET] "
    "INVITE sip:9898@10.106.95.200:5061 SIP/2.0 Via: SIP/2.0/TLS 10.106.95.203:5061;branch=z9hG4bK144f49a43a From: "
    "<sip:1018@10.106.95.203>;tag=34~4bd244e4-0988-4929-9df2-2824063695f5-19024196 To: <sip:9898@10.106.95.200> "
    "Call-ID: 94fffc00-57415541-7-cb5f6a0a@10.106.95.203 User-Agent: Cisco-CUCM9.1\n"
    "04530218.000 |19:59:21.323 |SdlSig |SIPCertificateInd |wait |SIPHandler(1,100,72,1) |SIPTcp(1,100,64,1) "
    "|1,100,17,11.3^*^* |[T:N-H:0,N:1,L:0,V:0,Z:0,D:0] connIdx= 12 --remoteIP=10.106.95.200 --remotePort = 5061 "
    "--X509SubjectName /C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN=CUCM10 --Cipher AES128-SHA --SubjectAltname = "
    "04530219.000 |19:59:21.324 |SdlSig |SIPCertificateInd |restart0 |SIPD(1,100,74,16) |SIPHandler(1,100,72,1) "
    "|1,100,17,11.3^*^* |[R:N-H:0,N:0,L:0,V:0,Z:0,D:0] connIdx= 12 --remoteIP=10.106.95.200 --remotePort = 5061 "
    "--X509SubjectName /C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN=CUCM10 --Cipher AES128-SHA --SubjectAltname ="
)
# As CUCM writes them: padded kinds, a message on lines of its own, CRLF.
REAL = (
    "04530000.000 |19:59:00.000 |FileHead |UTC:+05:30,Date: 2014/05/22, AppName: CCM, AppId: 100, AppNodeId: 1, "
    "AppVersion: CUCM Install=9.1.2.10000-28 Build=9.1.2.10000-28 memlog=20, HostName: CUCMA, "
    "HostIPAddress: 10.106.95.203, AppStartTime: 2014/05/01 08:57:06, FileNumber: 12, TraceVer: 3.0\n"
    '04530161.009 |19:59:21.185 |AppInfo  |Digit analysis: match(pi="2",fqcn="1018", cn="1018", plv="5", pss="CSS", '
    'TodFilteredPss="CSS", dd="9898",dac="0")\n'
    "04530161.010 |19:59:21.185 |AppInfo  |Digit analysis: analysis results\n"
    "04530161.011 |19:59:21.185 |AppInfo  ||PretransformCallingPartyNumber=1018\n|CallingPartyNumber=1018\n"
    "|DialingPartition=\n|DialingPattern=9898\n|FullyQualifiedCalledPartyNumber=9898\n"
    "|DialingPatternRegularExpression=(9898)\n"
    "04530204.002 |19:59:21.224 |AppInfo  |//SIP/Stack/Transport/0x0/sipConnectionManagerProcessConnCreated: "
    "gConnTab=0xb444c150, addr=10.106.95.200, port=5061, connid=12, transport=TLS Over TCP\n"
    "04530208.001 |19:59:21.224 |AppInfo  |SIPTcp - wait_SdlSPISignal: Outgoing SIP TCP message to 10.106.95.200 on "
    "port 5061 index 12 \n[131,NET]\nINVITE sip:9898@10.106.95.200:5061 SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 10.106.95.203:5061;branch=z9hG4bK144f49a43a\r\nFrom: <sip:1018@10.106.95.203>;tag=34\r\n"
    "To: <sip:9898@10.106.95.200>\r\nCall-ID: call-1@10.106.95.203\r\nCSeq: 101 INVITE\r\n"
    "Content-Type: application/sdp\r\nContent-Length: 120\r\n\r\nv=0\r\nm=audio 24000 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:U0VDUkVUS0VZ\r\n\n"
    "04530209.000 |19:59:21.300 |SdlSig   |Other                                  |wait                           "
    "|A(1,1,1,1) |B(1,1,1,1) |1,100,17,11.3^*^* |x\n"
    "04530300.001 |19:59:22.000 |AppInfo  |SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 10.106.95.200 on "
    "port 5061 index 12 with 400 bytes:\n[132,NET]\nSIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 10.106.95.203:5061\r\n"
    "From: <sip:1018@10.106.95.203>;tag=34\r\nTo: <sip:9898@10.106.95.200>;tag=9\r\nCall-ID: call-1@10.106.95.203\r\n"
    "CSeq: 101 INVITE\r\nContent-Length: 80\r\n\r\nv=0\r\nm=audio 24002 RTP/SAVP 0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:QU5TV0VS\r\n\n"
    "04530301.000 |00:00:01.000 |AlarmErr |AlarmClass: CallManager, AlarmName: SIPTrunkOOS, AlarmSeverity: Critical, "
    "AlarmMessage: , AlarmDescription: All remote peers are out of service, AlarmParameters:  SIPTrunkName:TLS-TO-B, "
    "UnavailableRemotePeersWithReasonCode:cucm10, 10.106.95.200, 5061, ReasonCodeType=Local=2; , "
    "AppID:Cisco CallManager, ClusterID:Cluster1, NodeID:CUCMA,\n"
)
CALLLOG = (
    "2014/05/22 19:59:21.224|SIPT|19024196|TLS|OUT|10.106.95.203|41000|TLS-TO-B|10.106.95.200|5061|"
    "1,100,13,11.1^*^*|131|"
    "call-1@10.106.95.203|INVITE\n"
    "2014/05/22 19:59:21.100|SIPL|19024195|TCP|IN|10.106.95.203|5060|SEP001122334455|10.1.1.1|50000|x|130|"
    "line@x|INVITE\n"
    "2014/05/22 19:59:22.000|SIPT|19024196|TLS|IN|10.106.95.203|41000|TLS-TO-B|10.106.95.200|5061|"
    "1,100,13,11.1^*^*|132|"
    "call-1@10.106.95.203|200 OK\n"
    "2014/05/22 19:59:21.200|CC|OFFERED|19024195|19024196|1018|9898|9898|SEP001122334455|TLS-TO-B\n"
)


def head(
    node: int = 1, host: str = "cucm-1", address: str = "10.0.0.91", started: str = "11 15:42:41", **more: str
) -> str:
    """The first line of an SDL file."""
    line, time = more.get("line", "00000100"), more.get("time", "20:21:08.000")
    number = more.get("number", "1")
    return (
        f"{line}.000 |{time} |FileHead |UTC:+00:00,Date: 2026/10/18, AppName: CCM, AppId: 100, AppNodeId: {node}, "
        f"AppVersion: CUCM Install=12.5.1.10000-22 Build=12.5.1.10000-22 memlog=20, HostName: {host}, "
        f"HostIPAddress: {address}, AppStartTime: 2026/10/{started}, FileNumber: {number}, TraceVer: 3.0\n"
    )


def opened(index: int, peer: str, port: int, transport: str, line: int = 101) -> str:
    """An outgoing connection is open."""
    return (
        f"{line:08d}.001 |20:21:09.000 |AppInfo  |//SIP/Stack/Transport/0x0/sipConnectionManagerProcessConnCreated: "
        f"gConnTab=0xb444c150, addr={peer}, port={port}, connid={index}, transport={transport}\n"
    )


def sip(way: str, start: str, call_id: str, peer: tuple[str, int, int], **more: str) -> str:
    """A SIP message on a connection; ``peer`` is its address, port and connection number. ``via`` empty: no Via."""
    words = (
        "wait_SdlSPISignal: Outgoing SIP TCP message to"
        if way == "out"
        else "wait_SdlReadRsp: Incoming SIP TCP message from"
    )
    via, cseq, body = more.get("via", "TLS"), more.get("cseq", "101 INVITE"), more.get("body", "")
    headers = f"Via: SIP/2.0/{via} 10.0.0.91:5061;branch=z9hG4bK1\r\n" if via else ""
    return (
        f"00000102.001 |20:21:09.{more.get('ms', '100')} |AppInfo  |SIPTcp - {words} {peer[0]} on port {peer[1]} index "
        f"{peer[2]} \n[101,NET]\n{start}\r\n{headers}From: <sip:1018@10.0.0.91>;tag=1\r\nTo: <sip:9898@{peer[0]}>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {cseq}\r\nContent-Length: {len(body)}\r\n\r\n{body}\n"
    )
