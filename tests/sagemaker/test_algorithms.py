"""Several algorithms whose trials are training jobs, each of an image and with metrics of its own."""

from __future__ import annotations

import boto3
import yaml

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import launcher

X = {"x": {"type": "continuous", "min": 0.0, "max": 1.0}}


def test_acceptance_26_each_algorithm_has_an_image_and_options_of_its_own(hpo: Hpo, aws: Aws) -> None:
    common = launcher()
    del common["image"]
    algorithms = {
        name: {
            "parameters": X,
            "fixed": {"whose": name},
            "metrics": {"loss": rf"{name}=(\S+)"},
            "launcher": {
                "image": f"image-of-{name}",
                "instance_type": machine,
                "command": ["sh", "-c", f'echo "{name}=0.$HPO_TRIAL"', "sh"],
            },
        }
        for name, machine in (("one", "ml.m5.large"), ("other", "ml.m5.xlarge"))
    }
    hpo.job("", launcher=common, limits={"max_jobs": 6, "max_parallel_jobs": 3, "max_cost": 50.0})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"], spec["metrics"]
    hpo.write("spec.yaml", yaml.safe_dump(spec | {"algorithms": algorithms}, sort_keys=False))
    hpo("run", "spec.yaml", "--set", "launcher.prices={ml.m5.large: 0.1, ml.m5.xlarge: 0.2}")
    ran = hpo("trials", "job", "--json").json
    assert sorted(trial["algorithm"] for trial in ran) == ["one"] * 3 + ["other"] * 3
    assert [trial["value"] for trial in ran] == [float(f"0.{number}") for number in range(1, 7)]
    client = boto3.client("sagemaker")
    for trial in ran:
        job = client.describe_training_job(TrainingJobName=trial["launcher_id"])
        name = trial["algorithm"]
        assert job["AlgorithmSpecification"]["TrainingImage"] == f"image-of-{name}"
        assert [each["Regex"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]] == [
            rf"{name}=(\S+)"
        ]
        assert job["HyperParameters"]["whose"] == name
        machine = {"one": "ml.m5.large", "other": "ml.m5.xlarge"}[name]
        assert job["ResourceConfig"]["InstanceType"] == trial["machine"] == machine
