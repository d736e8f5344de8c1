"""Several algorithms whose trials are containers, each of an image and with limits of its own."""

from __future__ import annotations

import pytest
import yaml

from tests.command_line import Hpo
from tests.docker.containers import containers, launcher, shell, trials
from tests.docker_engine import IMAGE

pytestmark = pytest.mark.docker

OTHER = f"docker.io/library/{IMAGE}"
"""The same image by another name."""

X = {"x": {"type": "continuous", "min": 0.0, "max": 1.0}}


def test_acceptance_26_each_algorithm_has_an_image_and_options_of_its_own(hpo: Hpo) -> None:
    common = launcher()
    del common["image"]
    script = 'echo "$WHOSE"; echo "$WHOSE=0.$HPO_TRIAL"'
    algorithms = {
        name: {
            "parameters": X,
            "metrics": {"loss": rf"{name}=(\S+)"},
            "launcher": {"image": image, "command": shell(script), "env": {"WHOSE": name}},
        }
        for name, image in (("one", IMAGE), ("other", OTHER))
    }
    hpo.job("", launcher=common, limits={"max_jobs": 6, "max_parallel_jobs": 3})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"], spec["metrics"]
    hpo.write("spec.yaml", yaml.safe_dump(spec | {"algorithms": algorithms}, sort_keys=False))
    requests = {
        each["name"]: each["request"] for each in hpo("plan", "spec.yaml", "--json").json["algorithms"]
    }
    assert f" {OTHER} " in requests["other"]
    assert f" {OTHER} " not in requests["one"]
    hpo("run", "spec.yaml")
    ran = trials(hpo)
    assert sorted(trial["algorithm"] for trial in ran) == ["one"] * 3 + ["other"] * 3
    for trial in ran:
        assert trial["value"] == float(f"0.{trial['trial']}")
        assert hpo("logs", "job", str(trial["trial"])).out.startswith(f"{trial['algorithm']}\n")
    assert containers(hpo.folder) == []
    hpo("delete", "job", "--yes")
