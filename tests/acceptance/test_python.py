"""The Python interface: the same job as the command line's."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

import hpo
from hpo.errors import JobExists, JobNotFound, UsageError
from hpo.report.data import TrialData, trial_data, view
from hpo.store.home import existing_job
from tests.command_line import PATIENCE, Hpo

SPEC: dict[str, object] = {
    "name": "job",
    "seed": 1,
    "strategy": "random",
    "objective": {"metric": "loss", "goal": "minimize"},
    "metrics": {"loss": r"loss=(\S+)"},
    "parameters": {"x": {"type": "integer", "min": 1, "max": 50}},
    "limits": {"max_jobs": 3},
    "launcher": {"command": ["sh", "-c", "echo loss=$HPO_TRIAL"]},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HPO_HOME", str(tmp_path / "state"))
    return tmp_path


def test_a_job_is_tuned_and_its_best_is_found() -> None:
    result = hpo.tune(SPEC)
    assert (result.status, result.job) == ("completed", "job")
    assert result.best == hpo.best("job")
    assert result.best is not None
    assert (result.best.trial, result.best.value) == (1, 1.0)
    with pytest.raises(JobExists):
        hpo.tune(SPEC)
    assert hpo.tune(SPEC, resume=True).best == result.best


def test_a_job_is_resumed_with_its_own_spec_only() -> None:
    hpo.tune(SPEC)
    with pytest.raises(UsageError, match="began with another spec than this one"):
        hpo.tune(SPEC | {"seed": 2}, resume=True)
    with pytest.raises(UsageError, match=r"hpo resume job --set limits\.max_jobs=5`"):
        hpo.tune(SPEC | {"limits": {"max_jobs": 5}}, resume=True)
    assert hpo.tune(SPEC, resume=True).status == "completed"


def test_a_job_is_tuned_where_an_event_loop_runs() -> None:
    async def within() -> hpo.Result:
        return hpo.tune(SPEC)

    assert asyncio.run(within()).status == "completed"


WITHIN = """
import asyncio, hpo
async def tune():
    return hpo.tune("spec.yaml")
"""

CALLS = {
    "without_a_loop": "import hpo; result = hpo.tune('spec.yaml')",
    "in_a_notebook": f"{WITHIN}result = asyncio.new_event_loop().run_until_complete(tune())",
    "within_asyncio_run": f"{WITHIN}result = asyncio.run(tune())",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_interrupt_stops_the_trials_and_gives_a_result(
    hpo: Hpo, call: str, number: signal.Signals, eventually: Callable[[Callable[[], object]], None]
) -> None:
    hpo.job("touch started; exec sleep 1000")
    program = f"{call}\nprint(result.status, result.reason)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=hpo.folder,
        env=hpo.environment | {"PYTHONWARNINGS": "default"},  # the notebook's loop is never closed
        stdout=subprocess.PIPE,
        text=True,
    )
    eventually((hpo.folder / "started").exists)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out.split()[0]) == (0, "interrupted")
    assert hpo.left_behind() == []


@pytest.mark.parametrize("within", [False, True], ids=["without_a_loop", "within_a_loop"])
def test_the_caller_keeps_its_own_signal_handlers(within: bool) -> None:
    async def tune() -> None:
        hpo.tune(SPEC)

    def handler(*_: object) -> None:
        pass

    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        if within:
            asyncio.run(tune())
        else:
            hpo.tune(SPEC)
        assert [signal.getsignal(number) for number in numbers] == [handler] * 3
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def test_a_spec_is_loaded_with_overlays_and_overrides(home: Path) -> None:
    (home / "smoke.yaml").write_text("limits: {max_jobs: 2}\n", encoding="utf-8")
    spec = hpo.load_spec(SPEC, home / "smoke.yaml", overrides=["name=other"])
    assert (spec.spec.name, spec.spec.limits.max_jobs) == ("other", 2)


def test_a_mapping_is_taken_as_python_has_it(home: Path) -> None:
    (home / "data").mkdir()
    said = {"type": "categorical", "values": ("smile 😀", "naïve", None, True)}
    spec = MappingProxyType(
        {
            **SPEC,
            "strategy": "grid",
            "parameters": MappingProxyType({"x": said}),
            "limits": {},
            "inputs": {"train": home / "data"},
            "launcher": {"command": ("sh", "-c", "echo loss=1", "sh")},
        }
    )
    result = hpo.tune(spec)
    assert result.status == "completed"
    assert result.best is not None
    assert [trial["parameters"]["x"] for trial in trials("job")] == ["smile 😀", "naïve", None, True]


def trials(name: str) -> list[TrialData]:
    job = view(existing_job(name), now=0.0)
    return [trial_data(trial, job.record.settings) for trial in job.trials]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"paramters": {}}, "the given mapping: unknown key `paramters`; did you mean `parameters`?"),
        ({"limits": {"max_jobs": 0}}, "the given mapping: `limits.max_jobs` is 0; it must be 1 or more"),
        ({"seed": 2**70}, "the given mapping: 1180591620717411303424 does not fit into 64 bits"),
        ({"seed": {1: 2}}, "the given mapping: the key 1 is of the type int; keys are texts"),
        ({"seed": 1j}, "the given mapping: `seed` is a value of the type complex\n    a spec holds texts,"),
        ({"name": "job\0"}, "the given mapping: the text holds a NUL character"),
        ({"inputs": {"train": Path("nowhere")}}, "the given mapping: `inputs.train`: there is no "),
        ({"fixed": {"x": "${"}}, "the given mapping: `${` is no reference to an environment variable"),
    ],
)
def test_a_mapping_s_mistakes_are_told_by_their_paths(sections: dict[str, object], message: str) -> None:
    with pytest.raises(hpo.SpecError) as raised:
        hpo.load_spec(SPEC | sections)
    assert message in str(raised.value)
    assert "spec.yaml" not in str(raised.value)


def test_a_mapping_without_end_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["fixed"] = [endless]
    with pytest.raises(hpo.SpecError, match="more than 50 levels"):
        hpo.load_spec(endless)


def test_mistakes_are_errors_of_hpo() -> None:
    with pytest.raises(hpo.SpecError, match="did you mean `parameters`"):
        hpo.load_spec({**SPEC, "paramters": {}})
    with pytest.raises(JobNotFound):
        hpo.best("missing")
