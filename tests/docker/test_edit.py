"""Editing a job whose next container lies ready already."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.docker.test_faults import containers, launcher

pytestmark = pytest.mark.docker


def test_a_container_that_was_made_ready_with_other_values_is_not_used(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None]
) -> None:
    command = [
        "sh",
        "-c",
        'touch /shared/began; until [ -e /shared/go ]; do sleep 0.05; done; echo "loss=$2"',
    ]
    hpo.job(
        "",
        launcher=launcher(hpo, command=[*command, "train"]),
        parameters={"x": {"type": "continuous", "min": 0.0, "max": 1.0}},
        limits={"max_jobs": 4},
    )
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.folder / "began").exists)
    eventually(lambda: len(containers(hpo)) == 2)  # the next one was made ready
    hpo("edit", "job", "--set", "parameters.x={min: 0.5, max: 0.501}")
    hpo.write("go", "")
    assert process.wait(PATIENCE) == 0
    first, *later = hpo("trials", "job", "--json").json
    assert first["value"] == first["parameters"]["x"]
    for trial in later:
        assert 0.5 <= trial["parameters"]["x"] <= 0.501
        assert trial["value"] == trial["parameters"]["x"]
    assert not containers(hpo)
