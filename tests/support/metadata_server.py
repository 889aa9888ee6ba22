"""An https server on 127.0.0.1 with a client's metadata document, or any behavior that a test needs."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Misbehave = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class MetadataServer:
    """Responds to every GET with `document`, unless `raw` or `misbehave` is set."""

    origin: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(
        default_factory=dict
    )  # response headers, which can replace the default ones
    status: str = "200 OK"
    raw: bytes | None = None
    misbehave: Misbehave | None = None
    asked: list[str] = field(default_factory=list)  # the request lines

    def describe(self, path: str = "/client.json", **metadata: Any) -> str:
        """Serve a valid document at the path; returns its client id."""
        client_id = f"{self.origin}{path}"
        self.document = {
            "client_id": client_id,
            "client_name": "Documented",
            "redirect_uris": [f"{self.origin}/callback"],
            "token_endpoint_auth_method": "none",
        } | metadata
        return client_id

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            sent = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(sent.partition(b"\r\n")[0].decode())
            if self.misbehave is not None:
                await self.misbehave(writer)
                return
            body = msgspec.json.encode(self.document) if self.raw is None else self.raw
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | self.headers
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {self.status}\r\n{head}\r\n".encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def open_metadata_server(folder: Path) -> AsyncIterator[MetadataServer]:
    """Start one. A client has to trust its certificate, `folder/server.pem` (SSL_CERT_FILE)."""
    certificate = write_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    serving = MetadataServer()
    server = await asyncio.start_server(serving.handle, "127.0.0.1", 0, ssl=context)
    serving.origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield serving
    finally:
        server.close()


def write_certificate(folder: Path) -> Path:
    """A key and a self-signed certificate for 127.0.0.1."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "metadata server of a test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
