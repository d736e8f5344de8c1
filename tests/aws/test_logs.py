"""CloudWatch Logs of training jobs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hpo.testing.aws import Aws
from tests.aws.training import GROUP, SLEEP, Training


def get(training: Training, name: str, **query: Any) -> dict[str, Any]:
    (stream,) = training.streams(name)
    answer: dict[str, Any] = training.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, **query)
    return answer


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_nothing_is_there_before_the_first_output(training: Training) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*log group"):
        training.logs.describe_log_streams(logGroupName=GROUP)
    training.run("job-1", "print('x')")
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*log stream"):
        training.logs.get_log_events(logGroupName=GROUP, logStreamName="job-2/algo-1-1")
    assert training.streams("job-2") == []


def test_tokens_go_on_and_repeat_when_there_is_nothing(training: Training) -> None:
    training.run("job-1", "for n in range(5): print(n)")
    first = get(training, "job-1", startFromHead=True, limit=2)
    assert messages(first) == ["0", "1"]
    second = get(training, "job-1", nextToken=first["nextForwardToken"])
    assert messages(second) == ["2", "3", "4"]
    idle = get(training, "job-1", nextToken=second["nextForwardToken"])
    assert messages(idle) == []
    assert idle["nextForwardToken"] == second["nextForwardToken"]
    assert idle["nextForwardToken"].startswith("f/")
    last = get(training, "job-1", limit=2)
    assert messages(last) == ["3", "4"]
    back = get(training, "job-1", nextToken=last["nextBackwardToken"], limit=2)
    assert messages(back) == ["1", "2"]
    assert back["nextBackwardToken"].startswith("b/")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        get(training, "job-1", nextToken="made-up")


def test_times_bound_what_is_read(training: Training) -> None:
    training.run("job-1", "import time; print('a', flush=True); time.sleep(0.05); print('b')")
    first, last = get(training, "job-1", startFromHead=True)["events"]
    assert first["timestamp"] < last["timestamp"]
    assert messages(get(training, "job-1", startTime=last["timestamp"])) == ["b"]
    assert messages(get(training, "job-1", endTime=last["timestamp"])) == ["a"]
    assert abs(first["timestamp"] - time.time() * 1000) < 60_000
    found = training.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="job-1/", limit=1)
    assert messages(found) == ["a"]
    assert messages(
        training.logs.filter_log_events(
            logGroupName=GROUP, logStreamNamePrefix="job-1/", nextToken=found["nextToken"]
        )
    ) == ["b"]


def test_pages_have_a_size(training: Training) -> None:
    training.run("job-1", "for n in range(12): print('x' * 100_000)")
    answer = get(training, "job-1", startFromHead=True)
    assert len(answer["events"]) == 10
    rest = get(training, "job-1", nextToken=answer["nextForwardToken"])
    assert len(rest["events"]) == 2
    training.run("job-2", "for n in range(10_001): print(n)")
    assert len(get(training, "job-2", startFromHead=True)["events"]) == 10_000


def test_lines_as_cloudwatch_shows_them(training: Training) -> None:
    program = (
        "import sys; w = sys.stdout.buffer.write\n"
        "w(b'tab\\there\\rreturn\\x1b[0m\\x7f\\n\\n'); w(b'bad \\xff\\n')\n"
        "w('é'.encode() * 200_000 + b'\\n')\n"
        "w(b'unended')"
    )
    training.run("job-1", program)
    tab, bad, *long, unended = training.log("job-1")
    assert tab == "tab#011here#015return#033[0m#177"
    assert bad == "bad \ufffd"
    assert "".join(long) == "é" * 200_000
    assert [len(each.encode()) for each in long] == [262_118, 137_882]
    assert unended == "unended"


def test_stderr_is_in_it(training: Training) -> None:
    training.run("job-1", "import sys; print('out', flush=True); print('err', file=sys.stderr)")
    assert training.log("job-1") == ["out", "err"]


def test_lines_that_come_late(training: Training, aws: Aws) -> None:
    aws.settings.log_delay = 0.4
    training.run("job-1", "print('x')")
    assert training.streams("job-1") == []
    training.printed("job-1", "x")


def test_lines_that_come_after_their_successors(training: Training, aws: Aws) -> None:
    aws.settings.log_shuffle, aws.settings.log_shuffle_delay = 0.5, 2.0
    training.run("job-1", "import time\nfor n in range(40): print(n, flush=True); time.sleep(0.003)")
    early = get(training, "job-1", startFromHead=True)
    seen = [int(each) for each in messages(early)]
    assert 0 < len(seen) < 40
    training.until("job-1", lambda _: len(get(training, "job-1", startFromHead=True)["events"]) == 40)
    whole = get(training, "job-1", startFromHead=True)
    assert [int(each) for each in messages(whole)] == list(range(40))  # in the order of their times
    later = get(training, "job-1", nextToken=early["nextForwardToken"])
    assert [int(each) for each in messages(later)] == list(range(max(seen) + 1, 40))


def test_streams_are_listed_in_pages(training: Training) -> None:
    for name in ("b", "a", "c"):
        training.run(name, "print('x')")
    page = training.logs.describe_log_streams(logGroupName=GROUP, limit=2)
    rows = page["logStreams"]
    assert [row["logStreamName"][0] for row in rows] == ["a", "b"]
    assert {"creationTime", "firstEventTimestamp", "lastEventTimestamp", "arn"} <= rows[0].keys()
    (row,) = training.logs.describe_log_streams(logGroupName=GROUP, nextToken=page["nextToken"])["logStreams"]
    assert row["logStreamName"].startswith("c/algo-1-")
    latest = training.logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True)
    assert [row["logStreamName"][0] for row in latest["logStreams"]] == ["c", "a", "b"]


def test_metrics_are_read_while_the_program_runs(training: Training) -> None:
    definitions = {"MetricDefinitions": [{"Name": "m", "Regex": r"m=(\S+)"}]}
    training.create(
        "job-1", f"print('m=1', flush=True); print('m=nan', flush=True)\n{SLEEP}", algorithm=definitions
    )
    training.printed("job-1")
    (metric,) = training.describe("job-1")["FinalMetricDataList"]
    assert metric["Value"] == 1.0  # what is no finite number is passed over
