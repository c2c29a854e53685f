"""Processes are started, followed and ended, with real ones."""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from deployhooks import process
from deployhooks.redaction import Redactor
from tests.waiting import stretched

HERE = Path(__file__).parent


def run(*args, **options):
    options = {"cwd": HERE, "timeout": 10} | options
    return process.run(args, **options)


def run_python(code, **options):
    return run(sys.executable, "-c", code, **options)


def wait_until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def is_gone(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_output_of_both_streams_comes_back_in_order():
    finished = run("sh", "-c", "echo one; echo two >&2; echo three")

    assert finished.output == "one\ntwo\nthree\n"
    assert finished.returncode == 0
    assert finished.args[0] == "sh"


def test_a_failure_is_a_sentence_with_the_last_lines():
    with pytest.raises(process.ProcessFailed) as caught:
        run("sh", "-c", "seq 100; echo broken >&2; exit 3")

    assert caught.value.returncode == 3
    assert "exited 3" in str(caught.value)
    assert str(caught.value).endswith("100\nbroken")
    assert "\n50\n" not in str(caught.value)


def test_a_failure_may_be_expected():
    assert run("false", check=False).returncode == 1


def test_a_program_that_is_missing_is_a_failure_with_its_name():
    with pytest.raises(process.ProcessFailed, match="no-such-program") as caught:
        run("no-such-program")

    assert caught.value.returncode == 127


def test_a_folder_that_is_missing_is_a_failure_with_its_name(tmp_path):
    with pytest.raises(process.ProcessFailed, match="nowhere"):
        run("true", cwd=tmp_path / "nowhere")


def test_output_is_passed_on_while_the_process_runs():
    pieces = []

    def note(text):
        pieces.append((time.monotonic(), text))

    run("sh", "-c", "echo first; sleep 0.4; echo second", on_output=note)

    assert [text for _, text in pieces] == ["first\n", "second\n"]
    assert pieces[1][0] - pieces[0][0] > 0.3


def test_there_is_no_input_to_wait_for():
    assert run("sh", "-c", "cat; read x || echo none").output == "none\n"


def test_there_is_no_terminal_to_ask_on():
    assert run("sh", "-c", "(: </dev/tty) 2>/dev/null || echo none").output == "none\n"


def test_a_long_output_keeps_its_end():
    finished = run("sh", "-c", "yes | head -c 3000000; echo the end")

    assert finished.output.endswith("the end\n")
    assert len(finished.output) == process.OUTPUT_KEPT


def test_bytes_that_are_no_text_are_replaced():
    assert run("printf", r"a\377b\303\251").output == "a\ufffdb\xe9"


def test_a_character_cut_by_a_read_is_whole():
    code = "import os,time\nos.write(1,b'\\xe4\\xb8');time.sleep(.1);os.write(1,b'\\xad')"

    assert run_python(code).output == "中"


def test_a_secret_cut_by_a_read_is_removed_everywhere():
    code = "import os,time\nos.write(1,b'key=hunt');time.sleep(.1);os.write(1,b'er2 ok')"
    pieces = []

    finished = run_python(code, on_output=pieces.append, redactor=Redactor(["hunter2"]))

    assert finished.output == "key=[removed] ok"
    assert "".join(pieces) == finished.output
    assert "hunt" not in "".join(pieces)


def test_a_secret_in_an_argument_is_removed_from_the_failure():
    with pytest.raises(process.ProcessFailed) as caught:
        run("git", "ls-remote", "https://me:hunter2@127.0.0.1:1/x")

    assert "hunter2" not in str(caught.value) + caught.value.output + str(caught.value.args_)


def test_configured_secrets_are_removed(settings):
    settings.GITHUB_WEBHOOK_SECRET = "correct horse"

    assert run("echo", "correct horse").output == "[removed]\n"


def test_time_over_ends_the_whole_group(tmp_path):
    pids = tmp_path / "pids"
    began = time.monotonic()

    with pytest.raises(process.ProcessTimedOut) as caught:
        run("sh", "-c", f"sleep 60 & echo $! > {pids}; echo said; wait", timeout=0.3)

    assert time.monotonic() - began < stretched(1.5)
    assert "was stopped after" in str(caught.value)
    assert caught.value.output == "said\n"
    wait_until(lambda: is_gone(int(pids.read_text())))


def test_a_process_that_ignores_sigterm_is_killed_soon():
    began = time.monotonic()

    with pytest.raises(process.ProcessTimedOut):
        run("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", timeout=0.3)

    assert time.monotonic() - began < stretched(2)


def test_sigterm_comes_first(tmp_path):
    told = tmp_path / "told"

    with pytest.raises(process.ProcessTimedOut):
        run(
            "sh",
            "-c",
            f"trap 'echo > {told}; exit' TERM; while :; do sleep 0.05; done",
            timeout=0.3,
        )

    assert told.exists()


def test_a_background_child_that_holds_the_pipe_does_not_hang_us(tmp_path):
    pids = tmp_path / "pids"
    began = time.monotonic()

    finished = run("sh", "-c", f"sleep 60 & echo $! > {pids}; echo done")

    assert finished.output == "done\n"
    assert time.monotonic() - began < stretched(2)
    wait_until(lambda: is_gone(int(pids.read_text())))


def test_a_background_child_that_talks_without_end_does_not_hang_us(tmp_path):
    pids = tmp_path / "pids"
    began = time.monotonic()

    finished = run("sh", "-c", f"yes & echo $! > {pids}; exit 0")

    assert finished.returncode == 0
    assert time.monotonic() - began < stretched(3)
    wait_until(lambda: is_gone(int(pids.read_text())))


def test_a_background_child_without_the_pipe_is_ended_too(tmp_path):
    pids = tmp_path / "pids"

    run("sh", "-c", f"sleep 60 >/dev/null 2>&1 & echo $! > {pids}")

    wait_until(lambda: is_gone(int(pids.read_text())))


def test_a_child_in_another_session_does_not_hang_us(tmp_path):
    pids = tmp_path / "pids"
    began = time.monotonic()
    try:
        run("sh", "-c", f"setsid sh -c 'echo $$ > {pids}; exec sleep 30' & sleep 0.3")

        assert time.monotonic() - began < stretched(3)
    finally:
        os.kill(int(pids.read_text()), signal.SIGKILL)


def test_whatever_is_raised_meanwhile_ends_the_whole_group(tmp_path):
    class Cancelled(BaseException):
        pass

    def cancel(text):
        raise Cancelled

    pids = tmp_path / "pids"
    began = time.monotonic()
    with pytest.raises(Cancelled):
        run("sh", "-c", f"sleep 60 & echo $! > {pids}; echo said; wait", on_output=cancel)

    assert time.monotonic() - began < stretched(2)
    wait_until(lambda: is_gone(int(pids.read_text())))


def test_a_signal_meanwhile_ends_the_whole_group(tmp_path):
    class Stopped(SystemExit):
        pass

    def stop(number, frame):
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    groups = []
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Stopped):
            run("sleep", "60", on_start=groups.append)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    wait_until(lambda: is_gone(groups[0]))


def test_the_group_is_told_at_start_and_end():
    told = []

    run("true", on_start=lambda pgid: told.append(("start", pgid)), on_end=lambda p: told.append(p))

    assert told == [("start", told[1]), told[1]]


def test_neither_zombies_nor_open_files_are_left():
    def attempt(*args, **options):
        with contextlib.suppress(process.ProcessFailed):
            run(*args, **options)
        with contextlib.suppress(process.ProcessFailed):
            process.read(args, cwd=HERE, timeout=5)

    attempt("true")
    before, others = open_files(), psutil.Process().children()  # such as a test's database server
    for _ in range(5):
        attempt("true")
        attempt("false")
        attempt("no-such-program")
    with contextlib.suppress(process.ProcessFailed):
        run("sleep", "60", timeout=0.1)

    assert open_files() == before
    assert psutil.Process().children() == others


def test_many_threads_may_run_processes():
    outputs = []
    threads = [
        threading.Thread(target=lambda n=n: outputs.append(run("echo", str(n)).output))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(map(int, outputs)) == list(range(20))


def test_reading_gives_all_of_stdout_as_it_is():
    code = "import sys; sys.stdout.write('x' * 200_000 + 'ghp_' + 'a' * 36); sys.stderr.write('!')"

    data = process.read([sys.executable, "-c", code], cwd=HERE)

    assert data == b"x" * 200_000 + b"ghp_" + b"a" * 36


def test_a_failure_while_reading_tells_what_stood_on_stderr():
    with pytest.raises(process.ProcessFailed, match=r"exited 2: broken$") as caught:
        process.read(["sh", "-c", "echo data; echo broken >&2; exit 2"], cwd=HERE)

    assert caught.value.returncode == 2


def test_reading_has_a_deadline():
    with pytest.raises(process.ProcessTimedOut):
        process.read(["sleep", "60"], cwd=HERE, timeout=0.2)
