# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real handshakes (OpenSSL's, in memory) and captures of them, written by dpkt or by hand, never by our own code."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import dpkt
import pytest

CLIENT, SERVER = ("10.106.95.203", 42387), ("10.106.95.200", 5061)
V6 = {"10.106.95.203": "2001:db8::203", "10.106.95.200": "2001:db8::200"}
Flights = list[tuple[str, bytes]]
#: who says what next; None closes (close_notify)
Script = list[tuple[str, bytes | None]]
End = tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]


@dataclass(frozen=True)
class Identities:
    """PEM files: certificates of CUCMA, CUCM10 and Other with their keys, and the CA of the first two."""

    folder: Path

    def context(self, server: bool, version: ssl.TLSVersion, identity: str | None, ciphers: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.set_ciphers(ciphers)
        context.minimum_version = context.maximum_version = version
        context.load_verify_locations(self.folder / "ca.pem")
        if identity:
            context.load_cert_chain(self.folder / f"{identity}.pem", self.folder / f"{identity}.key")
        return context


def _openssl(*arguments: str, cwd: Path, **kwargs: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True, text=True, **kwargs)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    """Made by the openssl program; the key size of the time of CUCM 9.1 would need a lower guard, so 2048."""
    folder = tmp_path_factory.mktemp("identities")
    new = ["req", "-newkey", "rsa:2048", "-nodes"]
    _openssl(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/C=IN/O=cisco/CN=Lab CA", cwd=folder)
    _openssl(*new, "-x509", "-keyout", "Other.key", "-out", "Other.pem", "-subj", "/CN=Other", cwd=folder)
    (folder / "ext").write_text("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n")
    for name in ("CUCMA", "CUCM10"):
        subject = f"/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN={name}"
        _openssl(*new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject, cwd=folder)
        _openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "300", "-extfile", "ext", "-out", f"{name}.pem", cwd=folder,
        )  # fmt: skip
        leaf = (folder / f"{name}.pem").read_text()
        (folder / f"{name}.pem").write_text(leaf + (folder / "ca.pem").read_text())
    return Identities(folder)


@pytest.fixture(scope="session")
def shake(identities: Identities) -> Callable[..., Flights]:
    """Runs a handshake between two OpenSSL ends and returns what each end sent, in order."""

    def run(
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        *,
        client: str | None = "CUCMA",
        server: str = "CUCM10",
        ask: ssl.VerifyMode = ssl.CERT_REQUIRED,
        ciphers: str = "ALL:NULL:@SECLEVEL=0",
        say: bytes = b"OPTIONS sip:10.106.95.200 SIP/2.0\r\nCall-ID: 1@a\r\nContent-Length: 0\r\n\r\n",
        server_version: ssl.TLSVersion | None = None,
        resume: bool = False,
        curve: str | None = None,
        tickets: int = 2,
        then: Script | None = None,
    ) -> Flights:
        """``resume``: what is returned is a second handshake, which resumes the session of the first.

        ``curve``: the only one that the server takes; where the client's first offer lacks it, TLS 1.3 asks again.
        ``tickets``: how many the server sends in TLS 1.3. ``then``: what is said after the handshake.
        """
        near = identities.context(False, version, client, ciphers)
        far = identities.context(True, server_version or version, server, ciphers)
        far.verify_mode = ask
        if curve:
            far.set_ecdh_curve(curve)
        far.num_tickets = tickets
        flights, ends = _talk(near, far, say, None)
        if resume:
            flights, ends = _talk(near, far, say, ends["client"][0].session)
        for name, words in then or []:
            _say(flights, ends, name, words)
        return flights

    return run


def _talk(
    near: ssl.SSLContext, far: ssl.SSLContext, say: bytes, session: ssl.SSLSession | None
) -> tuple[Flights, dict[str, End]]:
    """A handshake of two ends and what the client says then: what each end sent, and both ends."""
    ends: dict[str, End] = {}
    for name, context in (("client", near), ("server", far)):
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        is_server = name == "server"
        ends[name] = context.wrap_bio(into, out, is_server, session=None if is_server else session), into, out
    flights: Flights = []
    done: set[str] = set()
    for _round in range(12):
        for name, other in (("client", "server"), ("server", "client")):
            tls, _unused, out = ends[name]
            try:
                if name not in done:
                    tls.do_handshake()
                    done.add(name)
                    if name == "client" and say:
                        tls.write(say)
                else:
                    tls.read(4096)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                done.add(name)
            if data := out.read():
                flights.append((name, data))
                ends[other][1].write(data)
    return flights, ends


def _say(flights: Flights, ends: dict[str, End], name: str, words: bytes | None) -> None:
    """One end says something, or closes, and the other reads it."""
    tls, _into, out = ends[name]
    other, into, _out = ends["server" if name == "client" else "client"]
    with contextlib.suppress(ssl.SSLError):
        if words is None:
            tls.unwrap()
        else:
            tls.write(words)
    data = out.read()
    flights.append((name, data))
    into.write(data)
    with contextlib.suppress(ssl.SSLError):
        assert other.read(9999) == (words or b"")


def recorded(folder: Path, server: list[str], *clients: list[str], say: str = "") -> Flights:
    """What openssl's s_server and the last of its clients (s_client) send each other through a relay.

    For what Python's ssl cannot do. With -rev the server answers what it reads, reversed.
    """
    quiet = {"cwd": folder, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    flights: Flights = []
    order = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", str(len(clients)), *server]
    with subprocess.Popen(order, **quiet) as far:  # type: ignore[call-overload]
        try:
            port = next(int(line.rsplit(b":", 1)[1]) for line in far.stdout if line.startswith(b"ACCEPT"))
            for words in clients:
                flights = _relayed(port, ["openssl", "s_client", *words], say, quiet)
        finally:
            far.terminate()
    return flights


def _relayed(port: int, client: list[str], say: str, quiet: dict[str, object]) -> Flights:
    flights: Flights = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        order = [*client, "-connect", f"127.0.0.1:{door.getsockname()[1]}"]
        with subprocess.Popen(order, **quiet) as process:  # type: ignore[call-overload]
            near, far = door.accept()[0], socket.create_connection(("127.0.0.1", port))
            process.stdin.write(say.encode())
            process.stdin.flush()
            others = {near: ("client", far), far: ("server", near)}
            silences = 0
            # After a silence the client closes.
            while others and silences < 2:
                ready = select.select(list(others), [], [], 0.6)[0]
                if not ready:
                    silences += 1
                    process.stdin.close()
                for end in ready:
                    _pass_on(flights, others, end)
            near.close()
            far.close()
    return flights


def _pass_on(flights: Flights, others: dict[socket.socket, tuple[str, socket.socket]], end: socket.socket) -> None:
    name, other = others[end]
    with contextlib.suppress(OSError):
        if data := end.recv(65_536):
            flights.append((name, data))
            other.sendall(data)
            return
        other.shutdown(socket.SHUT_WR)
    del others[end]


def records(flights: Flights) -> Flights:
    """The same bytes, each TLS record for itself."""
    left = {"client": b"", "server": b""}
    found: Flights = []
    for name, data in flights:
        rest = left[name] + data
        while len(rest) >= 5 and len(rest) >= (size := 5 + int.from_bytes(rest[3:5], "big")):
            found.append((name, rest[:size]))
            rest = rest[size:]
        left[name] = rest
    return found


@dataclass
class Frame:
    """One IP packet and its time."""

    time: float
    data: bytes


def frames_of(
    flights: Flights, size: int = 700, v6: bool = False, port: int = 5061, isn: int = 0xFFFF_FF00
) -> list[Frame]:
    """A TCP conversation of these bytes: opened, segmented, acknowledged, closed. Sequence numbers wrap on the way."""
    ends = {"client": CLIENT, "server": (SERVER[0], port)}
    sequence = {"client": isn, "server": 7_000}
    found: list[Frame] = []

    def send(name: str, flags: int, payload: bytes = b"") -> None:
        other = "server" if name == "client" else "client"
        (source, sport), (target, dport) = ends[name], ends[other]
        if v6:
            source, target = V6[source], V6[target]
        tcp = dpkt.tcp.TCP(
            sport=sport, dport=dport, seq=sequence[name] & 0xFFFF_FFFF, ack=sequence[other] & 0xFFFF_FFFF,
            flags=flags, data=payload,
        )  # fmt: skip
        addresses = {"src": ip_address(source).packed, "dst": ip_address(target).packed}
        packet = (
            dpkt.ip6.IP6(**addresses, nxt=6, hlim=64, plen=len(tcp)) if v6 else dpkt.ip.IP(**addresses, p=6, ttl=64)
        )
        packet.data = tcp
        if not v6:
            packet.len = len(packet)
        sequence[name] += len(payload) + (1 if flags & 3 else 0)
        found.append(Frame(1_400_000_000 + len(found) * 0.001, bytes(packet)))

    send("client", 2)
    send("server", 18)
    for name, data in flights:
        for at in range(0, len(data), size):
            send(name, 24, data[at : at + size])
    send("client", 17)
    send("server", 17)
    return found


def _link(kind: str, data: bytes) -> tuple[int, bytes]:
    """(link type, frame) of an IP packet under a link header."""
    ether = b"\x86\xdd" if data[0] >> 4 == 6 else b"\x08\x00"
    macs = b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
    return {
        "ethernet": (1, macs + ether + data + b"\x00" * max(0, 46 - len(data))),
        "vlan": (1, macs + b"\x81\x00\x00\x5b" + ether + data),
        "qinq": (1, macs + b"\x88\xa8\x00\x02\x81\x00\x00\x5b" + ether + data),
        "sll": (113, b"\x00\x00\x00\x01\x00\x06" + macs[:6] + b"\x00\x00" + ether + data),
        "sll2": (276, ether + b"\x00\x00" + struct.pack(">IHBB", 1, 1, 0, 6) + macs[:6] + b"\x00\x00" + data),
        "null": (0, (b"\x02" if ether == b"\x08\x00" else b"\x1e") + b"\x00\x00\x00" + data),
        "raw": (101, data),
        "as it is": (1, data),
        "ppp": (9, b"\xff\x03\x00" + (b"\x57" if ether != b"\x08\x00" else b"\x21") + data),
    }[kind]


LINKS = ("ethernet", "vlan", "qinq", "sll", "sll2", "null", "raw", "ppp")


def write_pcap(
    path: Path, frames: Iterable[Frame], link: str = "ethernet", order: str = "<", nano: bool = False
) -> Path:
    """A classic pcap file."""
    unit = 1_000_000_000 if nano else 1_000_000
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, _link(link, b"\x45")[0])]
    for frame in frames:
        data = _link(link, frame.data)[1]
        seconds = int(frame.time)
        parts.append(
            struct.pack(order + "IIII", seconds, round((frame.time - seconds) * unit), len(data), len(data)) + data
        )
    path.write_bytes(b"".join(parts))
    return path


def write_pcapng(path: Path, frames: Iterable[Frame]) -> Path:
    """A pcapng file, by dpkt."""
    with path.open("wb") as stream:
        writer = dpkt.pcapng.Writer(stream)
        for frame in frames:
            writer.writepkt(_link("ethernet", frame.data)[1], ts=frame.time)
    return path


@pytest.fixture
def capture_file(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Writes flights as a capture file."""

    def write(flights: Flights, name: str = "packets.cap", link: str = "ethernet", **how: object) -> Path:
        return write_pcap(tmp_path / name, frames_of(flights, **how), link)  # type: ignore[arg-type]

    yield write
