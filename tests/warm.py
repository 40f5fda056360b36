"""A process that has imported what every command imports, and forks one for each call: the same code without its start.

A command takes .75 s of imports before it does anything and a run 4 s; the tests make some 150 calls. Prefect is not among the
imports, because it reads its environment when it is imported. Calls with an environment of their own, and those that a test
signals, still start the real executable.
"""

import atexit
import multiprocessing
import os
import sys
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["flows.main", "flows.preflight", "pipeline.report", "pipeline.llm.client", "pipeline.select"])


def call(words, cwd, env, folder, timeout):
    """(exit code, stdout, stderr) of `bimedv words`; raises TimeoutError when it does not end."""
    out, err = Path(folder) / "out", Path(folder) / "err"
    process = _CONTEXT.Process(target=_command, args=([*words], str(cwd or Path.cwd()), env, str(out), str(err)))
    process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"bimedv {' '.join(words)} has not ended after {timeout} s:\n{err.read_text(encoding='utf-8')}")
    return process.exitcode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _command(words, cwd, env, out, err):
    """The child: everything as the executable finds it, then its main function."""
    from flows.main import main

    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.argv = ["bimedv", *words]
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001  # a process border: what is thrown at the user is a traceback and exit code 1
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
