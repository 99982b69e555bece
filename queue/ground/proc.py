# SPDX-License-Identifier: GPL-2.0-only
"""Child processes: captured, logged, streamed or interactive.

Every child but an interactive one runs in a session of its own, so that an
interrupted run can end whatever the child has started, QEMU included.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ground.errors import Interrupted, Stop

# See streamed().
ENOUGH = object()
# The niceness of what nobody waits for. There are several at a time, so it is the least.
BACKGROUND = 19

_LIVE = set()
_GUARD = threading.Lock()
_stopping = False


def _weigh(session):
    """Where the kernel gives each session the same time, whatever the niceness of its
    processes (sched_autogroup), gives a new one the niceness of this thread."""
    if niceness() <= 0:
        return
    with contextlib.suppress(OSError), open(f"/proc/{session}/autogroup", "w", encoding="ascii") as weight:
        weight.write(str(niceness()))


def _spawn(argv, **options):
    """Popen in a new session, remembered until _reap(). Raises Stop when the program
    is not there."""
    if _stopping:
        raise Interrupted()
    try:
        child = subprocess.Popen([str(a) for a in argv], start_new_session=True, **options)
    except FileNotFoundError as error:
        raise Stop(f"cannot run {argv[0]}: {error.strerror}: {error.filename}") from None
    with _GUARD:
        _LIVE.add(child.pid)
    _weigh(child.pid)
    return child


def _reap(child):
    with _GUARD:
        _LIVE.discard(child.pid)


def _members(session):
    """Processes that belong to the session `session`, by /proc."""
    pids = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            pids.append(int(name))
    return pids


def _signal_all(sessions, number):
    """Signals every process of the sessions; returns whether there was one."""
    signalled = False
    for session in sessions:
        for pid in _members(session):
            signalled = True
            try:
                os.kill(pid, number)
            except OSError:
                pass
    return signalled


def stop_all():
    """Ends all children and what they started, and lets no other begin."""
    global _stopping
    _stopping = True
    end_children()


def end_children():
    """Ends all children and what they started."""
    with _GUARD:
        sessions = list(_LIVE)
    _end(sessions)


def _end(sessions, patience=5.0):
    """Ends every process of the sessions: SIGTERM, then SIGKILL."""
    _signal_all(sessions, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not any(_members(s) for s in sessions):
            return
        time.sleep(0.1)
    _signal_all(sessions, signal.SIGKILL)


def niceness():
    """That of this thread: in Linux each has its own, and hands it on to what it starts."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def step_back():
    """Lets others first from here on: this thread, and what it starts."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(niceness(), BACKGROUND))


@contextlib.contextmanager
def threads(number=0):
    """A ThreadPoolExecutor of so many threads, else one a CPU, for what waits for
    children; whoever interrupts the body does not wait for them."""
    with ThreadPoolExecutor(number or len(os.sched_getaffinity(0))) as pool:
        try:
            yield pool
        except (KeyboardInterrupt, Interrupted):
            stop_all()
            raise


def side_by_side(functions):
    """Calls each function in a thread of its own; raises what the first of them raises,
    when all are done."""
    with threads(len(functions)) as pool:
        for done in [pool.submit(function) for function in functions]:
            done.result()


def quoted(argv):
    """The command as a shell takes it."""
    return " ".join(shlex.quote(str(a)) for a in argv)


def call(argv, *, cwd=None, env=None, data=None):
    """Runs argv; returns (status, stdout, stderr) as (int, bytes, bytes)."""
    stdin = subprocess.DEVNULL if data is None else subprocess.PIPE
    child = _spawn(argv, cwd=cwd, env=env, stdin=stdin,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(data)
    finally:
        if child.poll() is not None:
            _reap(child)
    if _stopping:
        raise Interrupted()
    return child.returncode, out, err


def logged(argv, log, *, cwd=None, env=None, append=False):
    """Runs argv with all output in the file `log`; returns the exit status."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab" if append else "wb") as out:
        out.write(f"$ {quoted(argv)}\n".encode())
        out.flush()
        child = _spawn(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                       stdout=out, stderr=subprocess.STDOUT)
        status = child.wait()
        _reap(child)
    if _stopping:
        raise Interrupted()
    return status


@contextlib.contextmanager
def piped(argv, log, *, cwd=None, env=None):
    """Runs argv, its stderr in the file `log`; yields the Popen, whose stdout the body
    reads to its end, and whose returncode stands after it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as err:
        child = _spawn(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=err)
        with child.stdout:
            yield child
        child.wait()
        _reap(child)
    if _stopping:
        raise Interrupted()


def streamed(argv, line_seen, log, *, cwd=None, env=None):
    """Runs argv, hands each line of its stdout to line_seen(); stderr to `log`.

    Returns the exit status. When line_seen() returns ENOUGH, the child is ended.
    """
    with piped(argv, log, cwd=cwd, env=env) as child:
        for line in child.stdout:
            if line_seen(line.decode("utf-8", "replace").rstrip("\r\n")) is ENOUGH:
                _end([child.pid])
    return child.returncode


@contextlib.contextmanager
def held():
    """Puts off SIGINT, SIGTERM and SIGHUP while the body runs; yields the list of
    those that came. Raises KeyboardInterrupt at the end if there are any."""
    caught = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    old = [signal.signal(number, lambda came, _: caught.append(came)) for number in numbers]
    try:
        yield caught
    finally:
        for number, handler in zip(numbers, old):
            signal.signal(number, handler)
    if caught:
        raise KeyboardInterrupt(caught[0])


def interactive(argv, *, cwd=None, env=None):
    """Runs argv on the user's own terminal; returns the exit status."""
    child = subprocess.Popen([str(a) for a in argv], cwd=cwd, env=env)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue    # meant for the child, which shares the terminal


def says_disk_full(text):
    """Whether a program's output (bytes) blames a full disk."""
    return b"No space left on device" in text or b"Out of diskspace" in text


def disk_full(folder):
    """The Stop for a disk that is full, under `folder`."""
    return Stop(f"the disk is full: free some space under {folder}, then run the same command again")


def log_says_disk_full(log):
    """Whether the end of a log blames a full disk."""
    try:
        with open(log, "rb") as text:
            text.seek(max(0, os.path.getsize(log) - 20000))
            return says_disk_full(text.read())
    except OSError:
        return False


def must(argv, log, what, repeat, **options):
    """logged(), and a one-line Stop that names the log when it fails.

    `what`: the step, e.g. "building x86_64-vm"; `repeat`: the command that
    repeats just this step.
    """
    if logged(argv, log, **options) == 0:
        return
    if log_says_disk_full(log):
        raise Stop(f"{what} failed: the disk is full: free some space, then repeat with: {repeat}")
    raise Stop(f"{what} failed: see {log}; to repeat: {repeat}")
