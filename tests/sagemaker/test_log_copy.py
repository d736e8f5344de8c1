"""What is copied of CloudWatch's log streams: every event once, however it is told."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hpo.launchers.indexed_log import CopyBusy, index_of
from hpo.launchers.sagemaker.answers import LogEvent
from hpo.launchers.sagemaker.log_copy import LONGEST, LogCopy, copied

STREAM = "job-0001-1/algo-1-1"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run" / "log"


def events(*numbers: int) -> list[LogEvent]:
    return [LogEvent(1_000 * number, f"loss={number}") for number in numbers]


def test_events_become_lines(log: Path) -> None:
    copy = LogCopy(log)
    assert copy.add(STREAM, events(1, 2)) == b"loss=1\nloss=2\n"
    copy.close()
    assert log.read_bytes() == b"loss=1\nloss=2\n"
    assert copied(log) == 14


def test_what_is_told_again_is_passed_over_also_by_another_copy(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1, 2, 3))
    assert copy.add(STREAM, events(2, 3, 4)) == b"loss=4\n"
    copy.close()
    again = LogCopy(log)
    assert again.add(STREAM, events(3, 4, 5)) == b"loss=5\n"
    again.close()


def test_a_line_printed_twice_at_one_time_is_two_lines(log: Path) -> None:
    copy = LogCopy(log)
    same = LogEvent(5, "again")
    copy.add(STREAM, [same, same])
    assert copy.add(STREAM, [same, same]) == b""
    assert copy.add(STREAM, [same, same, same]) == b"again\n"
    copy.close()


def test_what_two_machines_print_at_one_time_is_both_theirs(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1))
    assert copy.add("job-0001-1/algo-2-1", events(1)) == b"loss=1\n"
    copy.close()


def test_a_line_that_comes_late_is_appended(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1, 3))
    assert copy.add(STREAM, events(2)) == b"loss=2\n"
    copy.close()


def test_one_that_comes_very_late_is_found_missing_at_the_end(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1, 500))
    assert copy.add(STREAM, events(2)) == b""
    assert copy.complete(STREAM, iter(events(1, 2, 500))) == b"loss=2\n"
    assert copy.complete(STREAM, iter(events(1, 2, 500))) == b""
    copy.close()


def test_the_log_by_the_times_of_its_events(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1, 3))
    assert copy.in_time() is None
    copy.add(STREAM, [*events(2), LogEvent(3_000, "again")])
    copy.add("job-0001-1/algo-2-1", events(1))
    assert copy.in_time() == b"loss=1\nloss=1\nloss=2\nloss=3\nagain\n"
    copy.close()


def test_what_was_not_indexed_is_written_again(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1, 2))
    copy.close()
    with log.open("ab") as file:
        file.write(b"loss=3, half wri")  # a tuner died here
    with index_of(log).open("ab") as file:
        file.write(b"half")
    again = LogCopy(log)
    assert again.add(STREAM, events(2, 3)) == b"loss=3\n"
    again.close()
    assert log.read_bytes() == b"loss=1\nloss=2\nloss=3\n"


def test_a_log_that_was_cut_is_copied_from_its_beginning(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, events(1, 2))
    copy.close()
    log.write_bytes(b"lo")
    again = LogCopy(log)
    assert again.since(STREAM) is None
    again.add(STREAM, events(1, 2))
    again.close()
    assert log.read_bytes() == b"loss=1\nloss=2\n"


def test_control_characters_are_what_the_program_printed(log: Path) -> None:
    copy = LogCopy(log)
    line = "[0]#011validation-auc:0.5 #01510% #033[1mü #19 #200"
    assert (
        copy.add(STREAM, [LogEvent(1, line)]) == "[0]\tvalidation-auc:0.5 \r10% \033[1mü #19 #200\n".encode()
    )
    copy.close()


def test_the_longest_event_goes_on_in_the_next(log: Path) -> None:
    copy = LogCopy(log)
    copy.add(STREAM, [LogEvent(1, "x" * LONGEST), LogEvent(1, "y")])
    copy.close()
    assert log.read_bytes() == b"x" * LONGEST + b"y\n"


def test_one_copies_at_a_time(log: Path) -> None:
    copy = LogCopy(log)
    with pytest.raises(CopyBusy):
        LogCopy(log)
    copy.close()
    LogCopy(log).close()


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_order_every_event_is_there_once(log: Path, seed: int) -> None:
    rng = random.Random(seed)
    told = [LogEvent(rng.randrange(200_000), f"line {rng.randrange(30)}") for _ in range(200)]
    copy = LogCopy(log)
    for _ in range(20):
        copy.add(STREAM, rng.sample(told, rng.randrange(len(told))))
        if rng.random() < 0.2:
            copy.close()
            copy = LogCopy(log)
    rng.shuffle(told)
    copy.complete(STREAM, iter(told))
    copy.close()
    assert sorted(log.read_bytes().splitlines()) == sorted(event.message.encode() for event in told)
