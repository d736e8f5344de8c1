"""Jobs that are there already: refused, resumed, retried, deleted."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable

import pytest

from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]

COUNTING = 'echo "$HPO_TRIAL" >> started; echo "loss=$HPO_TRIAL"'


def counts(hpo: Hpo, name: str = "job") -> tuple[int, int, int]:
    """Return how many trials of a job completed, failed, and were cancelled."""
    found = hpo("status", name, "--json").json["counts"]
    return found["completed"], found["failed"], found["cancelled"]


def test_a_name_that_exists_is_refused_with_the_ways_on(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    refused = hpo("run", "spec.yaml", status=2)
    for way in ("hpo resume job", "--or-resume", "--name OTHER", "hpo status job", "hpo delete job"):
        assert way in refused.err
    hpo("run", "spec.yaml", "--name", "other")
    assert hpo.text("started") == "1\n2\n3\n" * 2


def test_or_resume_goes_on_with_the_same_spec_only(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    for _ in range(2):
        ran = hpo("run", "spec.yaml", "--or-resume")
        assert "best: loss = 1.0" in ran.out
    assert hpo.text("started") == "1\n2\n3\n"
    for change in ("parameters.x.max=2", "launcher.command=sh train.sh -x"):
        refused = hpo("run", "spec.yaml", "--or-resume", "--set", change, status=2)
        assert "began with another spec" in refused.err
        assert "--name OTHER" in refused.err


def test_or_resume_with_other_limits_says_how_to_change_them(hpo: Hpo) -> None:
    hpo.job(COUNTING, limits={"max_jobs": 3, "max_runtime": "2h"})
    hpo("run", "spec.yaml")
    limits = ("limits.max_jobs=4", "limits.max_runtime=null", "stop_when.target=0.5", "retry.attempts=3")
    options = [part for limit in limits for part in ("--set", limit)]
    said = hpo("run", "spec.yaml", "--or-resume", *options, status=2).err
    assert "job job has other limits than this spec" in said
    assert "hpo delete" not in said
    (advice,) = re.findall(r"`hpo (resume job --set [^`]+)`", said)
    hpo(*advice.split())
    assert hpo("run", "spec.yaml", "--or-resume", *options).status == 0
    assert hpo.text("started") == "1\n2\n3\n4\n"


def test_of_two_runs_of_one_name_at_once_one_is_refused(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    processes = [hpo.start("run", "spec.yaml") for _ in range(2)]
    assert sorted(process.wait(PATIENCE) for process in processes) == [0, 2]
    assert "a job named job exists already" in hpo.text("err")
    assert hpo.text("started") == "1\n2\n3\n"


def test_a_job_that_runs_is_not_run_twice(hpo: Hpo, eventually: Eventually) -> None:
    hpo.job("echo loss=1; touch begun; until [ -e go ]; do sleep 0.05; done", limits={"max_jobs": 1})
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.folder / "begun").exists)
    for args in (["resume", "job"], ["run", "spec.yaml", "--or-resume"], ["retry", "job"]):
        refused = hpo(*args, status=1)
        assert f"being run by another process (pid {process.pid})" in refused.err
        assert "hpo stop job" in refused.err
    assert "job job is running; stop it first" in hpo("delete", "job", "--yes", status=1).err
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0


def test_resume_may_raise_a_limit(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    hpo("resume", "job", "--set", "limits.max_jobs=5", "--set", "limits.max_parallel_jobs=2")
    assert counts(hpo) == (5, 0, 0)
    assert sorted(hpo.text("started").split()) == ["1", "2", "3", "4", "5"]
    assert hpo("status", "job", "--json").json["max_jobs"] == 5


def test_a_job_that_goes_on_where_gpus_are_missing_does_not_wait_for_them(hpo: Hpo) -> None:
    launcher = {"command": ["sh", "train.sh"], "gpus": 2}
    hpo.job(COUNTING, limits={"max_jobs": 1}, launcher=launcher)
    hpo("run", "spec.yaml", env={"CUDA_VISIBLE_DEVICES": "0,1"})
    more = ("resume", "job", "--set", "limits.max_jobs=2")
    said = hpo(*more, env={"CUDA_VISIBLE_DEVICES": "0,0"}).err
    assert "gpus: a trial needs 2, and only 0 can be found here" in said
    trial = hpo("trials", "job", "--json").json[1]
    assert (trial["status"], trial["reason"]) == ("failed", "could not start")


def test_resume_refuses_what_may_not_change(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    for override, words in {
        "parameters.x.max=2": "parameters.x.max: it may only be lowered, and is 1.0",
        "seed=7": "only limits, stop_when, retry may change",
        "limits.max_jobs=0": "`limits.max_jobs` is 0",
        "limits.max_job=5": "did you mean `max_jobs`?",
        "limits": "this sets nothing",
    }.items():
        assert words in hpo("resume", "job", "--set", override, status=2).err
    assert hpo("status", "job", "--json").json["max_jobs"] == 3
    hpo("resume", "job")  # nothing was written down of it
    assert counts(hpo) == (3, 0, 0)


def test_resume_of_an_ended_job_changes_nothing(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    before = hpo("trials", "job", "--json").json
    assert "best: loss = 1.0" in hpo("resume", "job").out
    assert hpo("trials", "job", "--json").json == before


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ({"stop_when": {"target": 2.5}}, "2.5 reached the target 2.5"),
        (
            {"limits": {"max_jobs": 5, "max_parallel_jobs": 2, "max_runtime": "1s"}},
            "the job ran for 1 second",
        ),
    ],
)
def test_a_job_that_has_reached_its_goal_runs_nothing_again(
    hpo: Hpo, criterion: dict[str, object], words: str
) -> None:
    program = 'echo "loss=$HPO_TRIAL.5"; [ "$HPO_TRIAL" = 2 ] || until [ -e go ]; do sleep 0.05; done'
    hpo.job(program, **{"limits": {"max_jobs": 5, "max_parallel_jobs": 2}, **criterion})
    hpo("run", "spec.yaml")
    before = hpo("trials", "job", "--json").json
    assert "cancelled" in {trial["status"] for trial in before}
    for again in (["resume", "job"], ["resume", "job"], ["run", "spec.yaml", "--or-resume"]):
        said = hpo(*again).err
        assert f"nothing is run again: {words}; to go on, change that limit: hpo resume job --set" in said
        assert hpo("trials", "job", "--json").json == before
    assert hpo("logs", "job", "1").out == "loss=1.5\n"
    hpo.write("go", "")
    key = "stop_when.target=null" if "stop_when" in criterion else "limits.max_runtime=1h"
    hpo("resume", "job", "--set", key)
    assert counts(hpo) == (5, 0, 0)
    assert hpo("trials", "job", "--json").json[0]["attempts"] == 2


def test_retry_runs_the_failed_trials_again(hpo: Hpo) -> None:
    hpo.job('[ -e mended ] || [ "$HPO_TRIAL" = 2 ] || exit 9; echo "loss=$HPO_TRIAL"')
    hpo("run", "spec.yaml")
    assert counts(hpo) == (1, 2, 0)
    values = [trial["parameters"] for trial in hpo("trials", "job", "--json").json]
    hpo.write("mended", "")
    hpo("retry", "job")
    trials = hpo("trials", "job", "--json").json
    assert counts(hpo) == (3, 0, 0)
    assert [trial["attempts"] for trial in trials] == [2, 1, 2]
    assert [trial["parameters"] for trial in trials] == values
    assert "no trial of job has failed" in hpo("retry", "job").err


def test_an_ended_job_is_deleted_when_that_is_confirmed(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    asked = hpo("delete", "job", text="n\n", status=None)
    assert asked.status == 1
    assert "Delete job with its 3 trials" in asked.err
    assert "hpo: job was not deleted" in asked.err
    assert "without a terminal give --yes" in hpo("delete", "job", status=2).err
    assert counts(hpo) == (3, 0, 0)
    assert hpo("delete", "job", "--yes").out == ""
    hpo("status", "job", status=4)
    assert list((hpo.home / "jobs").iterdir()) == []


def test_a_detached_job_runs_on_and_is_waited_for(hpo: Hpo) -> None:
    hpo.job("echo loss=1; until [ -e go ]; do sleep 0.05; done", limits={"max_jobs": 1})
    detached = hpo("run", "spec.yaml", "--detach")
    assert detached.out == ""
    for words in ("runs in the background", "hpo wait job", "hpo stop job"):
        assert words in detached.err
    late = hpo("wait", "job", "--timeout", "0.1", status=1)
    assert "job still runs after 0.1 seconds" in late.err
    hpo.write("go", "")
    assert "job completed" in hpo("wait", "job").err
    hpo("wait", "job", "--fail-if", "best > 1")
    assert "the gate is not met" in hpo("wait", "job", "--fail-if", "best >= 1", status=3).err


def test_what_is_refused_in_the_background_is_told_here(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    hpo("resume", "job", "--detach", "--set", "limits.max_jobs=4")
    hpo("wait", "job")
    refused = hpo("resume", "job", "--detach", "--set", "seed=2", status=2)
    assert refused.err.startswith("hpo: --set seed=2: `seed` may not change: its trials were proposed by it")
    assert counts(hpo) == (4, 0, 0)


def test_wait_returns_the_status_of_a_failed_job(hpo: Hpo) -> None:
    hpo.job("exit 3")
    hpo("run", "spec.yaml", "--detach")
    assert "the first 3 trials all failed" in hpo("wait", "job", status=1).err


def test_the_gate_of_run(hpo: Hpo) -> None:
    hpo.job(COUNTING, limits={"max_jobs": 1})
    ran = hpo("run", "spec.yaml", "--fail-if", "best >= 1", status=3)
    assert "best: loss = 1.0" in ran.out
    hpo("run", "spec.yaml", "--or-resume", "--fail-if", "best > 1")
    wrong = hpo("run", "spec.yaml", "--name", "other", "--fail-if", "best is bad", status=2)
    assert "write it as 'best < 0.9'" in wrong.err
    assert not (hpo.home / "jobs/other").exists()


def test_logs_are_followed_to_the_end(hpo: Hpo, eventually: Eventually) -> None:
    hpo.job(
        "echo first; touch begun; until [ -e go ]; do sleep 0.05; done; echo loss=1", limits={"max_jobs": 1}
    )
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.folder / "begun").exists)
    following = hpo.start("logs", "job", "1", "-f", out="followed")
    eventually(lambda: hpo.text("followed") == "first\n")
    assert hpo("logs", "job", "1").out == "first\n"
    hpo.write("go", "")
    assert (following.wait(PATIENCE), process.wait(PATIENCE)) == (0, 0)
    assert hpo.text("followed") == "first\nloss=1\n"


def test_logs_are_followed_into_the_next_run(hpo: Hpo, eventually: Eventually) -> None:
    program = 'echo $PPID > guard; echo "run $HPO_RUN"; until [ -e go ]; do sleep 0.05; done; echo loss=1'
    hpo.job(program, limits={"max_jobs": 1})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: hpo.text("guard").strip())
    following = hpo.start("logs", "job", "1", "-f", out="followed")
    eventually(lambda: hpo.text("followed") == "run 1\n")
    os.kill(int(hpo.text("guard")), signal.SIGKILL)
    eventually(lambda: hpo.text("followed") == "run 1\nrun 2\n")
    hpo.write("go", "")
    assert (following.wait(PATIENCE), process.wait(PATIENCE)) == (0, 0)
    assert hpo.text("followed") == "run 1\nrun 2\nloss=1\n"
    assert "trial 1 is launched again: run 2" in hpo.text("err")


def test_the_log_of_an_earlier_run_is_there(hpo: Hpo) -> None:
    hpo.job('echo "loss=$HPO_RUN"; [ "$HPO_RUN" = 2 ]', limits={"max_jobs": 1})
    hpo("run", "spec.yaml", status=1)
    hpo("retry", "job")
    assert hpo("logs", "job", "1").out == "loss=2\n"
    assert hpo("logs", "job", "1", "--run", "1").out == "loss=1\n"
    for options in (["--run", "7"], ["--run", "3", "-f"]):
        refused = hpo("logs", "job", "1", *options, status=4).err
        assert refused == f"hpo: trial 1 of job has no run {options[1]}: it has 2 runs\n"
    assert "0 is not in the range x>=1" in hpo("logs", "job", "1", "--run", "0", status=2).err


def test_a_copied_folder_is_a_job_of_its_own_that_can_be_resumed(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    jobs = hpo.home / "jobs"
    shutil.copytree(jobs / "job", jobs / "copy")
    assert hpo("best", "copy", "--json").json["job"] == "copy"
    hpo("resume", "copy", "--set", "limits.max_jobs=5")
    assert (counts(hpo, "job"), counts(hpo, "copy")) == ((3, 0, 0), (5, 0, 0))
    assert [job["job"] for job in hpo("list", "--json").json] == ["copy", "job"]
    assert (jobs / "copy/trials/0005").exists()
    assert not (jobs / "job/trials/0005").exists()


def test_an_edited_spec_of_a_job_is_refused(hpo: Hpo) -> None:
    hpo.job(COUNTING)
    hpo("run", "spec.yaml")
    spec = hpo.home / "jobs/job/spec.yaml"
    text = spec.read_text()
    spec.write_text(text.replace("max: 1.0", "max: 2.0"))
    assert "is not the spec that the job began with" in hpo("resume", "job", status=2).err
    spec.write_text(text.replace("max_jobs: 3", "max_jobs: 4"))
    hpo("resume", "job")
    assert counts(hpo) == (4, 0, 0)


@pytest.mark.parametrize("option", ["--json", "--leave-running", "--fail-if=best < 1"])
def test_what_a_job_in_the_background_cannot_be_told_is_refused(hpo: Hpo, option: str) -> None:
    hpo.job("echo loss=1")
    refused = hpo("run", "spec.yaml", "--detach", option, status=2)
    assert option.partition("=")[0] in refused.err
    assert hpo("list", "--json").json == []
