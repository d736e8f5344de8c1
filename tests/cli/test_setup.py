"""The commands about hpo itself: schema, doctor, completion, help, and their page in the docs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hpo.cli.main import COMMANDS
from tests.command_line import Hpo

ROOT = Path(__file__).parents[2]
SPECS = sorted(ROOT.glob("examples/*/tune*.yaml"))
OVERLAYS = sorted(ROOT.glob("configs/*.yaml"))
PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema(shared_hpo: Hpo) -> Any:
    """The JSON Schema that `hpo schema` prints."""
    return shared_hpo("schema").json


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_is_valid_by_the_schema_and_can_be_planned(path: Path, schema: Any, hpo: Hpo) -> None:
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(spec)
    if spec.get("launcher", {}).get("kind") != "sagemaker":  # which asks AWS: tests/sagemaker/test_example.py
        hpo("plan", path)


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_config_is_part_of_a_spec_by_the_schema(path: Path, schema: Any) -> None:
    validator = Draft202012Validator(schema)
    errors = validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert [error.message for error in errors if error.validator != "required"] == []


def test_the_schema_refuses_what_run_refuses(schema: Any) -> None:
    validator = Draft202012Validator(schema)
    assert not validator.is_valid({"name": "job"})
    assert not validator.is_valid({"nmae": "job"})


def test_the_schema_goes_to_a_file(hpo: Hpo) -> None:
    assert hpo("schema", "--output", "hpo.schema.json").out == ""
    assert '"$schema"' in hpo.text("hpo.schema.json")


def test_doctor_shows_what_is_set_up(hpo: Hpo) -> None:
    found = {line["subject"]: line for line in hpo("doctor", "--json").json}
    assert found.keys() == {"hpo", "state", "processors", "GPUs", "docker", "AWS"}
    assert found["state"]["health"] == "ok"
    assert str(hpo.home) in found["state"]["detail"]
    assert str(hpo.home) in hpo("doctor").out
    assert not hpo.home.exists()


def test_doctor_names_what_is_bad(hpo: Hpo) -> None:
    hpo.write("state", "a file where the folder should be")
    bad = hpo("doctor", "--json", status=1).json
    assert [line["subject"] for line in bad if line["health"] == "bad"] == ["state"]


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "_hpo_completion()"), ("zsh", "#compdef hpo"), ("fish", "function")]
)
def test_completion_is_shell_code(hpo: Hpo, shell: str, words: str) -> None:
    out = hpo("completion", shell).out
    assert words in out
    assert "_HPO_COMPLETE" in out


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_completion_completes_commands_and_names_of_jobs(hpo: Hpo) -> None:
    hpo.job("echo loss=1", limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    hpo.write("complete.sh", hpo("completion", "bash").out)

    def completed(*words: str) -> list[str]:
        variables = {
            "_HPO_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        return hpo(env=variables).out.splitlines()

    subprocess.run(["bash", "-n", hpo.folder / "complete.sh"], check=True)
    assert completed("hpo", "st") == ["plain,status", "plain,stop"]
    assert completed("hpo", "best", "j") == ["plain,job"]


def test_help_lists_every_command_in_order(hpo: Hpo) -> None:
    listed = hpo("--help").out.partition("Commands:\n")[2]
    assert [line.split()[0] for line in listed.splitlines()] == list(COMMANDS)
    assert hpo(status=2).err == hpo("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_an_example_in_its_help_and_a_section_in_the_docs(hpo: Hpo, command: str) -> None:
    text = hpo(command, "--help", env={"COLUMNS": "120"}).out
    assert "\n  Example" in text
    assert f"\n    hpo {command}" in text
    assert f"\n## hpo {command}\n" in PAGE
    assert text in PAGE


def test_python_m_hpo_is_the_console_script(hpo: Hpo) -> None:
    script = shutil.which("hpo")
    assert script, "hpo is not installed"
    ran = subprocess.run(
        [script, "--version"], env={**os.environ}, capture_output=True, text=True, check=True
    )
    assert ran.stdout == hpo("--version").out
