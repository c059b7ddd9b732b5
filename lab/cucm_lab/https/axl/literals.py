# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The literals of AXL's enumerations that the server checks. Types that are not listed here accept any text."""

from __future__ import annotations

_TABLE = """
XASN1RoseOidEncoding: No Changes; Use Local Value; Use Global Value ISO; Use Global Value ECMA
XBarge: Off; Barge; CBarge; Default
XCALHeaders: Disabled; Preferred; Required
XCALMode: Fixed; Variable
XCUCMVersionInSipHeader: Major And Minor; Major; Major, Minor And Revision; Full Build; None
XCallingLineIdentification: Default; Strict From URI presentation Only; Strict Identity Headers presentation Only
XCallingPartySelection: Originator; First Redirect Number; Last Redirect Number; First Redirect Number (External); \
Last Redirect Number (External)
XDTMFSignaling: No Preference; Out of Band; RFC 2833; OOB and RFC 2833
XDeviceSecurityMode: Non Secure; Authenticated; Encrypted
XDistributeAlgorithm: Top Down; Circular; Longest Idle Time; Broadcast
XEOSuppVoiceCall: Disabled (Default value); Best Effort (no MTP inserted); Mandatory (insert MTP if needed)
XGClear: Disabled; CLEARMODE; CCD; G.nX64; X-CCD
XNetworkLocation: OnNet; OffNet; Use System Default
XNodeUsage: Publisher; Subscriber
XNumberingPlan: Cisco CallManager; ISDN; National Standard; Private; Unknown
XPacketCaptureMode: None; Batch Processing Mode
XPatternPrecedence: Flash Override; Flash; Immediate; Priority; Routine; Default; Executive Override
XPatternRouteClass: Default; Voice; Data; Satellite Avoidance; Hotline Voice; Hotline Data
XPreemption: Disabled; Forceful; Default
XPresentationBit: Default; Allowed; Restricted
XPriOfNumber: Cisco CallManager; Unknown; National; International; Subscriber
XProcessNodeRole: CUCM Voice/Video; CUCM IM and Presence
XProtocolSide: Network; User
XQSIGVariant: No Changes; ECMA; ISO
XRSVPOverSIP: Local RSVP; E2E
XReleaseCauseValue: No Error; Unallocated Number; Call Rejected; Number Changed; Invalid Number Format; \
Precedence Level Exceeded
XRevertPriority: Default; Highest
XSIPBandwidthModifier: TIAS and AS; TIAS only; AS only; CT only
XSIPCodec: 711ulaw; 711alaw; G729/G729a; G729b/G729ab
XSIPIdentityBlend: Deliver DN only in connected party; Deliver URI only in connected party, if available; \
Deliver URI and DN in connected party, if available
XSIPRel1XXOptions: Disabled; Send PRACK if 1xx Contains SDP; Send PRACK for all 1xx Messages
XSIPReroute: Never; Contact Header; Call-Info Header with purpose=x-cisco-origIP
XSIPTrunkCallLegSecurity: When using both sRTP and TLS; When using sRTP Only
XSipAssertedType: Default; PAI; PPI
XSipPrivacy: Default; None; ID; ID Critical
XSipSessionRefreshMethod: Invite; Update
XStatus: Off; On; Default
XTelnetLevel: Disabled; Limited; Enabled
XTransport: TCP; UDP; TLS; TCP+UDP
XTrunkService: None(Default); Call Control Discovery; Extension Mobility Cross Cluster; \
Cisco Intercompany Media Engine; IP Multimedia Subsystem Service Control (ISC)
XTrustReceivedIdentity: Trust All (Default); Trust PAI Only; Trust None
XTunneledProtocol: None; QSIG
XURIDisambiguationPolicy: Always treat all dial strings as URI addresses; \
Phone number consists of characters 0-9, A-D, *, #, and + (others treated as URI addresses); \
Phone number consists of characters 0-9, *, #, and + (others treated as URI addresses)
XUserAgentServerHeaderInfo: Send Unified CM Version Information as User-Agent Header; \
Pass Through Received Information as Contact Header Parameters; \
Pass Through Received Information as User-Agent and Server Header
XV150SDPFilter: No Filtering; Remove MER V.150; Remove Pre-MER V.150; Use Default Filter
XVideoCallTrafficClass: Immersive; Desktop; Mixed
XZzdndcontrol: User; Admin
XZzdtmfDbLevel: 6 dB below nominal; 3 dB below nominal; Nominal; 3 dB above nominal; 6 dB above nominal
XZzpreff: Off; On
XZzuserInfo: None; Phone; IP
"""

LITERALS: dict[str, frozenset[str]] = {
    name: frozenset(literal.strip() for literal in literals.split(";"))
    for name, literals in (line.split(": ", 1) for line in _TABLE.strip().splitlines())
}
