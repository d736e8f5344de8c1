"""Tuning jobs whose trials are training jobs, from the command line to an AWS on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import job, launcher

Eventually = Callable[[Callable[[], object]], None]

TRAIN = """
echo "$HPO_TRIAL $HPO_RUN" >> "$FOLDER/started"
echo "loss=0.$HPO_TRIAL"
"""
"""Notes its start in the working folder, and gives the trial's number as its loss."""


def train(hpo: Hpo, program: str = TRAIN) -> str:
    return f"FOLDER={hpo.folder}\n{program}"


def operations(aws: Aws, service: str = "sagemaker") -> list[str]:
    return [request.operation for request in aws.requests if request.service == service]


def test_a_job_runs_to_its_end(hpo: Hpo, aws: Aws) -> None:
    job(hpo, train(hpo), limits={"max_jobs": 4, "max_parallel_jobs": 2})
    said = hpo("run", "spec.yaml").err
    assert f"\nlogs: {hpo.home}/jobs/job/trials\n" in said  # models stay in S3
    trials = hpo("trials", "job", "--json").json
    assert [(trial["status"], trial["value"]) for trial in trials] == [
        ("completed", value) for value in (0.1, 0.2, 0.3, 0.4)
    ]
    assert sorted(hpo.text("started").splitlines()) == [f"{number} 1" for number in (1, 2, 3, 4)]
    assert hpo("best", "job", "--json").json["trial"] == 1
    assert "loss=0.3" in hpo("logs", "job", "3").out
    assert not aws.running()
    assert operations(aws).count("CreateTrainingJob") == 4


def test_nothing_is_asked_about_trials_that_have_ended(hpo: Hpo, aws: Aws) -> None:
    job(hpo, train(hpo), limits={"max_jobs": 3})
    hpo("run", "spec.yaml")
    described = [r for r in aws.requests if r.operation == "DescribeTrainingJob"]
    assert len(described) <= 2 * 3
    aws.requests.clear()
    hpo("resume", "job", "--set", "limits.max_jobs=4")
    assert operations(aws).count("DescribeTrainingJob") <= 2


def test_two_jobs_of_one_name_are_two_jobs(hpo: Hpo, aws: Aws) -> None:
    job(hpo, train(hpo), limits={"max_jobs": 1})
    for _ in range(2):
        hpo("run", "spec.yaml")
        hpo("delete", "job", "--yes")
    assert hpo.text("started").splitlines() == ["1 1", "1 1"]


def test_what_is_not_there_is_refused_before_anything_is_launched(hpo: Hpo, aws: Aws) -> None:
    job(hpo, TRAIN, options={"role": None, "output": "s3://nobody-s/x"}, inputs={"train": "s3://tuning/none"})
    assert "`launcher.role`: it is missing" in hpo.refused("run", "spec.yaml")
    job(hpo, TRAIN, options={"output": "s3://nobody-s/x"}, inputs={"train": "s3://tuning/none"})
    said = hpo.refused("run", "spec.yaml")
    assert "spec.yaml:" in said
    assert "there is no bucket nobody-s" in said
    assert "there is no object in S3 whose address begins with s3://tuning/none" in said
    aws.settings.denied = {"ListTrainingJobs"}
    job(hpo, TRAIN)
    assert "ListTrainingJobs is not permitted" in hpo.refused("run", "spec.yaml")
    aws.settings.denied = set()
    aws.settings.expired = True
    assert "aws sso login" in hpo.refused("run", "spec.yaml")
    assert "CreateTrainingJob" not in operations(aws)


def test_a_region_is_needed(hpo: Hpo, aws: Aws) -> None:
    job(hpo, TRAIN)
    called = hpo("run", "spec.yaml", status=2, env={"AWS_DEFAULT_REGION": ""})
    assert "no AWS region is set; set launcher.region" in called.err


def test_the_plan_shows_the_request(hpo: Hpo, aws: Aws) -> None:
    job(hpo, train(hpo), options={"prices": {"ml.m5.large": 0.12}, "max_run": "1h"})
    said = hpo("plan", "spec.yaml").out
    assert "CreateTrainingJob" in said
    assert '"InstanceType": "ml.m5.large"' in said
    assert '"MaxRuntimeInSeconds": 3600' in said
    assert not aws.starts


def test_a_role_s_name_and_the_account_s_own_bucket_will_do(hpo: Hpo, aws: Aws) -> None:
    aws.client("s3").create_bucket(Bucket="sagemaker-us-east-1-123456789012")
    job(hpo, train(hpo), options={"role": "training", "output": None}, limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    name = next(iter(aws.starts))
    described = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert described["RoleArn"] == "arn:aws:iam::123456789012:role/training"
    assert described["OutputDataConfig"]["S3OutputPath"].startswith(
        "s3://sagemaker-us-east-1-123456789012/hpo"
    )


def test_script_mode_and_a_local_channel_are_uploaded_once(hpo: Hpo, aws: Aws) -> None:
    source, data = hpo.folder / "source", hpo.folder / "data"
    source.mkdir()
    data.mkdir()
    (data / "numbers.txt").write_text("0.5")
    (source / "train.py").write_text(
        "import argparse, os, pathlib\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--x', type=float)\n"
        "x = parser.parse_args().x\n"
        "data = pathlib.Path(os.environ['SM_CHANNEL_TRAIN'], 'numbers.txt').read_text()\n"
        "print(f'loss={x + float(data)}')\n"
    )
    hpo.job(
        "",
        launcher=launcher(source_dir="source", entry_point="train.py"),
        inputs={"train": "data"},
        limits={"max_jobs": 3, "max_parallel_jobs": 3},
    )
    hpo("run", "spec.yaml")
    trials = hpo("trials", "job", "--json").json
    for trial in trials:
        assert trial["value"] == 0.5 + trial["parameters"]["x"]
    puts = operations(aws, "s3").count("PutObject")
    aws.requests.clear()
    hpo("resume", "job", "--set", "limits.max_jobs=4")
    assert "PutObject" not in operations(aws, "s3")
    assert puts == 3  # the program, the one file of the channel, and the marker that it is complete


def test_hpo_stop_leaves_nothing_running(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    job(hpo, train(hpo, TRAIN + "sleep 60\n"), limits={"max_jobs": 4, "max_parallel_jobs": 2})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: len(hpo.text("started").splitlines()) == 2)
    hpo("stop", "job")
    assert process.wait() == 1
    assert not aws.running()
    assert {trial["status"] for trial in hpo("trials", "job", "--json").json} == {"cancelled"}


def test_a_deleted_state_folder_s_logs_are_those_of_cloudwatch(hpo: Hpo, aws: Aws) -> None:
    job(hpo, train(hpo, 'printf "loss=0.5\\tend\\n"; printf "no newline" >&2'), limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    log = Path(hpo.home / "jobs/job/trials/0001/run-1/log").read_bytes()
    assert sorted(log.splitlines()) == [b"loss=0.5\tend", b"no newline"]
