"""One spec, three launchers: training jobs give what processes and containers give; and the examples run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from hpo.testing.aws import Aws, AwsSettings
from tests.command_line import PATIENCE, Hpo
from tests.docker.containers import docker
from tests.sagemaker.conftest import BUCKET, ROLE

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart"
EXAMPLE = ROOT / "examples" / "sagemaker-sklearn"
CONFIGS = ROOT / "configs"

QUICK = ("--set", "launcher.poll=0.2", "--set", "launcher.requests_per_second=100")
"""An AWS on this machine need not be spared."""

LOSS = """
import argparse
parser = argparse.ArgumentParser()
for name, kind in (("depth", int), ("width", int), ("rate", float), ("kind", str)):
    parser.add_argument("--" + name, type=kind)
given = parser.parse_args()
loss = (given.depth - 17) ** 2 + (given.width - 400) ** 2 / 64 + 50 * (given.kind != "good")
print(f"loss={loss}")
"""

PROGRAM = f"launcher.command={json.dumps([sys.executable, str(EXAMPLE / 'train.py')])}"
"""How the example's program is found where there is no image."""

SPACE = {
    "depth": {"type": "integer", "min": 1, "max": 40},
    "width": {"type": "integer", "min": 8, "max": 2000, "scaling": "logarithmic"},
    "rate": {"type": "continuous", "min": 1e-4, "max": 1.0, "scaling": "logarithmic"},
    "kind": {"type": "categorical", "values": ["good", "bad", "worse"]},
}


def test_a_model_learns_the_same_from_training_jobs_as_from_processes(hpo: Hpo, aws: Aws) -> None:
    limits = {"max_jobs": 10, "max_parallel_jobs": 1}
    command = {"command": [sys.executable, "train.py"]}
    hpo.job("", strategy="bayesian", seed=3, parameters=SPACE, limits=limits, launcher=command)
    hpo.write("train.py", LOSS)
    hpo("run", "spec.yaml", "--name", "processes")
    hpo("run", "spec.yaml", *overlays("sagemaker"), *here(), "--name", "training-jobs")
    assert outcomes(hpo, "training-jobs") == outcomes(hpo, "processes")
    assert best(hpo, "training-jobs") == best(hpo, "processes")
    assert chosen_by(hpo, "training-jobs")["model"] > 0


@pytest.mark.slow
def test_the_quickstart_gives_the_same_in_training_jobs_as_in_processes(hpo: Hpo, aws: Aws) -> None:
    run(hpo, "tune.yaml", "--set", command(), "--name", "processes")
    run(hpo, "tune.yaml", *overlays("sagemaker"), *here(), "--name", "training-jobs")
    assert_same(hpo, "processes", "training-jobs")
    assert len(outcomes(hpo, "training-jobs")) == 12


@pytest.mark.docker
@pytest.mark.slow
def test_one_spec_on_three_launchers(hpo: Hpo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes, containers, and training jobs in the image of the containers."""
    run(hpo, "tune.yaml", "--set", command(), "--name", "processes")
    run(hpo, "tune.yaml", *overlays("docker"), *same_packages(), "--name", "containers")
    planned = hpo("plan", QUICKSTART / "tune.yaml", *overlays("docker"), *same_packages(), "--full").out
    [image] = {word for word in planned.split() if word.startswith("hpo-build:")}
    with Aws(AwsSettings(runner="docker", start_delay=0.0)) as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        aws.client("s3").create_bucket(Bucket=BUCKET)
        settings = (*here(), "--set", f"launcher.image={image}")
        run(hpo, "tune.yaml", *overlays("sagemaker"), *settings, "--name", "training-jobs")
    assert_same(hpo, "containers", "training-jobs")
    if same_packages():
        assert_same(hpo, "processes", "training-jobs")


@pytest.mark.slow
def test_the_overlay_for_spot_machines(hpo: Hpo, aws: Aws) -> None:
    described = with_overlay(hpo, aws, "sagemaker-spot")
    assert all(each["EnableManagedSpotTraining"] for each in described)
    assert all(each["StoppingCondition"]["MaxWaitTimeInSeconds"] == 7200 for each in described)
    kept = {each["CheckpointConfig"]["S3Uri"] for each in described}
    assert len(kept) == 2
    assert all(place.startswith(f"s3://{BUCKET}/hpo/checkpoints/job-") for place in kept)


@pytest.mark.slow
def test_the_overlay_for_machines_that_are_kept_ready(hpo: Hpo, aws: Aws) -> None:
    described = with_overlay(hpo, aws, "sagemaker-warm")
    assert {each["WarmPoolStatus"]["Status"] for each in described} == {"Reused", "Terminated"}
    assert hpo("status", "job", "--json").json["warm_pools"]["reused"] == 1


@pytest.mark.slow
def test_the_example_runs_without_an_account(hpo: Hpo) -> None:
    """As its README has it."""
    example(hpo, "process", "--set", PROGRAM)
    trials = hpo("trials", "diabetes-network", "--json").json
    assert [trial["status"] for trial in trials] == ["completed"] * 4
    assert all(40 < trial["value"] < 200 for trial in trials)
    lines = hpo("logs", "diabetes-network", "1").out.splitlines()
    assert [line.split()[0] for line in lines] == [f"epoch={epoch}" for epoch in range(1, 31)]
    assert hpo("best", "diabetes-network", "--json").json["cost"] > 0


@pytest.mark.docker
@pytest.mark.slow
def test_the_example_runs_in_its_image(hpo: Hpo) -> None:
    tag = "hpo-tests-diabetes-network"
    docker("build", "--quiet", "--tag", tag, str(EXAMPLE))
    example(hpo, "docker", "--set", f"launcher.image={tag}")
    trials = hpo("trials", "diabetes-network", "--json").json
    assert [trial["status"] for trial in trials] == ["completed"] * 4


@pytest.mark.slow
def test_the_example_goes_on_from_its_checkpoint_to_the_same_value(
    hpo: Hpo, aws: Aws, eventually: Callable[[Callable[[], object]], None]
) -> None:
    """Taken from its spot machine in the middle, a trial ends as one that was left alone."""
    sizes = ("--set", "limits.max_jobs=1", "--set", "fixed.epochs=250")
    settings = (str(EXAMPLE / "tune.yaml"), "--set", PROGRAM, *sizes, *here())
    hpo("run", *settings, "--name", "left-alone")
    process = hpo.start("run", *settings, "--set", "launcher.spot=true", "--name", "interrupted")
    stored = {"Bucket": BUCKET, "Prefix": "hpo/checkpoints/interrupted-"}
    eventually(lambda: aws.client("s3").list_objects_v2(**stored)["KeyCount"])
    aws.interrupt(*aws.running())
    assert process.wait(PATIENCE) == 0
    assert hpo("trials", "interrupted", "--json").json[0]["interruptions"] == 1
    assert "going on after epoch" in hpo("logs", "interrupted", "1").out
    assert best(hpo, "interrupted") == best(hpo, "left-alone")


def with_overlay(hpo: Hpo, aws: Aws, name: str) -> list[dict[str, Any]]:
    """Run two trials with an overlay over that of SageMaker, and return their training jobs."""
    hpo.job("", launcher={"command": [sys.executable, "train.py"]}, limits={"max_jobs": 2})
    hpo.write("train.py", "print('loss=0.5')\n")
    hpo("run", "spec.yaml", *overlays("sagemaker", name), *here())
    client = aws.client("sagemaker")
    described = [client.describe_training_job(TrainingJobName=each) for each in aws.starts]
    assert len(described) == 2
    return described


def example(hpo: Hpo, runner: str, *settings: str) -> None:
    """Run the example with an AWS of its own, as from a shell."""
    emulator = [sys.executable, "-m", "hpo.testing.aws", "--runner", runner]
    sizes = ("--set", "limits.max_jobs=4", *QUICK)
    called = subprocess.run(
        [*emulator, "--", *hpo.command("run", EXAMPLE / "tune.yaml", *sizes, *settings)],
        cwd=hpo.folder,
        env=hpo.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert called.returncode == 0, called.stderr
    assert "best: validation:rmse" in called.stdout


def overlays(*names: str) -> list[str]:
    return [word for name in names for word in ("-c", str(CONFIGS / f"{name}.yaml"))]


def here() -> tuple[str, ...]:
    """Return what the tests' own AWS needs."""
    return ("--set", f"launcher.output=s3://{BUCKET}/hpo", "--set", f"launcher.role={ROLE}", *QUICK)


def command() -> str:
    """Have the quickstart's program run with this Python."""
    return f"launcher.command={json.dumps([sys.executable, 'train.py'])}"


def same_packages() -> Sequence[str]:
    """Return what puts into the image what is installed here; nothing where its Python is another one."""
    if sys.version_info[:2] != (3, 11):
        return ()
    packages = " ".join(f"{name}=={version(name)}" for name in ("scikit-learn", "scipy", "numpy"))
    return ("--set", f"launcher.build.args.PACKAGES={packages}")


def run(hpo: Hpo, spec: str, *args: str) -> None:
    """Run the quickstart, which takes long: an image may be built, and trials train."""
    sizes = ("--set", "limits.max_jobs=12", "--set", "limits.max_parallel_jobs=1")
    process = hpo.start("run", QUICKSTART / spec, *sizes, *args)
    assert process.wait(2 * PATIENCE) == 0, hpo.text("err")


def assert_same(hpo: Hpo, one: str, other: str) -> None:
    assert outcomes(hpo, other) == outcomes(hpo, one)
    assert best(hpo, other) == best(hpo, one)
    assert all(outcome["status"] == "completed" for outcome in outcomes(hpo, other))
    assert chosen_by(hpo, other)["model"] > 0


def outcomes(hpo: Hpo, name: str) -> list[dict[str, Any]]:
    """Return what each trial tried, and what came of it."""
    kept = ("trial", "status", "reason", "value", "parameters", "metrics")
    return [{key: trial[key] for key in kept} for trial in hpo("trials", name, "--json").json]


def best(hpo: Hpo, name: str) -> dict[str, Any]:
    found = hpo("best", name, "--json").json
    return {key: found[key] for key in ("trial", "value", "parameters")}


def chosen_by(hpo: Hpo, name: str) -> dict[str, int]:
    chosen: dict[str, int] = hpo("status", name, "--json").json["chosen_by"]
    return chosen
