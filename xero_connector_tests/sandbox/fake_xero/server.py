"""The sockets: a threaded HTTP/1.1 server with keep-alive that can also misbehave on purpose."""
import contextlib
import errno
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from .http import Request, Response
from .store import new_id

MAX_BODY = 10 * 1024 * 1024  # bytes; xero-api.md 2


class Drop(Exception):
    """Close the connection without an answer."""


class Cut(Exception):
    """Announce more bytes than are sent, then close; carries the response."""

    def __init__(self, response):
        super().__init__("cut")
        self.response = response


class Server(ThreadingHTTPServer):
    """Hands every request to `answer(request, handler) -> Response`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, answer):
        self.answer = answer
        self.stopping = threading.Event()
        self._served = False
        self._open = set()
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise OSError(error.errno, f"port {port} on 127.0.0.1 is in use; the fake Xero needs another") from None
            raise

    def server_bind(self):
        """Bind without the reverse name look-up of the standard library, which may be slow."""
        socket_address = self.server_address
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def get_request(self):
        """Remember open connections, so that stopping can end those kept alive."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def serve_forever(self, poll_interval=0.02):
        """Serve until `stop`."""
        self._served = True
        super().serve_forever(poll_interval)

    def handle_error(self, request, client_address):
        """A client that went away is no news."""

    def stop(self):
        """Stop accepting, end open connections."""
        self.stopping.set()
        if self._served:  # shutdown() waits for a loop, and would for ever without one
            self.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # already closed by its client
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads one request after another from a connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        """Read, answer, write; close when the body was refused or a fault asks for it."""
        size = int(self.headers.get("Content-Length") or 0)
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.write(Response(411, b"", None, {"Xero-Correlation-Id": new_id()}), close=True)
        if size > MAX_BODY:
            return self.write(Response(413, b"", None, {"Xero-Correlation-Id": new_id()}), close=True)
        body = self.rfile.read(size)
        if len(body) < size:  # the client went away; Xero would not act on half a request
            self.close_connection = True
            return None
        parts = urlsplit(self.path)
        request = Request(
            method=self.command, path=unquote(parts.path), url=self.path, body=body,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        try:
            self.write(self.server.answer(request, self))
        except Drop:
            self.close_connection = True
        except Cut as cut:
            self.write(cut.response, cut=True)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_any

    def write(self, response, close=False, cut=False):
        """Send head and body in one piece."""
        body = response.body
        head = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}"]
        if response.content_type:
            head.append(f"Content-Type: {response.content_type}")
        if response.status != 204:
            head.append(f"Content-Length: {len(body) + (1000 if cut else 0)}")
        head.append(f"Date: {self.date_time_string()}")
        head.extend(f"{name}: {value}" for name, value in response.headers.items())
        if close:
            head.append("Connection: close")
        if close or cut:
            self.close_connection = True
        if cut:
            body = body[:len(body) // 2]
        elif self.command == "HEAD":
            body = b""
        self.wfile.write("\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + body)

    def wait(self, seconds):
        """Hold the request for `seconds`; ends early when the client gives up or the server stops.

        Returns whether the client is still there.
        """
        end = time.monotonic() + seconds
        while not self.server.stopping.is_set() and time.monotonic() < end:
            readable, _write, _error = select.select([self.connection], [], [], min(0.05, seconds))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return False
            if readable:
                self.server.stopping.wait(min(0.05, seconds))  # pipelined data: do not spin
        return not self.server.stopping.is_set()

    def log_message(self, format, *args):
        """Quiet; the fake has its own request log."""
