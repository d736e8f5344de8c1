"""Jobs whose trials are containers, and what is seen of these from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.command_line import Called, Hpo
from tests.docker_engine import IMAGE

ONE = {"max_jobs": 1}

SHOWN = "print('loss=1', flush=True)"
"""A line of Python that gives the objective."""


def docker(*args: str, data: bytes | None = None) -> str:
    """Return what `docker ARGS` prints."""
    ran = subprocess.run(["docker", *args], input=data, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def launcher(**options: object) -> dict[str, object]:
    """Return the section of a spec whose trials run on the tests' image, without a network."""
    image = {} if "build" in options else {"image": IMAGE}
    return {"kind": "docker", **image, "network": "none", "pull": "never", **options}


def shell(script: str) -> list[str]:
    """Return a command that runs a script, and passes over the parameters."""
    return ["sh", "-c", script, "sh"]


def python(script: str) -> list[str]:
    """Return a command that runs a script of Python, and passes over the parameters."""
    return ["python3", "-c", script]


def job(hpo: Hpo, *, limits: Mapping[str, object] | None = None, **options: Any) -> None:
    """Write the spec of a job of one trial, whose launcher has these options."""
    hpo.job("", launcher=launcher(**options), limits={**ONE, **(limits or {})})


def ran(hpo: Hpo, *, status: int = 0, having: Mapping[str, str] | None = None, **options: Any) -> str:
    """Run a job of one trial to its end, which must be of this status, and return the trial's log.

    `having` is added to the environment of hpo itself.
    """
    job(hpo, **options)
    hpo("run", "spec.yaml", status=status, env=having)
    return hpo("logs", "job", "1").out


def told(hpo: Hpo, **options: Any) -> Any:
    """Run a job of one trial that prints JSON as its first line, and return what that says."""
    return json.loads(ran(hpo, **options).splitlines()[0])


def trials(hpo: Hpo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", "job", "--json").json
    return found


def outcome(hpo: Hpo) -> tuple[str, str | None, str]:
    """Return how the first trial ended: its status, its reason, and the words on it."""
    trial = trials(hpo)[0]
    return trial["status"], trial["reason"], trial["detail"] or ""


def refused(hpo: Hpo, having: Mapping[str, str] | None = None) -> str:
    """Return what `hpo run` says of a spec that it must refuse, with no job and no container made."""
    called: Called = hpo("run", "spec.yaml", status=2, env=having)
    assert called.out == ""
    assert not (hpo.home / "jobs").exists() or not any((hpo.home / "jobs").iterdir())
    assert containers(hpo.folder) == []
    return called.err


def place(hpo: Hpo, key: str) -> str:
    """Return the file, line and column of the value of the launcher's `key` as problems are told."""
    lines = hpo.text("spec.yaml").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith(f"  {key}:"))
    column = len(f"  {key}: ") + 1
    return f"spec.yaml:{number}:{column}: "


def containers(folder: Path, *, all_of_them: bool = True) -> list[str]:
    """Return the ids of the containers, ended ones too, that belong to jobs below a folder."""
    listed = docker(
        *("ps", "--no-trunc", "--filter", "label=io.hpo.job-id"),
        *(["--all"] if all_of_them else []),
        *("--format", '{{.ID}} {{.Label "io.hpo.folder"}}'),
    )
    found = [line.split(" ", 1) for line in listed.splitlines()]
    return [container for container, run in found if Path(run).is_relative_to(folder)]


def inspected(container: str) -> Any:
    """Return what the engine tells of a container."""
    return json.loads(docker("inspect", container))[0]


def run_folder(hpo: Hpo, trial: int = 1, run: int = 1) -> Path:
    return hpo.home / "jobs" / "job" / "trials" / f"{trial:04d}" / f"run-{run}"
