"""A wire that is listened in on: a TCP server that keeps every byte, and hands it on when there is somebody behind it.

Reached as 0.0.0.0 it is what the tests call far away: Linux connects that address to this machine, so the socket is a real one,
and the guard, which knows loopback addresses only, takes it for any other host. `tests/access/test_sending.py` proves both.
"""

import socket
import socketserver
import threading
from urllib.parse import urlsplit


class Wire:
    """`received`: all bytes that clients sent. `far` and `near`: its address as a remote and as a local endpoint."""

    def __init__(self, behind=None):
        self.received = bytearray()
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.wire = self
        self._server.behind = behind and urlsplit(behind).netloc.split(":")
        port = self._server.server_address[1]
        self.near, self.far = f"http://127.0.0.1:{port}/v1", f"http://0.0.0.0:{port}/v1"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def silent(self):
        """Nobody has even connected."""
        return self.connections == 0 and not self.received


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.wire.connections += 1
        if self.server.behind is None:
            self.server.wire.received += self.request.recv(65536)
            return
        host, port = self.server.behind
        with socket.create_connection((host, int(port))) as behind:
            back = threading.Thread(target=_pump, args=(behind, self.request, bytearray()), daemon=True)
            back.start()
            _pump(self.request, behind, self.server.wire.received)
            back.join()


def _pump(source, target, kept):
    try:
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # The other side has gone, which ends a connection like any other.
        return
