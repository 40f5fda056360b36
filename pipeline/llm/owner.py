"""Which process has a call or a batch under way, and whether it still lives. In: nothing but /proc and signals."""

import os
import socket
from pathlib import Path

_ENDED = "ended"


def owner() -> str:
    """This process: host, pid and start, so that a reused pid is another owner."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def alive(name: str) -> bool:
    """Whether the owner still runs; an empty name never does. Of another host nobody here can tell: it counts as alive."""
    if not name:
        return False
    host, pid, started = name.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return started == _started(int(pid)) != _ENDED


def _started(pid: int) -> str:
    """Start time in clock ticks since boot (field 22 of /proc/PID/stat); 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return "0"
    # A zombie has ended: its parent only has not asked yet.
    return _ENDED if fields[0] == "Z" else fields[19]
