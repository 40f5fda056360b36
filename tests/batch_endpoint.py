"""A batch API on loopback: /v1/files and /v1/batches as OpenAI's behave, which can stop at a point to let a client be killed."""

import json
import re
import threading
from collections import Counter
from urllib.parse import parse_qs, urlsplit

from tests.endpoint import JsonHandler, LoopbackServer, asked_for, completion


class BatchEndpoint:
    """`outcomes` are taken one a batch: completed, half (completed, but half of the lines are missing), expired, cancelled
    (half is answered, the rest has error lines), failed (no file at all). `faults` are by question: an HTTP status for the
    error file, or an answer's fault as tests.endpoint knows them.

    `refusals` are HTTP statuses for the next uploads and creations.

    `stop_at` names a point where the next request stops until `go` is set: upload, create (before it is done), created
    (done, the answer not sent), retrieve, output, error. `reached` is set when one stands there; one that is `lost` is not
    carried out afterwards. With `go_when_listed` it goes on after somebody has looked at the list of batches.
    """

    def __init__(self):
        self.outcomes = []
        self.faults = {}
        self.refusals = []
        self.files, self.batches = {}, {}
        self.billed = []
        self.stop_at = None
        self.lost = self.go_when_listed = False
        self.reached, self.go = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._http = LoopbackServer(("127.0.0.1", 0), _Handler)
        self._http.endpoint = self
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def asked(self):
        """How often each question stood in a batch that was created."""
        files = (self.files[batch["input_file_id"]] for batch in self.batches.values())
        return Counter(_question(json.loads(line)) for file in files for line in file.splitlines())

    def sizes(self):
        """Requests of each batch, in order."""
        return [len(self.files[batch["input_file_id"]].splitlines()) for batch in self.batches.values()]

    def at(self, point):
        """Whether the request is carried out."""
        with self._lock:
            if self.stop_at != point:
                return True
            self.stop_at = None
            self.reached.set()
        self.go.wait()
        return not self.lost

    def stored(self, raw, kind):
        boundary = re.search(r"boundary=([^;]+)", kind)[1].strip('"').encode()
        parts = dict(_part(part) for part in raw.split(b"--" + boundary)[1:-1])
        assert parts["purpose"] == b"batch"
        return {**self._file("input", parts["file"]), "filename": "x", "purpose": "batch", "status": "processed"}

    def _file(self, kind, data):
        with self._lock:
            name = f"{kind}-{len(self.files)}"
            self.files[name] = data
        return {"id": name, "object": "file", "bytes": len(data), "created_at": 0}

    def created(self, asked):
        assert asked["endpoint"] == "/v1/chat/completions"
        outcome = self.outcomes.pop(0) if self.outcomes else "completed"
        batch = {
            "id": f"batch-{len(self.batches)}", "object": "batch", "created_at": len(self.batches), "status": "validating",
            "final": "completed" if outcome == "half" else outcome, **asked,
        }  # fmt: skip
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        if outcome == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "invalid", "message": "ordered by the test"}]}
        else:
            self._worked_off(batch, lines, outcome)
        with self._lock:
            self.batches[batch["id"]] = batch
        return _shown(batch)

    def _worked_off(self, batch, lines, outcome):
        output, errors = [], []
        whole = len(lines) if outcome == "completed" else len(lines) // 2
        for number, line in enumerate(lines):
            # Each fault happens once.
            fault = self.faults.pop(_question(line), None)
            if number >= whole and outcome != "half":
                gone = {"code": f"batch_{outcome}", "message": "This request could not be executed."}
                errors.append({"custom_id": line["custom_id"], "response": None, "error": gone})
            elif number < whole and isinstance(fault, int):
                body = {"error": {"message": "ordered by the test"}}
                errors.append({"custom_id": line["custom_id"], "response": {"status_code": fault, "body": body}, "error": None})
            elif number < whole:
                self.billed.append(_question(line))
                answer = {"status_code": 200, "request_id": "r", "body": completion(line["body"], fault)}
                output.append({"id": "l", "custom_id": line["custom_id"], "response": answer, "error": None})
        for name, found in (("output", output[::-1]), ("error", errors)):
            if found:
                data = "\n".join(json.dumps(line, ensure_ascii=False) for line in found).encode()
                batch[f"{name}_file_id"] = self._file(name, data)["id"]

    def looked_at(self, name):
        """Validating, then in progress, then what it ends as."""
        batch = self.batches[name]
        batch["status"] = {"validating": "in_progress"}.get(batch["status"], batch["final"])
        return _shown(batch)

    def listed(self, query):
        """Newest first, two a page, whatever the limit: a client that reads one page only finds too little."""
        names = list(self.batches)[::-1]
        start = names.index(query["after"][0]) + 1 if "after" in query else 0
        page = names[start : start + 2]
        return {"object": "list", "data": [_shown(self.batches[n]) for n in page], "has_more": start + 2 < len(names)}

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.go.set()
        self._http.shutdown()
        self._http.server_close()


class _Handler(JsonHandler):
    def do_GET(self):
        endpoint, where = self.server.endpoint, urlsplit(self.path)
        if where.path == "/v1/batches":
            self.send(200, endpoint.listed(parse_qs(where.query)))
            if endpoint.go_when_listed:
                endpoint.go.set()
        elif found := re.fullmatch(r"/v1/batches/([\w-]+)", where.path):
            endpoint.at("retrieve")
            self.send(200, endpoint.looked_at(found[1]))
        elif found := re.fullmatch(r"/v1/files/([\w-]+)/content", where.path):
            endpoint.at(found[1].partition("-")[0])
            self.send(200, endpoint.files[found[1]])
        else:
            self.send(200, {"object": "list", "data": []})

    def do_POST(self):
        endpoint, raw = self.server.endpoint, self.body()
        if endpoint.refusals:
            self.send(endpoint.refusals.pop(0), {"error": {"message": "ordered by the test"}})
        elif self.path == "/v1/files":
            if endpoint.at("upload"):
                self.send(200, endpoint.stored(raw, self.headers["Content-Type"]))
        elif endpoint.at("create"):
            made = endpoint.created(json.loads(raw))
            endpoint.at("created")
            self.send(200, made)


def _shown(batch):
    ended = batch["status"] == batch["final"]
    return {name: value for name, value in batch.items() if name != "final" and (ended or not name.endswith("put_file_id"))} | {
        "input_file_id": batch["input_file_id"]
    }


def _question(line):
    asked = asked_for(line["body"]["messages"])
    return asked.get("question") or json.dumps(asked)


def _part(raw):
    head, _, data = raw.partition(b"\r\n\r\n")
    return re.search(rb'name="(\w+)"', head)[1].decode(), data.removesuffix(b"\r\n")
