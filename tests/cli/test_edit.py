"""`hpo edit`: what of a job may change after it has begun, while it runs or before it goes on."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]

GATED = """
echo "$HPO_TRIAL" >> started
until [ -e "go$HPO_TRIAL" ] || [ -e go ]; do sleep 0.02; done
echo "loss=$HPO_TRIAL"
"""
"""A trial ends once the file goN, or go, is there."""


def started(hpo: Hpo) -> list[int]:
    return sorted(map(int, hpo.text("started").split()))


def trials(hpo: Hpo, name: str = "job") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", name, "--json").json
    return found


def stored(hpo: Hpo, name: str = "job") -> Any:
    return yaml.safe_load((hpo.home / f"jobs/{name}/spec.yaml").read_text())


def edit(hpo: Hpo, *overrides: str, status: int = 0) -> str:
    options = [part for override in overrides for part in ("--set", override)]
    return hpo("edit", "job", *options, status=status).err


def begin(hpo: Hpo, eventually: Eventually, count: int, **sections: object) -> Any:
    """Have a job run of which so many trials have started."""
    hpo.job(GATED, **sections)
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: len(started(hpo)) == count)
    return process


def test_a_running_job_gets_more_trials_and_more_in_parallel(hpo: Hpo, eventually: Eventually) -> None:
    process = begin(hpo, eventually, 1, limits={"max_jobs": 2})
    said = edit(hpo, "limits.max_jobs=5", "limits.max_parallel_jobs=3")
    assert "limits.max_jobs=5 (was 2)" in said
    assert "limits.max_parallel_jobs=3 (was null)" in said
    assert stored(hpo)["limits"] == {"max_jobs": 5, "max_parallel_jobs": 3}
    eventually(lambda: started(hpo) == [1, 2, 3])
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    status = hpo("status", "job", "--json").json
    assert (status["counts"]["completed"], status["max_jobs"]) == (5, 5)
    (made,) = status["edits"]
    assert made["what"] == "limits.max_jobs=5 (was 2), limits.max_parallel_jobs=3 (was null)"
    assert made["at"].endswith("Z")
    assert f"edited    1 time, last at {made['at']}: {made['what']}" in hpo("status", "job").out
    assert "edited: limits.max_jobs=5" in hpo.text("err")


def test_with_fewer_in_parallel_the_running_ones_go_on_and_no_other_starts(
    hpo: Hpo, eventually: Eventually
) -> None:
    process = begin(hpo, eventually, 3, limits={"max_jobs": 6, "max_parallel_jobs": 3})
    edit(hpo, "limits.max_parallel_jobs=1")
    hpo.write("go1", "")
    hpo.write("go2", "")
    eventually(lambda: hpo("status", "job", "--json").json["counts"]["completed"] == 2)
    assert started(hpo) == [1, 2, 3]
    hpo.write("go3", "")
    eventually(lambda: started(hpo) == [1, 2, 3, 4])
    assert hpo("status", "job", "--json").json["counts"]["running"] == 1
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    assert [trial["status"] for trial in trials(hpo)] == ["completed"] * 6


def test_with_fewer_trials_than_there_are_the_running_ones_end_the_job(
    hpo: Hpo, eventually: Eventually
) -> None:
    process = begin(hpo, eventually, 3, limits={"max_jobs": 9, "max_parallel_jobs": 3})
    edit(hpo, "limits.max_jobs=2")
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    status = hpo("status", "job", "--json").json
    assert status["reason"] == "all 3 trials have ended"
    assert status["counts"]["completed"] == 3


def test_a_rule_that_is_met_already_ends_the_job_at_once(hpo: Hpo, eventually: Eventually) -> None:
    process = begin(hpo, eventually, 2, limits={"max_jobs": 9, "max_parallel_jobs": 2})
    hpo.write("go1", "")
    eventually(lambda: hpo("status", "job", "--json").json["counts"]["completed"] == 1)
    edit(hpo, "stop_when.target=1.5")
    assert process.wait(PATIENCE) == 0
    assert hpo("status", "job", "--json").json["reason"] == "1.0 reached the target 1.5"


def test_a_time_limit_counts_from_the_job_s_begin(hpo: Hpo, eventually: Eventually) -> None:
    process = begin(hpo, eventually, 1)
    edit(hpo, "limits.max_runtime=0.5s")
    process.wait(PATIENCE)
    assert hpo("status", "job", "--json").json["reason"] == "the job ran for 0.5 seconds"


@pytest.mark.parametrize("strategy", ["random", "bayesian"])
def test_nothing_outside_of_a_narrowed_range_is_tried_any_more(
    hpo: Hpo, eventually: Eventually, strategy: str
) -> None:
    parameters = {
        "x": {"type": "continuous", "min": 0.001, "max": 1.0},
        "n": {"type": "integer", "min": 0, "max": 100, "step": 10},
        "kind": {"type": "categorical", "values": ["a", "b", 1, True]},
    }
    limits = {"max_jobs": 18, "max_parallel_jobs": 6}
    process = begin(hpo, eventually, 6, strategy=strategy, parameters=parameters, limits=limits)
    edit(
        hpo,
        "parameters.x.max=0.01",
        "parameters.n={min: 20, max: 40}",
        "parameters.kind.values=[1, b]",
    )
    assert stored(hpo)["parameters"] == {
        "x": {"type": "continuous", "min": 0.001, "max": 0.01, "scaling": "logarithmic"},
        "n": {"type": "integer", "min": 20, "max": 40, "step": 10},
        "kind": {"type": "categorical", "values": [1, "b"]},
    }
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    first, later = trials(hpo)[:6], trials(hpo)[6:]
    assert any(trial["parameters"]["x"] > 0.01 for trial in first)
    for trial in later:
        values = trial["parameters"]
        assert 0.001 <= values["x"] <= 0.01
        assert values["n"] in {20, 30, 40}
        assert values["kind"] in {1, "b"}
        assert values["kind"] is not True
    assert hpo("best", "job", "--json").json["trial"] == 1
    if strategy == "bayesian":
        assert any("outside of the ranges" in trial["proposed_by"] for trial in later)


def test_an_edit_survives_a_kill_and_the_trials_are_those_of_an_uninterrupted_job(
    hpo: Hpo, eventually: Eventually
) -> None:
    sections = {"strategy": "bayesian", "limits": {"max_jobs": 10}}
    values = []
    for name in ("killed", "quiet"):
        hpo.job(GATED, **sections, name=name)
        for number in range(1, 4):
            hpo.write(f"go{number}", "")
        process = hpo.start("run", "spec.yaml")
        eventually(lambda: 4 in started(hpo))
        hpo("edit", name, "--set", "parameters.x.max=0.5", "--set", "limits.max_jobs=9")
        if name == "killed":
            process.send_signal(signal.SIGKILL)
            process.wait()
        hpo.write("go", "")
        if name == "killed":
            hpo("resume", name)
        assert process.wait(PATIENCE) == (-9 if name == "killed" else 0)
        (hpo.folder / "go").unlink()
        (hpo.folder / "started").unlink()
        status = hpo("status", name, "--json").json
        assert status["counts"]["completed"] == 9
        assert len(status["edits"]) == 1
        values.append([trial["parameters"]["x"] for trial in trials(hpo, name)])
    assert values[0] == values[1]
    assert all(x <= 0.5 for x in values[0][4:])


def test_a_job_that_does_not_run_is_edited_for_its_next_resume(hpo: Hpo) -> None:
    hpo.job("echo loss=$HPO_TRIAL")
    hpo("run", "spec.yaml")
    assert "go on with `hpo resume job`" in edit(hpo, "limits.max_jobs=5", "parameters.x.min=0.9")
    assert hpo("status", "job", "--json").json["max_jobs"] == 5
    hpo("resume", "job")
    assert [trial["parameters"]["x"] >= 0.9 for trial in trials(hpo)[3:]] == [True, True]
    hpo("resume", "job", "--set", "parameters.x.min=0.95", "--set", "limits.max_jobs=6")
    assert trials(hpo)[5]["parameters"]["x"] >= 0.95
    edits = hpo("status", "job", "--json").json["edits"]
    assert [made["what"] for made in edits] == [
        "parameters.x.min=0.9 (was 0.0), limits.max_jobs=5 (was 3)",
        "parameters.x.min=0.95 (was 0.9), limits.max_jobs=6 (was 5)",
    ]
    assert "is like that already" in edit(hpo, "limits.max_jobs=6")
    assert hpo("edit", "job", "--set", "limits.max_jobs=7", "--json").json == {
        "job": "job",
        "changed": True,
        "what": "limits.max_jobs=7 (was 6)",
        "status": "completed",
    }


def test_a_crash_before_the_file_is_written_is_made_up_for(hpo: Hpo) -> None:
    hpo.job("echo loss=$HPO_TRIAL")
    hpo("run", "spec.yaml")
    path = hpo.home / "jobs/job/spec.yaml"
    before = path.read_text()
    edit(hpo, "limits.max_jobs=5", "parameters.x.max=0.5")
    after = path.read_text()
    path.write_text(before)  # as if the process had died between its transaction and the file
    with sqlite3.connect(path.with_name("job.db")) as database:
        database.execute("update edit set spec = ?", (after,))
    database.close()
    hpo("resume", "job")
    assert path.read_text() == after
    assert len(trials(hpo)) == 5


REFUSED = {
    "name=other": "`name` may not change: the job's folder and its runs are called by it",
    "launcher.command=[true]": "`launcher` may not change: its trials were run with it",
    "objective.goal=maximize": "the values of its trials would mean something else",
    "limist.max_jobs=4": "only limits, stop_when, retry may change",
}
"""Sections that stay, and why; all of them are told at once."""

WIDER = {
    "parameters.x={max: 2.0, min: -1}": "parameters.x.max: it may only be lowered, and is 1.0",
    "parameters.x.min=-1": "parameters.x.min: it may only be raised, and is 0.0",
    "parameters.x.scaling=reverse-logarithmic": "it needs 0 <= min and max < 1",
    "parameters.x={type: integer, min: 0, max: 1}": "only its range may change, not what it is",
    "parameters.n.step=3": "it does not divide the range",
    "parameters.n={min: 1, max: 9}": "parameters.n.min: it must be one of the values before, 0 and every 2",
    "parameters.n={step: 1}": "it may only become a multiple of itself, and is 2",
    "parameters.kind.values=[a, c]": "'c' was no value of it before",
    "parameters.y={type: integer, min: 0, max: 9}": "none may be added or taken away",
    "limits.max_jobs=0": "`limits.max_jobs` is 0",
    "limits": "this sets nothing",
}


@pytest.mark.parametrize("is_running", [False, True])
def test_sections_that_may_not_change_are_all_told_with_their_reasons(
    shared: tuple[Hpo, Hpo], is_running: bool
) -> None:
    hpo = shared[is_running]
    before = stored(hpo)
    said = edit(hpo, "limits.max_jobs=8", *REFUSED, status=2)
    for override, words in REFUSED.items():
        assert f"--set {override}" in said
        assert words in said
    wider = ("limits.max_jobs=8", "parameters.x.max=2", "parameters.kind.values=[c]")
    said = edit(hpo, *wider, status=2)
    assert "nothing was changed" in said
    assert "it may only be lowered, and is 1.0" in said
    assert "'c' was no value of it before" in said
    assert stored(hpo) == before
    assert hpo("status", "job", "--json").json["edits"] == []


@pytest.mark.parametrize(("override", "words"), WIDER.items())
def test_only_narrower_ranges_are_taken(shared: tuple[Hpo, Hpo], override: str, words: str) -> None:
    assert words in edit(shared[0], "limits.max_jobs=8", override, status=2)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two jobs: one that has ended, and one that runs."""
    parameters = {
        "x": {"type": "continuous", "min": 0.0, "max": 1.0},
        "n": {"type": "integer", "min": 0, "max": 10, "step": 2},
        "kind": {"type": "categorical", "values": ["a", "b"]},
    }
    both = [Hpo(tmp_path_factory.mktemp(kind)) for kind in ("ended", "running")]
    for hpo in both:
        hpo.job(GATED, parameters=parameters)
    both[0].write("go", "")
    both[0]("run", "spec.yaml")
    both[1]("run", "spec.yaml", "--detach")
    yield tuple(both)
    both[1].write("go", "")
    both[1]("wait", "job")
    for hpo in both:
        hpo.kill()


def test_a_grid_keeps_its_ranges(hpo: Hpo) -> None:
    hpo.job(
        "echo loss=1", strategy="grid", parameters={"n": {"type": "integer", "min": 1, "max": 3}}, limits={}
    )
    hpo("run", "spec.yaml")
    assert "a grid's cells are counted by its ranges" in edit(hpo, "parameters.n.max=2", status=2)
