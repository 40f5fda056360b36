"""An OpenAI-compatible chat endpoint on loopback: right Arabic for what it knows, faults when they are ordered."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.corpora import ARABIC

#: What it says of a text that it does not know: fluent, and about something else, so that the gate has to notice.
UNKNOWN = "يذهب الأولاد إلى المدرسة كل صباح في الحافلة الكبيرة."
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 20
#: What it reports, and would charge, for each answer that it gives whole.
USAGE = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS, "total_tokens": 120}

_BROKEN = {"html": "<html>proxy</html>", "not_json": '{"choices": ['}
_ANSWERS = ("length", "long", "refusal", "broken", "empty", "blank", "no_usage")


class Endpoint:
    """`faults` are taken one a request, in order; `delay` is the seconds that an answer takes, `fault_delay` those of a fault
    (None: the same).

    Faults: an HTTP status; (status, headers, body); drop, half (of a body), hang (until the server ends), html, not_json;
    and answers: length, long (length unless max_tokens is 128 or more), refusal, broken, empty (no choices), blank, no_usage.
    `billed` are the requests whose answer it gave whole, `most_flying` the largest number that it had at once.
    """

    def __init__(self):
        self.faults = []
        self.delay = 0.0
        self.fault_delay = None
        self.requests = []
        self.headers = []
        self.billed = []
        self.most_flying = 0
        self._flying = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._http = LoopbackServer(("127.0.0.1", 0), _Handler)
        self._http.endpoint = self
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def address(self):
        return urlsplit(self.url).netloc

    def take(self, body, headers):
        """A request has come in: its fault, after the delay."""
        with self._lock:
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in headers.items()})
            fault = self.faults.pop(0) if self.faults else None
            self._flying += 1
            self.most_flying = max(self.most_flying, self._flying)
        time.sleep(self.delay if fault is None or self.fault_delay is None else self.fault_delay)
        with self._lock:
            self._flying -= 1
            if fault is None or fault in _ANSWERS:
                self.billed.append(body)
        return fault

    def answer(self, body, fault):
        """The completion that it gives; what else it knows to answer, a subclass says."""
        return completion(body, fault)

    def wait_for_end(self):
        self._ended.wait()

    def flew(self):
        """The largest number of requests at once since the last time somebody asked."""
        with self._lock:
            most, self.most_flying = self.most_flying, self._flying
        return most

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()


class LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A client that was killed in the middle of an answer is what some tests are about."""


class JsonHandler(BaseHTTPRequestHandler):
    """Sends JSON and keeps quiet."""

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def send(self, status, body, headers=None, length=None):
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(data)))
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class _Handler(JsonHandler):
    def do_GET(self):
        self.send(200, {"object": "list", "data": [{"id": "test-model", "object": "model"}]})

    def do_POST(self):
        body = json.loads(self.body())
        fault = self.server.endpoint.take(body, self.headers)
        if fault == "drop":
            self.connection.close()
        elif fault == "hang":
            self.server.endpoint.wait_for_end()
        elif fault == "half":
            self.send(200, json.dumps(self.server.endpoint.answer(body, None))[:150], length=400)
        elif isinstance(fault, int):
            words = {"error": {"message": "ordered by the test", "code": fault}}
            self.send(fault, words, {"Retry-After": "0"} if fault == 429 else None)
        elif isinstance(fault, tuple):
            self.send(fault[0], fault[2], fault[1])
        elif fault in _BROKEN:
            self.send(200, _BROKEN[fault], {"Content-Type": "text/html"})
        else:
            self.send(200, self.server.endpoint.answer(body, fault))


def completion(body, fault):
    """The answer to a request, as the fault has it."""
    segments = asked_for(body["messages"])
    arabic = {label: ARABIC.get(text, UNKNOWN) for label, text in segments.items()}
    content = json.dumps(arabic, ensure_ascii=False)
    if any(re.search(r"^<<[a-z0-9_]+>>$", message["content"], re.M) for message in body["messages"]):
        content = "\n".join(f"<<{label}>>\n{text}" for label, text in arabic.items())
    message = {"role": "assistant", "content": content, "refusal": None}
    reason = "stop"
    if fault == "length" or (fault == "long" and body["max_tokens"] < 128):
        message["content"], reason = content[: len(content) // 2], "length"
    elif fault == "refusal":
        message["content"], message["refusal"] = None, "I cannot help with that."
    elif fault == "broken":
        message["content"] = "Sure! Here is the translation."
    elif fault == "blank":
        message["content"] = ""
    answer = {
        "id": "x", "object": "chat.completion", "created": 0, "model": body["model"],
        "choices": [] if fault == "empty" else [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": USAGE,
    }  # fmt: skip
    return {name: value for name, value in answer.items() if fault != "no_usage" or name != "usage"}


def asked_for(messages):
    """The segments of a request: the JSON on the last line of a message, or its <<label>> lines; context stands before them."""
    for message in reversed(messages):
        if message["role"] == "user":
            found = _segments(message["content"])
            if found:
                return found
    return {}


def _segments(content):
    try:
        return json.loads(content.splitlines()[-1])
    except json.JSONDecodeError:
        parts = re.split(r"^<<([a-z0-9_]+)>>\n", content, flags=re.M)
        return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
