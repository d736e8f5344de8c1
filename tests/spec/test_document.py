"""Documents: all mistakes at once, each with its place."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.load import spec_of
from hpo.spec.models import Spec
from hpo.spec.nodes import Place

Read = Callable[..., Document]
Load = Callable[..., Spec]
Refuse = Callable[..., list[str]]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(refuse: Refuse) -> None:
    problems = refuse(
        "name: a/b\n"
        "objective:\n"
        "  metric: f1\n"
        "  goal: maximise\n"
        "paramters: {}\n"
        "parameters:\n"
        "  lr: {type: continuous, min: 1, max: 0.5}\n"
        "metrics: {f2: 'f2: (.+)'}\n"
        "limits: {max_jobs: many}\n"
    )
    places = [problem.split(": ")[0] for problem in problems]
    assert places == [
        "tune.yaml:1:7",
        "tune.yaml:3:11",
        "tune.yaml:4:9",
        "tune.yaml:5:1",
        "tune.yaml:7:39",
        "tune.yaml:9:20",
    ]
    assert "did you mean `parameters`?" in problems[3]


def test_an_error_counts_its_mistakes(read: Read) -> None:
    document = read("name: 1\n")
    spec_of(document)
    with pytest.raises(SpecError, match="the spec has 5 mistakes; nothing was started") as caught:
        document.raise_problems()
    assert caught.value.exit_status == 2
    assert caught.value.problems == document.problems


def test_columns_count_characters_not_bytes(refuse: Refuse, text: str) -> None:
    problems = refuse(text + 'fixed: {"é": 1, a: [ü]}\n')
    assert [problem.split(": ")[0] for problem in problems] == ["tune.yaml:8:9", "tune.yaml:8:20"]


def test_a_layer_above_adds_its_own_problems(read: Read, text: str) -> None:
    document = read(text)
    document.problem(("metrics", "f1"), "the regex has no group", "put what to read in ( )")
    document.problem("launcher.command", "there is no such program")
    document.problem("launcher.gpus", "needed here")
    document.problem("launcher.command", "there is no such program")
    assert [(p.line, p.column, p.path) for p in document.problems] == [
        (3, 15, "metrics.f1"),
        (7, 1, "launcher.gpus"),
        (7, 21, "launcher.command"),
    ]
    assert document.has_problem("metrics.f1")
    assert not document.has_problem("metrics")


def test_a_path_with_dots_in_a_key_is_written_as_set_takes_it(read: Read, text: str) -> None:
    document = read(text + 'fixed: {"a.b": [1]}\n')
    spec_of(document)
    assert [problem.path for problem in document.problems] == ['fixed."a.b"']
    assert document.place('fixed."a.b"').column == 16


class FromFile(BaseModel):
    """A member of a union without a tag."""

    model_config = ConfigDict(extra="forbid", strict=True)

    file: str


class FromVariable(BaseModel):
    """Another one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    env: str
    default: str


class Options(BaseModel):
    """A launcher's options as any package may write them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    command: list[str] | str = Field(description="what to run")
    env: dict[str, str] = Field(default_factory=dict)
    pull: Literal["always", "never"] = "never"
    secrets: Sequence[str] | Mapping[str, FromFile | FromVariable] = ()


def test_any_model_may_validate_a_section(read: Read, text: str) -> None:
    document = read(text)
    options = document.validate(Options, at="launcher")
    assert options == Options(command=["python", "train.py"])
    assert not document.problems


def test_mistakes_of_a_section_have_their_places(read: Read) -> None:
    document = read(
        "launcher:\n  kind: process\n  command: [python, 5]\n  env: {A: 1}\n  pull: allways\n  comand: x\n"
    )
    allowed = "\n    allowed here: command, env, pull, secrets"
    assert document.validate(Options, at="launcher", without={"kind"}) is None
    assert [str(problem).split(":", 1)[1] for problem in document.problems] == [
        "3:21: `launcher.command.1` is 5; it must be text\n    text that looks like this goes in quotes: '5'",
        "4:12: `launcher.env.A` is 1; it must be text\n    text that looks like this goes in quotes: '1'",
        "5:9: `launcher.pull` is `allways`; it must be always or never; did you mean `always`?",
        f"6:3: unknown key `comand` in `launcher`; did you mean `command`?{allowed}",
    ]


def test_a_missing_section_misses_its_keys_only(read: Read, text: str) -> None:
    for written in (text.replace("launcher:", "# launcher:"), text.replace("launcher: {", "launcher: # {")):
        document = read(written)
        assert document.validate(Options, at="launcher") is None
        assert [p.message for p in document.problems] == ["`launcher.command` is missing"]
        assert [p.hint for p in document.problems] == ["what to run"]


def test_a_union_that_refuses_a_value_is_one_mistake(read: Read) -> None:
    document = read("launcher: {command: {python: 3}, secrets: 5}\n")
    document.validate(Options, at="launcher")
    assert [p.message for p in document.problems] == [
        "`launcher.command` is a mapping; it must be a list or text",
        "`launcher.secrets` is 5; it must be a list or a mapping of keys to values",
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[a, {b: 1}]", "`launcher.secrets.1` is a mapping; it must be text"),
        ("{a: 5}", "`launcher.secrets.a` is 5; it must be a mapping of keys to values"),
        ("{a: {file: 5}}", "`launcher.secrets.a.file` is 5; it must be text"),
        ("{a: {file: x, env: y}}", "unknown key `env` in `launcher.secrets.a`"),
    ],
)
def test_a_mistake_within_a_unions_member_is_told_alone(read: Read, written: str, message: str) -> None:
    document = read(f"launcher: {{command: a, secrets: {written}}}\n")
    document.validate(Options, at="launcher")
    assert [p.message for p in document.problems] == [message]


def test_unreadable_files_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- a\n")
    (tmp_path / "good.yaml").write_text("name: a\nname: b\n")
    paths = [tmp_path / name for name in ("missing.yaml", ".", "list.yaml", "good.yaml", "good.yaml/x")]
    with pytest.raises(SpecError) as caught:
        Document.read(paths)
    assert [problem.message for problem in caught.value.problems] == [
        "there is no such file",
        "this is a folder",
        "a spec is a mapping of keys to values, and this is a list",
        "the file cannot be read: Not a directory",
        "key `name` is given twice, first on line 1",
    ]


def test_places_are_those_of_keys_and_values(read: Read, text: str) -> None:
    document = read(text, overrides=("limits.max_failures=3",))
    here = document.place(()).file
    assert document.place("parameters.depth.max") == Place(here, 5, 39)
    assert document.place("parameters.depth.max", of_key=True) == Place(here, 5, 34)
    assert document.place("parameters.depth.step") == Place(here, 5, 3)
    assert document.place("launcher.command.1") == Place(here, 7, 30)
    assert document.place("limits.max_failures") == Place("--set limits.max_failures=3")
    assert document.value("parameters.depth.step") is None
