"""What `hpo run` shows, and where: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.terminal import Terminal

GRID = {
    "strategy": "grid",
    "parameters": {"n": {"type": "integer", "min": 1, "max": 3}},
    "limits": {},
}
"""Three trials: n is 1, then 2, then 3."""

ANSI = "\x1b"

COLOUR = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|9[0-7]|38;)")


def test_the_result_alone_is_on_standard_output(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2.5"', **GRID)
    ran = hpo("run", "spec.yaml")
    assert ran.out == "best: loss = 1.5 (trial 1)\n  n  1\n"
    assert [line.split()[:6] for line in ran.err.splitlines()[:3]] == [
        ["1/3", "trial", "1", "completed", "loss", "="],
        ["2/3", "trial", "2", "completed", "loss", "="],
        ["3/3", "trial", "3", "completed", "loss", "="],
    ]
    assert "job completed: all 3 trials have ended (trials: 3 completed" in ran.err
    assert "next: hpo trials job" in ran.err
    assert f"logs and models: {hpo.home}/jobs/job/trials" in ran.err


def test_json_is_lines_of_events_and_nothing_else(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2.5"; echo "loss=$2.25"; [ "$2" != 3 ]', **GRID)
    ran = hpo("run", "spec.yaml", "--json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.err == ""
    assert {event["event"] for event in events} == {"trial", "metric", "end"}
    assert [key for event in events for key in list(event)[:2]] == ["event", "time"] * len(events)
    steps = [
        (event["trial"], event["step"], event["value"]) for event in events if event["event"] == "metric"
    ]
    assert steps == [(1, 1, 1.5), (1, 2, 1.25), (2, 1, 2.5), (2, 2, 2.25), (3, 1, 3.5), (3, 2, 3.25)]
    ended = {e["trial"]: e for e in events if e["event"] == "trial" and e["ended"] is not None}
    assert [unlabelled(event) for event in ended.values()] == hpo("trials", "job", "--json").json
    assert unlabelled(events[-1]) == hpo("status", "job", "--json").json


def unlabelled(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in {"event", "time"}}


def test_events_have_times_like_all_else(hpo: Hpo) -> None:
    hpo.job("echo loss=1", limits={"max_jobs": 1})
    for line in hpo("run", "spec.yaml", "--json").out.splitlines():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", json.loads(line)["time"])


def test_a_failed_job_has_nothing_on_standard_output(hpo: Hpo) -> None:
    hpo.job("exit 3", **GRID)
    ran = hpo("run", "spec.yaml", status=1)
    assert ran.out == ""


def test_nothing_is_coloured_where_there_is_no_terminal(hpo: Hpo) -> None:
    hpo.job(r"printf '\033[31mred alert\033[0m\n'; [ $2 != 2 ] && echo loss=1", **GRID)
    environment = {"TERM": "xterm-256color", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    for args in (["run", "spec.yaml"], ["run", "spec.yaml", "--json", "--name", "other"], ["status", "job"]):
        ran = hpo(*args, env=environment)
        assert ANSI not in ran.out + ran.err


WAITING = """
echo "loss=$2.5"
if [ "$2" = 2 ]; then echo it broke; exit 3; fi
if [ "$2" = 3 ]; then echo "loss=0.25"; until [ -e go ]; do sleep 0.05; done; fi
"""


def test_the_live_view_shows_counts_the_best_what_runs_and_the_last_failure(hpo: Hpo) -> None:
    hpo.job(WAITING, **GRID)
    with Terminal(hpo, "run", "spec.yaml") as terminal:
        terminal.wait_for(r"trial 3 +running +\S+ +loss = 0\.25")
        text = terminal.wait_for(r"1 completed, 1 failed")
        for pattern in (
            r"job +random|job +grid",
            r"2/3",
            r"best: 1\.5 \(trial 1\) +n=1",
            r"2/3  trial 2  failed .* exit status 3: it broke",
            r"last failure: trial 2, exit status 3: it broke",
        ):
            assert re.search(pattern, text), pattern
        hpo.write("go", "")
        assert terminal.wait() == 0
        assert "best: loss = 0.25 (trial 3)" in terminal.text
        assert COLOUR.search(terminal.raw)


def test_no_color_is_honoured(hpo: Hpo) -> None:
    hpo.job("echo loss=1; sleep 0.5", limits={"max_jobs": 2})
    with Terminal(hpo, "run", "spec.yaml", NO_COLOR="1") as terminal:
        terminal.wait_for("best: 1")
        assert terminal.wait() == 0
        assert not COLOUR.search(terminal.raw)


def test_on_a_dumb_terminal_lines_are_plain(hpo: Hpo) -> None:
    hpo.job("echo loss=1", limits={"max_jobs": 2})
    with Terminal(hpo, "run", "spec.yaml", TERM="dumb") as terminal:
        assert terminal.wait() == 0
        assert ANSI not in terminal.raw
        assert "2/2  trial 2  completed  loss = 1" in terminal.text


@pytest.mark.parametrize("option", ["--json", ""])
def test_the_view_is_kept_off_standard_output(hpo: Hpo, option: str) -> None:
    hpo.job("echo loss=1", limits={"max_jobs": 2})
    out = hpo.folder / "result"
    with Terminal(hpo, "run", "spec.yaml", *filter(None, [option]), out=out) as terminal:
        assert terminal.wait() == 0
    written = out.read_text()
    assert ANSI not in written
    if option:
        assert [json.loads(line)["event"] for line in written.splitlines()][-1] == "end"
    else:
        assert written.startswith("best: loss = 1.0 (trial 1)\n")


def test_ctrl_c_at_the_terminal_stops_gracefully_and_says_how_to_go_on(hpo: Hpo) -> None:
    hpo.job("echo loss=1; exec sleep 1000", launcher={"command": ["sh", "train.sh"], "stop_grace": "20s"})
    with Terminal(hpo, "run", "spec.yaml") as terminal:
        terminal.wait_for("trial 1 +running")
        terminal.press("\x03")
        terminal.wait_for("stopping.*at once")
        assert terminal.wait() == 130
        assert "go on with: hpo resume job" in terminal.text
    assert hpo.left_behind() == []


@pytest.mark.parametrize("option", ["--json", ""])
def test_a_terminal_that_is_closed_interrupts_the_job(
    hpo: Hpo, option: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    """Its end is a signal, and then nothing more can be written to it."""
    hpo.job("touch started; echo loss=1; exec sleep 1000")
    with Terminal(hpo, "run", "spec.yaml", *filter(None, [option])) as terminal:
        eventually((hpo.folder / "started").exists)
        terminal.close()
        assert terminal.process.wait(PATIENCE) == 129
    assert hpo.left_behind() == []
    status = hpo("status", "job", "--json").json
    assert (status["status"], status["counts"]["cancelled"]) == ("interrupted", 1)


@pytest.mark.parametrize("redirection", ["| true", "2>&1 | true", "2>&-", ">&-", "2>&1 | head -1"])
def test_a_job_outlives_its_readers(hpo: Hpo, redirection: str) -> None:
    hpo.job("echo loss=1")
    command = f"{shlex.join(hpo.command('run', 'spec.yaml'))} {redirection}"
    shell = ["sh", "-c", command]
    ran = subprocess.run(
        shell, cwd=hpo.folder, env=hpo.environment, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in ran.stderr
    assert hpo("status", "job", "--json").json["counts"]["completed"] == 3
