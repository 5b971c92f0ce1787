"""Python commands in processes forked from one that has imported everything: each takes a second, not ten.

A test of what a fresh interpreter does, such as what it imports, starts one.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, thread
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

from toys.ports import free_port

PRELOADED = ['toys.stages', 'toys.frozen']


def python_path():
    """``PYTHONPATH`` of a process that imports this package."""
    return os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get('PYTHONPATH', '')])


def server():
    """The context of processes forked from the server, which is started with the first, once for all tests."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(PRELOADED)
    with mock.patch.dict(os.environ, PYTHONPATH=python_path(), OMP_NUM_THREADS='1'):
        forkserver.ensure_running()
    return context


def begin(environment, output, errors):
    """Make the present process one as a shell starts it: a session of its own, its environment and its output."""
    os.setsid()  # its processes can be told from others, and reached together
    # A shell script ignores SIGINT for what it runs in the background, such as `make test &`, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(environment)
    print_to(output, errors)


def print_to(output, errors):
    """Append what is printed from now on to a file, and what is printed on stderr to another or the same."""
    for path, number in ((output, 1), (errors, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, number)
        os.close(file)


def python(*command, cwd=None, timeout=600, nested=False, **environment):
    """Do ``python *command`` (a script, ``-m module`` or ``-c code``, with arguments); return as ``subprocess.run``.

    ``nested``: what the command itself starts with ``sys.executable`` is forked, too.
    """
    command = [str(part) for part in command]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', **environment}
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, 'output'), Path(folder, 'errors')
        arguments = (command, str(cwd or Path.cwd()), environment, output, errors, nested)
        process = server().Process(target=_start, args=arguments)
        process.start()
        process.join(timeout)
        if process.is_alive():
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError(errors.read_text()[-3000:])
        return subprocess.CompletedProcess(command, process.exitcode, output.read_text(), errors.read_text())


def python_in_two_ranks(*command, **how):
    """The same in two processes that find each other as those of ``torchrun`` do; return both."""
    where = {'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(free_port())}
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda rank: python(*command, RANK=rank, LOCAL_RANK=rank, **where, **how), '01'))


def _start(command, cwd, environment, output, errors, nested):
    begin(environment, output, errors)
    os.chdir(cwd)
    if nested:
        start = subprocess.Popen
        subprocess.Popen = lambda args, **how: (ForkedPython if args[0] == sys.executable else start)(args, **how)
    _run(command)


def _run(command):
    first, *rest = command
    if first == '-c':
        sys.argv, sys.path[0:0] = ['-c', *rest[1:]], ['']
        exec(rest[0], {'__name__': '__main__'})
    elif first == '-m':
        sys.argv, sys.path[0:0] = rest, [str(Path.cwd())]
        runpy.run_module(rest[0], run_name='__main__', alter_sys=True)
    else:
        sys.argv, sys.path[0:0] = command, [str(Path(first).parent)]
        runpy.run_path(first, run_name='__main__')


class ForkedPython:
    """As much of ``subprocess.Popen`` as our tools use, on a fork of the present process."""

    def __init__(self, args, stdout=None, stderr=None, cwd=None, env=None):
        self.args = args
        how = (args[1:], stdout and stdout.fileno(), stderr, cwd, env)
        self._process = multiprocessing.get_context('fork').Process(target=self._fork, args=how)
        self._process.start()

    @staticmethod
    def _fork(command, output, errors, cwd, environment):
        # The thread that forked may be one of a pool: at exit it would wait for itself, and end with an error.
        thread._threads_queues.clear()
        if output is not None:
            os.dup2(output, 1)
        if errors == subprocess.STDOUT:
            os.dup2(1, 2)
        os.environ.update(environment or {})
        os.chdir(cwd or Path.cwd())
        _run(command)

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self.returncode

    def wait(self, timeout=None):
        self._process.join(timeout)
        return self.returncode

    def communicate(self, input=None, timeout=None):
        self.wait(timeout)
        return None, None

    def terminate(self):
        self._process.terminate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
