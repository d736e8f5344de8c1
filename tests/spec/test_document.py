"""Documents: places, overlays, overrides, the environment, and the effective spec."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.load import spec_of
from hpo.spec.models import Spec
from hpo.spec.nodes import Place, Plain
from hpo.spec.strategies import Hyperband

Read = Callable[..., Document]
Load = Callable[..., Spec]
Refuse = Callable[..., list[str]]


# mistakes and their places


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


# overlays and overrides


def test_overlays_merge_mappings_and_replace_everything_else(load: Load, text: str) -> None:
    spec = load(
        text,
        "limits: {max_parallel_jobs: 2}\n"
        "parameters: {depth: {max: 4}, kind: {type: categorical, values: [a]}}\n",
        "limits: {max_parallel_jobs: 3}\nparameters: {kind: {values: [b, c]}}\n",
    )
    assert (spec.limits.max_jobs, spec.limits.max_parallel_jobs) == (5, 3)
    assert [(p.name, p.count) for p in spec.space()] == [("depth", 4), ("kind", 2)]


def test_another_kind_of_launcher_keeps_what_every_kind_has(read: Read, text: str) -> None:
    base = text.replace("launcher: {", "launcher: {gpus: 1, workdir: src, env: {A: x}, ")
    document = read(base, "launcher: {kind: cluster, env: {B: y}, queue: long}\n")
    assert document.value("launcher") == {
        "workdir": "src",
        "env": {"A": "x", "B": "y"},
        "command": ["python", "train.py"],
        "kind": "cluster",
        "queue": "long",
    }
    same = read(base, "launcher: {kind: process, gpus: 2}\n")
    assert same.value("launcher.gpus") == 2


def test_another_strategy_drops_the_options_of_the_former(load: Load, text: str) -> None:
    bands = text + "strategy: {name: hyperband, max_resource: 9}\n"
    assert load(bands, "strategy: {max_resource: 27}\n").strategy == Hyperband(
        name="hyperband", max_resource=27
    )
    assert load(bands, "strategy: random\n").strategy.name == "random"
    assert load(bands, overrides=("strategy.name=random",)).strategy.name == "random"


def test_a_mistake_is_placed_in_the_overlay_it_stands_in(refuse: Refuse, text: str) -> None:
    limits = "max_jobs, max_parallel_jobs, max_runtime, max_job_runtime, max_cost, max_failures"
    allowed = f"\n    allowed here: {limits}"
    assert refuse(text, "\nlimits: {max_jobs: 0}\n", "limits: {max_job: 1}\n", overrides=("seed=x",)) == [
        "overlay-1.yaml:2:20: `limits.max_jobs` is 0; it must be 1 or more",
        f"overlay-2.yaml:1:10: unknown key `max_job` in `limits`; did you mean `max_jobs`?{allowed}",
        "--set seed=x: `seed` is `x`; it must be a whole number",
    ]


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("limits.max_jobs=7", "limits.max_jobs", 7),
        ("limits.max_runtime = 2h", ("limits", "max_runtime "), "2h"),
        ("metrics.f1=f1: (.+) # all", "metrics.f1", "f1: (.+) # all"),
        ("metrics.a:b=x=y", "metrics.a:b", "x=y"),
        ('fixed."a.b=c"=1e-4', ("fixed", "a.b=c"), 1e-4),
        ("fixed.on=off", "fixed.on", "off"),
        ("fixed.text='5'", "fixed.text", "5"),
        ('fixed.text="5\\n"', "fixed.text", "5\n"),
        ("fixed.none=", "fixed.none", None),
        ("launcher.command=[a, b c, 1]", "launcher.command", ["a", "b c", 1]),
        ("parameters={lr: {type: continuous, max: 1}}", "parameters.lr.max", 1),
        ("strategy.name=grid", "strategy", {"name": "grid"}),
        ("fixed.reference=${NAME:-5}", "fixed.reference", 5),
    ],
)
def test_an_override_sets_one_value(read: Read, text: str, override: str, path: str, value: Plain) -> None:
    found = read(text, overrides=(override,)).value(path)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "override", ["limits", "=5", ".a=5", "a.=5", "a..b=5", "", "a=[1", "a='x", "a={b: [}"]
)
def test_an_override_that_sets_nothing_is_refused(read: Read, text: str, override: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(text, overrides=(override,))
    (problem,) = caught.value.problems
    assert problem.file == f"--set {override}"
    assert (problem.line, problem.column) == (0, 0)


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


# the environment


def test_a_lone_reference_takes_the_type_of_its_value(read: Read) -> None:
    document = read(
        "a: ${A}\nb: ${B:-5}\nc: ${C:-0.5}\nd: ${D:-true}\n"
        "e: {f: ${E:-a, b: c}, g: [${A}, ${A}]}\nh: ${H:-}\n",
        environment={"A": "1e-3", "B": ""},
    )
    assert document.value() == {
        "a": 1e-3,
        "b": 5,
        "c": 0.5,
        "d": True,
        "e": {"f": "a, b: c", "g": [1e-3, 1e-3]},
        "h": None,
    }


def test_a_reference_within_text_or_quotes_stays_text(read: Read) -> None:
    document = read(
        "a: '${A}'\nb: \"${A}\"\nc: x${A}\nd: ${A}${A}\ne: $A $${A} $$${A}\nf: [1, ${LIST}]\n${A}: key\n",
        environment={"A": "5", "LIST": "[a, *b]"},
    )
    assert document.value() == {
        "a": "5",
        "b": "5",
        "c": "x5",
        "d": "55",
        "e": "$A ${A} $${A}",
        "f": [1, "[a, *b]"],
        "${A}": "key",
    }


def test_what_a_variable_holds_is_not_expanded_again(read: Read) -> None:
    document = read("a: ${A}\n", environment={"A": "${B}"})
    assert document.value("a") == "${B}"


def test_a_replaced_reference_needs_no_variable(load: Load, text: str) -> None:
    base = text.replace("max_jobs: 5", "max_jobs: ${UNSET}")
    assert load(base, overrides=("limits.max_jobs=3",)).limits.max_jobs == 3


def test_an_unset_variable_is_the_only_mistake_of_its_place(refuse: Refuse, text: str) -> None:
    (problem,) = refuse(text.replace("max_jobs: 5", "max_jobs: ${UNSET}"))
    assert problem == (
        "tune.yaml:6:20: the environment variable UNSET is not set\n"
        "    set it, or give a default: ${UNSET:-default}; $${ stands for ${ itself"
    )


@pytest.mark.parametrize("value", ["9" * 20, "\udc80"])
def test_a_variable_that_no_value_can_be_is_refused(refuse: Refuse, text: str, value: str) -> None:
    (problem,) = refuse(text + "fixed: {a: ${A}}\n", environment={"A": value})
    assert problem.startswith("tune.yaml:8:12: ")
    assert problem.isprintable()
    assert problem.endswith("(the value of `${A}`)")


# the effective spec

WORDS = "on no 1e-4 1_000 0x1f 010 0o17 2024-01-01 1:30 .inf -.INF .NaN nan null TRUE ~ +.5 5. - ?"
SIGNS = "# ' \" \\ *a &a !a | > % @ ` [ << = ${A} $${ $$${A} - ? \x85 \u2028 \ufeff"
AWKWARD = [
    *WORDS.split(" "),
    *SIGNS.split(" "),
    *["", " a ", "\t", "\n", "a\n\n b\n", "- a", "a: b", "x #y", "{a: 1}", "--- a"],
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.sampled_from(AWKWARD)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200).filter(
    lambda key: key != "<<"
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merged")


@example({"${": {}})
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5))
def test_the_merged_text_reads_back_as_the_same_values(folder: Path, spec: dict[str, Plain]) -> None:
    first = Document.read([_written(folder / "first.yaml", spec)], environment={})
    assert repr(first.value()) == repr(spec)  # repr tells 1 from 1.0 and true, and 0.0 from -0.0
    second = folder / "second.yaml"
    second.write_text(first.merged(), encoding="utf-8")
    again = Document.read([second], environment={})
    assert repr(again.value()) == repr(spec)
    assert again.digest() == first.digest()


def _written(path: Path, spec: dict[str, Plain]) -> Path:
    """Write a spec with a YAML writer of our own: everything quoted, or resolved by its canonical form."""
    path.write_text(_flow(spec), encoding="utf-8")
    return path


def _flow(value: Plain) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return {"inf": ".inf", "-inf": "-.inf"}.get(repr(value), repr(value))
        case str():
            escaped = value.replace("${", "$${")
            return '"' + "".join(f"\\U{ord(character):08x}" for character in escaped) + '"'
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case dict():
            return f"{{{', '.join(f'{_key(key)} : {_flow(item)}' for key, item in value.items())}}}"


def _key(key: str) -> str:
    return "? " + '"' + "".join(f"\\U{ord(character):08x}" for character in key) + '"'


def test_the_merged_text_is_written_as_a_person_would(read: Read, text: str) -> None:
    document = read(text, overrides=("limits.max_jobs=7",), environment={})
    assert document.merged() == (
        "name: digits\n"
        "objective: {metric: f1, goal: maximize}\n"
        "metrics: {f1: 'f1: (\\S+)'}\n"
        "parameters:\n"
        "  depth: {type: integer, min: 1, max: 8}\n"
        "limits: {max_jobs: 7}\n"
        "launcher:\n"
        "  command: [python, train.py]\n"
    )


def test_the_digest_tells_contents_not_form(read: Read, text: str) -> None:
    digest = read(text).digest()
    lines = text.splitlines(keepends=True)
    assert read("# comment\n" + "".join(reversed(lines[5:])) + "".join(lines[:5])).digest() == digest
    assert read(text, overrides=("limits.max_jobs=${N:-5}",)).digest() == digest
    assert read(text, overrides=("limits.max_jobs=6",)).digest() != digest
    assert read(text, overrides=("limits.max_jobs=5.0",)).digest() != digest
    assert read(text, overrides=("limits.max_jobs=6",)).digest(without={"limits"}) == read(text).digest(
        without={"limits"}
    )


def test_places_are_those_of_keys_and_values(read: Read, text: str) -> None:
    document = read(text, overrides=("limits.max_failures=3",))
    here = document.place(()).file
    assert document.place("parameters.depth.max") == Place(here, 5, 39)
    assert document.place("parameters.depth.max", of_key=True) == Place(here, 5, 34)
    assert document.place("parameters.depth.step") == Place(here, 5, 3)
    assert document.place("launcher.command.1") == Place(here, 7, 30)
    assert document.place("limits.max_failures") == Place("--set limits.max_failures=3")
    assert document.value("parameters.depth.step") is None
