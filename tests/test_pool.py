from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assetbuild import pool
from assetbuild.pool import Lost, WorkerError


def square(n: int) -> int:
    return n * n


def pid(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def misbehave(how: str) -> str:
    match how:
        case "crash":
            faulthandler.disable()  # It would tell the whole terminal.
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "hang":
            # Not interruptible by Python's own signal handling, as a C extension in a long loop is not.
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
            time.sleep(600)
        case "slow":
            time.sleep(1)
        case "raise":
            raise ValueError("out of cheese")
    return how


def tell_and_hang(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    misbehave("hang")


def has_ended(process: int) -> bool:
    for _ in range(100):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def start_a_child_and_hang(file: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(file).write_text(str(child.pid))
    time.sleep(600)


def test_every_item_gets_its_result() -> None:
    items = list(range(500))
    results = dict(pool.run(square, items, weights=[1000] * 500, jobs=3))
    assert results == {i: i * i for i in items}


def test_nothing_to_do_starts_nothing() -> None:
    assert list(pool.run(square, [], weights=[])) == []


def test_heavy_work_is_spread_over_the_workers() -> None:
    pids = {result for _, result in pool.run(pid, [0] * 8, weights=[pool.BATCH_WEIGHT] * 8, jobs=2)}
    assert len(pids) == 2
    assert os.getpid() not in pids


@pytest.mark.parametrize(
    ("how", "lost"),
    [
        ("crash", Lost("crash", "signal SIGSEGV")),
        ("exit", Lost("crash", "exit status 3")),
        ("hang", Lost("timeout")),
    ],
)
def test_a_lost_worker_costs_the_item_it_had_in_hand_and_no_other(how: str, lost: Lost) -> None:
    items = ["ok"] * 10 + [how] + ["fine"] * 10
    results = dict(pool.run(misbehave, items, weights=[1] * 21, jobs=1, time_limits=[1] * 21))
    assert results.pop(10) == lost
    assert results == {i: items[i] for i in range(21) if i != 10}


def test_several_lost_workers_are_each_replaced() -> None:
    items = ["crash", "a", "exit", "b", "crash", "c"]
    results = dict(pool.run(misbehave, items, weights=[pool.BATCH_WEIGHT] * 6, jobs=2))
    assert [isinstance(results[i], Lost) for i in range(6)] == [True, False, True, False, True, False]


def test_an_exception_is_the_programs_own_mistake() -> None:
    with pytest.raises(WorkerError, match="out of cheese"):
        list(pool.run(misbehave, ["raise"], weights=[1]))


def test_what_a_stopped_worker_started_is_stopped_too(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    # The limit leaves the child time to start on a busy machine.
    ((_, result),) = pool.run(start_a_child_and_hang, [str(file)], weights=[1], time_limits=[3])
    assert result == Lost("timeout")
    assert has_ended(int(file.read_text()))


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
@pytest.mark.skipif(sys.platform != "linux", reason="the system tells a worker only on Linux")
def test_a_busy_worker_ends_with_the_process_that_started_it(tmp_path: Path, how: str) -> None:
    script = "import sys; from tests.test_pool import *; list(pool.run(tell_and_hang, sys.argv[1:], weights=[1]))"
    home = str(Path(__file__).parent.parent)
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "pid")], cwd=home)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    parent.send_signal(signal.Signals[how])
    parent.wait()
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_the_work_may_be_done_from_any_thread() -> None:
    results: list[tuple[int, int | Lost]] = []
    thread = threading.Thread(target=lambda: results.extend(pool.run(square, [3], weights=[1])))
    thread.start()
    thread.join()
    assert results == [(0, 9)]


def test_what_is_behind_an_item_without_a_limit_has_its_own() -> None:
    items = ["ok", "slow", "hang", "fine"]
    results = dict(pool.run(misbehave, items, weights=[4, 3, 2, 1], jobs=1, time_limits=[0.5, None, 0.5, 0.5]))
    assert results == {0: "ok", 1: "slow", 2: Lost("timeout"), 3: "fine"}


def test_a_result_larger_than_any_pipe_comes_through() -> None:
    items = [5_000_000, 7_000_000, 1]
    results = dict(pool.run(bytes, items, weights=items))
    assert [len(results[i]) for i in range(3)] == items


def test_stopping_early_leaves_no_worker_behind() -> None:
    run = pool.run(pid, [0] * 8, weights=[pool.BATCH_WEIGHT] * 8, jobs=2)
    _, worker = next(run)
    assert isinstance(worker, int)
    run.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_any_number_of_items_without_weight_goes_through() -> None:
    count = 60_000
    results = dict(pool.run(large, range(count), weights=[250_000, *[0] * (count - 1)], jobs=2))
    assert len(results) == count


def large(n: int) -> tuple[str, ...]:
    return ("some/path/to/a/file.css", "0" * 64, str(n) * 20)


def test_each_worker_gets_a_heavy_item_of_its_own() -> None:
    for limits in (None, [60.0] * 4):
        pids = dict(pool.run(pid, [0] * 4, weights=[pool.BATCH_WEIGHT] * 4, jobs=4, time_limits=limits))
        assert len(set(pids.values())) == 4


def unsendable(how: str) -> object:
    return (lambda: how) if how == "lambda" else how


def test_a_result_that_cannot_be_handed_over_is_the_programs_own_mistake() -> None:
    with pytest.raises(WorkerError, match="pickle"):
        list(pool.run(unsendable, ["a", "lambda", "b"], weights=[1] * 3, jobs=1))


def test_who_takes_the_results_may_take_his_time() -> None:
    items = ["hang", "hang", "slow", "fine"]
    limits = [0.3, 0.3, None, None]
    results = {}
    for number, result in pool.run(misbehave, items, weights=[pool.BATCH_WEIGHT] * 4, jobs=2, time_limits=limits):
        time.sleep(0.6)
        results[number] = result
    assert results == {0: Lost("timeout"), 1: Lost("timeout"), 2: "slow", 3: "fine"}
