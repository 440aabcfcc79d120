"""Signals that end a command, with real processes: what is saved, how fast it ends, and with which exit status."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from openworld_trainers.run.signals import Ended, interruption, repeated

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

ROOT = Path(__file__).parents[2]
#: Works in short updates, and saves for half a second when it is asked to stop.
GENTLE = """
import sys, time
from openworld_trainers.run.signals import interruption
with interruption() as stop:
    stop.gentle = True
    print("ready", flush=True)
    while not stop:
        time.sleep(0.1)
    time.sleep(0.5)
    print("saved", flush=True)
sys.exit(128 + stop.number)
"""
#: Is in one long call, in which no handler of Python's runs, as while a program is compiled.
LONG = """
import hashlib, sys
from openworld_trainers.run.signals import interruption, cleanup_on_exit
with interruption() as stop, cleanup_on_exit(lambda: print("in order", flush=True)):
    stop.gentle = sys.argv[1] == "gentle"
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 300_000_000)
"""


def begin(script, *words, before=()):
    process = subprocess.Popen(
        [*before, sys.executable, "-c", script, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def end(process, seconds):
    """Its output and its exit status; it must end in so many seconds."""
    out, error = process.communicate(timeout=seconds)
    return out, error, process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_leaves_time_to_save(number):
    process = begin(GENTLE)
    process.send_signal(number)
    out, error, status = end(process, 10)
    assert out == "saved\n"
    assert "the run is saved after this update, then it ends" in error
    assert status == 128 + number


def test_a_signal_that_is_sent_twice_at_once_is_one():
    """`timeout` sends its signal to the process and to its group."""
    process = begin(GENTLE)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert end(process, 10)[::2] == ("saved\n", 143)
    assert repeated(signal.SIGTERM, 0.1)
    assert not repeated(signal.SIGTERM, 1.0)
    assert not repeated(signal.SIGINT, 0.1)


def test_a_second_signal_ends_a_long_call_at_once():
    process = begin(LONG, "gentle")
    time.sleep(0.5)  # until it is in that call
    process.send_signal(signal.SIGINT)
    time.sleep(0.7)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, error, status = end(process, 10)
    assert (out, status) == ("in order\n", 143)
    assert error.endswith("SIGTERM: ended at once\n")


def test_the_first_signal_ends_a_long_call_that_has_nothing_to_save():
    process = begin(LONG, "strict")
    time.sleep(0.5)  # until it is in that call
    process.send_signal(signal.SIGHUP)
    out, error, status = end(process, 10)
    assert (out, status) == ("in order\n", 129)
    assert "SIGHUP: ended at once" in error


def test_a_signal_that_is_ignored_stays_so():
    """As under `nohup`."""
    process = begin(GENTLE, before=["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh"])
    process.send_signal(signal.SIGHUP)
    time.sleep(0.6)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert end(process, 10)[::2] == ("saved\n", 143)


def test_what_was_there_is_put_back():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with interruption() as outer:
        with pytest.raises(Ended) as ended, interruption():
            signal.raise_signal(signal.SIGTERM)
        assert ended.value.exit_code == 143
        assert not outer
        outer.gentle = True
        signal.raise_signal(signal.SIGTERM)
        assert outer.number == signal.SIGTERM
    assert {number: signal.getsignal(number) for number in before} == before
    previous = signal.set_wakeup_fd(-1)
    assert previous == -1


def test_in_another_thread_nothing_is_listened_to():
    heard = []

    def work():
        with interruption() as stop:
            heard.append((signal.getsignal(signal.SIGTERM), bool(stop)))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [(before, False)]


#: Its output is cut: whoever reads it goes away after the first line.
CUT = """
import sys
from openworld_trainers.run.progress import Output
from openworld_trainers.run.signals import Ended, interruption
out = Output()
before, gentle = sys.argv[1] == "before", sys.argv[1] == "gentle"
print("ready", flush=True)
sys.stdin.readline()
try:
    if before:
        out.print("nobody reads this")
    with interruption() as stop:
        stop.gentle = gentle or before
        out.print("nor this")
        out.print("nor that")
        code = 128 + stop.number
        print("saved", file=sys.stderr, flush=True)
except Ended as ended:
    code = ended.exit_code
sys.exit(code)
"""


@pytest.mark.parametrize(("when", "saved"), [("gentle", True), ("before", True), ("at once", False)])
def test_a_run_whose_output_nobody_reads_is_saved(when, saved):
    process = subprocess.Popen(
        [sys.executable, "-c", CUT, when],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()
    process.stdin.write("\n")
    process.stdin.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141, error
    assert ("saved" in error) == saved
