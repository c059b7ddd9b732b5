# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the inferred table that concern SIP and its traces."""

from __future__ import annotations

from ..inferred import register

register(
    "sip.client_certificate",
    "CallManager",
    "Identity that CUCM sends as a client, or CallManager-ECDSA; known: it is not bound to the chosen cipher",
)
register("sip.tls_ciphers_parameter", "TLSCiphers", "Name of the enterprise parameter TLS Ciphers (choices known)")
register(
    "sip.rsa_key_exchange_gone_since",
    (15, 0, 1, 13901, 2),
    "First version (15SU3) whose SIP has no AES128-SHA, that is, no RSA key exchange; None: all have it",
)
register("sip.san_matched", True, "The X.509 subject name check knows SANs besides the CN")
register("sip.empty_subject_matches", False, "A TLS profile without X.509 subject name accepts every trusted peer")
register("sip.name_mismatch", "close", "Peer whose name no profile has: `close` the connection, or answer `403`")
register("sip.trust_needs_restart", False, "CallManager-trust is read at the start of Cisco CallManager alone")
register("sip.early_offer", True, "An INVITE through a trunk carries its SDP offer (an MTP or early offer is on)")
register("sip.srtp_fallback", True, "A trunk without SRTP answers an RTP/SAVP offer of a CUCM with RTP/AVP")
register("sip.unregistered_phone", 404, "Answer to a call for a phone that is not registered")
register("sip.tls_security", {"Encrypted": 3, "Authenticated": 2, "Non Secure": 0}, "tls_security of createConnMsg")
register(
    "sip.trunk_elsewhere",
    "refuse",
    "A request that reaches a node on which its trunk does not run: `refuse` (as from an unknown address) or `answer`",
)
register("sip.trunk_node", "group", "A trunk that runs on its group's nodes: a call made on another node goes there")
register("sdl.mask_srtp_keys", True, "SRTP keys in SDL are masked; a real CUCM prints them")
register("sdl.trans_type", {"TCP": 1, "UDP": 2, "TLS": 3}, "TransType of signals; known: 1 for TCP")
register("sdl.trans_security", {"TCP": 0, "TLS": 1}, "TransSecurity of signals; known: 0 without TLS")
register(
    "sdl.tls_failure", True, "HandleSSLError lines for failed SIP handshakes, as SDL's library writes them for ILS"
)
register("sdl.name_mismatch", "SIPD", "Process of a trunk's validTLSConnection lines (known: SIPStationD, for phones)")
register(
    "sdl.connection_failure", True, "Alarm ConnectionFailure for a trunk whose peer has the wrong name (as phones)"
)
register("sdl.san_format", ",", "Separator of several names in SubjectAltname of SIPCertificateInd")
register("sdl.in_service_alarm", True, "AlarmErr lines SIPTrunkISV besides SIPTrunkOOS")
register("sdl.host_name_ping", {"11.5": ("T", 0)}, "interErr and resp of pings to host names: seen on 11.5 after a 483")
register(
    "sdl.ris_lines", True, "AppInfo lines of RISCMAccess beside the alarms (their words are known, not their order)"
)
register("sdl.partial_alarm", True, "AlarmErr lines SIPTrunkPartiallyISV when some peers of a trunk are gone")
register("capture.new_style_from", None, "First release (such as [12, 0]) whose screen capture prints `Flags [P.]`")
register("calllogs.tls", "TLS", "Field 4 of SIPT lines over TLS")
register("sip.fips_minimum", "1.2", "Lowest TLS version of SIP in FIPS mode, if the release has it")
register("sip.ping_sent_again", True, "OPTIONS whose connection ends before the answer are sent once more")
register("sip.call_needs_connection", True, "A call over a trunk is lost when its signalling connection ends")
register("sip.translations", 10, "How many translation patterns a call passes before it is given up as a circle")
register("sip.equal_patterns", "first", "Of equal matches in one partition the pattern that sorts first wins, or last")
register("sip.incoming_called_settings", True, "Settings for unknown called parties act after a trunk's prefix DN")
register(
    "sip.tandem_counts_hops",
    True,
    "A call from trunk to trunk goes on with one less Max-Forwards, so that a loop ends in 483",
)
register("sip.tandem_failure", 503, "Answer to a call from trunk to trunk that no trunk takes")
