"""A server on loopback that speaks as much of the Hub's language as publishing takes, and keeps what it is sent."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LARGE = (".tar", ".jsonl")


@dataclass
class Repository:
    """Path to content, what large objects came in, and the commits' messages and tags."""

    files: dict = field(default_factory=dict)
    objects: dict = field(default_factory=dict)
    commits: list = field(default_factory=list)
    tags: list = field(default_factory=list)
    uploads: list = field(default_factory=list)
    refuse: int = 0
    """So many uploads of large objects are refused, as by a connection that breaks."""


class HubServer:
    """Context manager; `url` is what the client is given, `repository` what it has made."""

    def __enter__(self):
        self.repository = Repository()
        outer = self

        class Handler(_Handler):
            repository, made = outer.repository, False

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, value, status=200, **headers):
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, said in {"Content-Type": "application/json", "Content-Length": len(data), **headers}.items():
            self.send_header(name.replace("_", "-"), str(said))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if not type(self).made:
            self._answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")
        else:
            self._answer([_described(path, data) for path, data in sorted(self.repository.files.items())])

    def do_PUT(self):
        data, held = self._body(), self.repository
        if held.refuse:
            held.refuse -= 1
            self._answer({"error": "storage is away"}, 403)
            return
        held.objects[hashlib.sha256(data).hexdigest()] = data
        held.uploads.append(self.path.rpartition("/")[2])
        self._answer({})

    def do_POST(self):
        body, held = self._body(), self.repository
        if self.path.endswith("/commit/main"):
            self._commit([json.loads(line) for line in body.splitlines()])
            return
        told = json.loads(body)
        if self.path == "/api/repos/create":
            type(self).made = True
            self._answer({"url": f"http://{self.headers['Host']}/datasets/o/n", "id": "o/n"})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(_LARGE) else "regular", "shouldIgnore": False}
                for f in told["files"]
            ]
            self._answer({"files": modes})
        elif self.path.endswith("/info/lfs/objects/batch"):
            place = f"http://{self.headers['Host']}/objects/"
            self._answer({"transfer": "basic", "objects": [self._object(one, place) for one in told["objects"]]})
        elif "/tag/" in self.path:
            held.tags.append(told["tag"])
            self._answer({})
        else:
            self._answer({"error": f"{self.path}?"}, 400)

    def _object(self, asked, place):
        there = asked["oid"] in self.repository.objects
        return asked | ({} if there else {"actions": {"upload": {"href": place + asked["oid"]}}})

    def _commit(self, lines):
        held = self.repository
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                held.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                held.files[value["path"]] = held.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del held.files[value["path"]]
            else:
                held.commits.append(value["summary"])
        number = f"{len(held.commits):040d}"
        self._answer(
            {"commitUrl": f"http://{self.headers['Host']}/datasets/o/n/commit/{number}", "commitOid": number, "success": True}
        )


def _described(path, data):
    large = (
        {"lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}} if path.endswith(_LARGE) else {}
    )
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return {"type": "file", "path": path, "size": len(data), "oid": oid, **large}
