"""What the watchdog calls sick, and after how long; and that a slot has one holder."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from processors.faust_app.slots import SlotTaken, hold_slot
from processors.faust_app.watchdog import (
    MOST_ASSIGNMENTS_A_MINUTE,
    OUTSIDE_SECONDS,
    Watch,
    Watchdog,
)

IDLE_SECONDS = 60.0


class Time:
    now = 0.0


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def watch(time: Time) -> Watch:
    return Watch(idle_limit=IDLE_SECONDS, now=lambda: time.now)


def seen(watch: Watch, *, lag: int = 0, in_hand: int = 0, member: bool | None = True) -> str | None:
    watch.told(member)
    return watch.seen(lag=lag, in_hand=in_hand)


def test_a_worker_without_anything_to_do_is_well(watch: Watch, time: Time) -> None:
    for _ in range(100):
        assert seen(watch) is None
        time.now += 10


def test_lagging_and_idle_is_sick_after_a_while(watch: Watch, time: Time) -> None:
    assert seen(watch, lag=5) is None
    time.now += IDLE_SECONDS - 1
    assert seen(watch, lag=5) is None
    time.now += 1
    assert "5 records behind" in str(seen(watch, lag=5))


@pytest.mark.parametrize("what", ["work in hand", "progress", "no lag"])
def test_any_sign_of_life_starts_the_wait_anew(watch: Watch, time: Time, what: str) -> None:
    assert seen(watch, lag=5) is None
    time.now += IDLE_SECONDS - 1
    match what:
        case "work in hand":
            assert seen(watch, lag=5, in_hand=1) is None
        case "progress":
            watch.progressed()
        case _:
            assert seen(watch) is None
    time.now += IDLE_SECONDS - 1
    assert seen(watch, lag=5) is None


def test_twins_are_noticed_and_ordinary_rebalances_are_not(watch: Watch, time: Time) -> None:
    for _ in range(100):
        watch.assigned()
        assert seen(watch) is None
        time.now += 5
    for _ in range(MOST_ASSIGNMENTS_A_MINUTE + 1):
        watch.assigned()
        time.now += 1
    assert "WORKER_SLOT" in str(seen(watch))


def test_out_of_the_group_is_sick_and_not_being_able_to_ask_is_not(watch: Watch, time: Time) -> None:
    for _ in range(50):
        assert seen(watch, member=None) is None
        time.now += 10
    assert seen(watch, member=False) is None
    time.now += OUTSIDE_SECONDS
    assert "no longer knows" in str(seen(watch, member=False))
    assert seen(watch, member=True) is None
    assert seen(watch, member=False) is None


def test_the_watchdog_leaves_for_the_reason_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.faust_app.watchdog.LOOK_EVERY_SECONDS", 0.01)
    left, reasons = threading.Event(), list[str]()

    def leave(reason: str) -> None:
        reasons.append(reason)
        left.set()

    watchdog = Watchdog(lambda: "sick", leave=leave)
    watchdog.start()
    assert left.wait(30)
    watchdog.close()
    assert reasons == ["sick"]


def test_a_slot_has_one_holder_and_death_frees_it(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from processors.faust_app.slots import hold_slot
slot = hold_slot(Path({str(tmp_path)!r}), "group", 3)
print("held", flush=True)
time.sleep(60)
"""
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SlotTaken, match=f"process {holder.pid}"):
            hold_slot(tmp_path, "group", 3)
        hold_slot(tmp_path, "group", 4).release()
        holder.kill()
    slot = hold_slot(tmp_path, "group", 3)
    slot.release()
    hold_slot(tmp_path, "group", 3).release()


def test_ready_is_who_was_dealt_partitions_and_is_known_to_the_group(watch: Watch) -> None:
    assert watch.trouble() == "no partitions were dealt out yet"
    watch.told(False)  # asked while it was joining
    watch.assigned()
    assert watch.trouble() is None
    watch.told(False)
    assert "does not know this worker" in str(watch.trouble())
    watch.told(None)
    assert "can't be reached" in str(watch.trouble())
    watch.told(True)
    assert watch.trouble() is None
