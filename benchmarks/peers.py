"""How two other frameworks put the same calls: scripts that run inside the peer's own virtual environment.

Each gets address, calls, flying, system prompt and text with `{}`, and prints calls a second on its last line. Each is set to its
fastest documented way: no rate limit below the work, as many in flight as ours, no display, no cache of an earlier run.
"""

CURATOR = """
import os, sys, tempfile, time
os.environ.update(CURATOR_DISABLE_RICH_DISPLAY="1", TELEMETRY_ENABLED="false", HF_HUB_OFFLINE="1", OPENAI_API_KEY="none")
import tiktoken
#: Curator counts tokens with a table that tiktoken fetches from the network: bytes for tokens stand in, which costs no more.
for name in ("cl100k_base", "o200k_base"):
    ranks = {bytes([byte]): byte for byte in range(256)}
    tiktoken.registry.ENCODINGS[name] = tiktoken.Encoding(name, pat_str=r"\\S+|\\s+", mergeable_ranks=ranks, special_tokens={})
from bespokelabs import curator
url, calls, flying, system, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
class Asked(curator.LLM):
    def prompt(self, row): return [{"role": "system", "content": system}, {"role": "user", "content": row["text"]}]
    def parse(self, row, answer): return {"answer": answer}
limits = {"base_url": url, "max_concurrent_requests": flying, "max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**9}
asked = Asked(model_name="BACKEND_MODEL", backend="BACKEND", backend_params=limits, generation_params={"max_tokens": 64})
rows = [{"text": text.format(number)} for number in range(calls)]
with tempfile.TemporaryDirectory() as folder:
    start = time.perf_counter()
    done = asked(rows, working_dir=folder)
    took = time.perf_counter() - start
assert len(done.dataset) == calls, f"{len(done.dataset)} of {calls} rows came back"
print(calls / took)
"""

DISTILABEL = """
import sys, time
from distilabel.models.llms import OpenAILLM
url, calls, flying, system, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
llm = OpenAILLM(model="m", base_url=url, api_key="none")
llm.load()
def asked(number): return [{"role": "system", "content": system}, {"role": "user", "content": text.format(number)}]
start, answers = time.perf_counter(), []
for first in range(0, calls, flying):
    inputs = [asked(number) for number in range(first, min(first + flying, calls))]
    answers += llm.generate(inputs, max_new_tokens=64)
took = time.perf_counter() - start
assert len(answers) == calls and all(answer["generations"][0] for answer in answers)
print(calls / took)
"""

#: Curator by its own OpenAI backend (aiohttp without an SDK) and through litellm, which it takes for models that it doesn't know.
PEERS = {
    "curator": CURATOR.replace("BACKEND_MODEL", "gpt-4o-mini").replace("BACKEND", "openai"),
    "curator-litellm": CURATOR.replace("BACKEND_MODEL", "openai/m").replace("BACKEND", "litellm"),
    "distilabel": DISTILABEL,
}
