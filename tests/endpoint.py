"""An OpenAI-compatible chat endpoint on loopback: right Arabic for what it knows, faults when they are ordered."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.corpora import ARABIC

#: What it says of a text that it does not know: fluent, and about something else, so that the gate has to notice.
UNKNOWN = "يذهب الأولاد إلى المدرسة كل صباح في الحافلة الكبيرة."
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 20


class Endpoint:
    """`faults` are taken one a request, in order; `delay` is the seconds that an answer takes."""

    def __init__(self):
        self.faults = []
        self.delay = 0.0
        self.requests = []
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._send(200, {"object": "list", "data": [{"id": "test-model", "object": "model"}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    server.requests.append(body)
                    fault = server.faults.pop(0) if server.faults else None
                time.sleep(server.delay)
                self._reply(body, fault)

            def _reply(self, body, fault):
                if fault == "drop":
                    self.connection.close()
                elif fault == "html":
                    self._send(200, "<html>proxy</html>", "text/html")
                elif isinstance(fault, int):
                    self._send(fault, {"error": {"message": "ordered by the test", "code": fault}})
                else:
                    self._send(200, _completion(body, fault))

            def _send(self, status, body, kind="application/json"):
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                if status == 429:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def address(self):
        return urlsplit(self.url).netloc

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()


def _completion(body, fault):
    segments = _asked(body["messages"])
    content = json.dumps({label: ARABIC.get(text, UNKNOWN) for label, text in segments.items()}, ensure_ascii=False)
    message = {"role": "assistant", "content": content, "refusal": None}
    reason = "stop"
    if fault == "length":
        message["content"], reason = content[: len(content) // 2], "length"
    elif fault == "refusal":
        message["content"], message["refusal"] = None, "I cannot help with that."
    elif fault == "broken":
        message["content"] = "Sure! Here is the translation."
    return {
        "id": "x", "object": "chat.completion", "created": 0, "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS, "total_tokens": 120},
    }  # fmt: skip


def _asked(messages):
    """The segments of a request; a refinement's last message is words, the one before holds them."""
    for message in reversed(messages):
        if message["role"] == "user":
            try:
                return json.loads(message["content"])
            except json.JSONDecodeError:
                continue
    return {}
