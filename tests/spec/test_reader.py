"""What no file may do: whatever its bytes, it is read within bounds, or refused with its place."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.load import spec_of
from hpo.spec.nodes import Plain
from hpo.spec.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES

Read = Callable[..., Document]


def _refusal(read: Read, content: str | bytes) -> str:
    with pytest.raises(SpecError) as caught:
        read(content)
    (problem,) = caught.value.problems
    return str(problem).partition("tune.yaml")[2]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("5.", 5.0),
        (".", "."),
        ("1_000", "1_000"),
        ("010", 10),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("~", None),
        ("", None),
        ("Null", None),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("inf", "inf"),
        ("1.2.3", "1.2.3"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_scalars_are_those_of_yaml_1_2(read: Read, written: str, value: Plain) -> None:
    found = read(f"a: {written}\n").value("a")
    assert found == value
    assert type(found) is type(value)


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not(read: Read) -> None:
    text = "a: 1\n#"
    assert read(text + "x" * (MAX_BYTES - len(text))).value() == {"a": 1}
    assert _refusal(read, text + "x" * (MAX_BYTES - len(text) + 1)).startswith(
        ": the file is larger than 1 MiB"
    )


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(SpecError, match="larger than 1 MiB"):
        Document.read([Path("/dev/zero")])


def test_the_deepest_file_is_read_and_one_level_more_is_not(read: Read) -> None:
    deepest = MAX_DEPTH - 1  # the file's own mapping is a level
    assert read("a: " + "[" * deepest + "]" * deepest).value("a") is not None
    assert "more than 50 levels" in _refusal(read, "a: " + "[" * (deepest + 1) + "]" * (deepest + 1))


@pytest.mark.parametrize("opening", ["[", "{", "- ", "a: {", "{a: ", "[{a: ", "? "])
def test_thousands_of_levels_are_refused(read: Read, opening: str) -> None:
    assert _refusal(read, opening * 20_000).startswith(":1:")


def test_the_longest_list_is_read_and_one_value_more_is_not(read: Read) -> None:
    most = MAX_NODES - 2  # the mapping and the list are values, too
    values = read("a: [" + "1," * most + "]").value("a")
    assert isinstance(values, list)
    assert len(values) == most
    assert "more than 10,000 values" in _refusal(read, "a: [" + "1," * (most + 1) + "]")


def test_an_alias_counts_as_all_that_it_stands_for(read: Read) -> None:
    hundred = "a: &a [" + "x," * 98 + "]\nb: ["
    assert read(hundred + "*a," * 98 + "]").value("b.97.0") == "x"
    assert "more than 10,000 values" in _refusal(read, hundred + "*a," * 100 + "]")


def test_aliases_are_places_of_their_anchor(read: Read) -> None:
    document = read("a: &a {b: 1}\nc: *a\n")
    assert document.value("c.b") == 1
    assert document.place("c.b").line == 1
    assert document.place("c", of_key=True).line == 2


def test_a_byte_order_mark_and_windows_lines_are_read(read: Read) -> None:
    document = read(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert document.value() == {"a": 1, "b": "x"}
    assert (document.place("b").line, document.place("b").column) == (2, 4)


def test_bytes_that_are_no_utf_8_are_named_by_their_position(read: Read) -> None:
    assert _refusal(read, "a: é\nb: ü".encode() + b"\xff").startswith(":2:5: byte 11 of the file, 0xff")
    assert _refusal(read, "a: 1".encode("utf-16")).startswith(":1:1: byte 0 of the file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(read: Read, tmp_path: Path) -> None:
    read("a: 1\n")
    (tmp_path / "tune.yaml").chmod(0)
    with pytest.raises(SpecError, match="no permission"):
        Document.read([tmp_path / "tune.yaml"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


_SECTIONS = "name objective metrics parameters limits strategy grid hyperband fixed launcher kind"
_KEYS = "type integer categorical continuous min max step values scaling logarithmic"
_SIGNS = "1 0.5 -1 .inf .nan 1e999 true null : [ ] { } ' | > # ${ } $${ :- \\ << !!str %YAML \" \t"
_PIECES = [
    *_SECTIONS.split(" "),
    *_KEYS.split(" "),
    *_SIGNS.split(" "),
    *[": ", "\n", "\n  ", "- ", ", ", "&a ", "*a", "? ", "---\n"],
]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join).map(str.encode) | st.binary(max_size=60))
@example(b'a: "\\UFFFFFFFF"')
@example(b"%YAML " + b"9" * 5000 + b".1\n---\na: 1")
@example(b"parameters: {a: {type: continuous, min: 1e300, max: 1e308, step: 1e-300}}")
@example(b"parameters: {a: {type: continuous, min: -1, max: 1, step: .nan}}")
@example(b"parameters: {type: {type: integer, integer: 1, min: x}}\nstrategy: [grid]")
@example(b"limits: {max_jobs: " + b"9" * 5000 + b"}")
@example(b"strategy: {name: grid}\nparameters: {a: {type: categorical, values: [[], {}]}}")
@example(b"strategy: {name: [hyperband], max_resource: 3}")
@example(b"strategy: {name: hyperband, min_resource: a}\nfixed: {epochs: 3}")
def test_any_bytes_are_a_spec_or_a_spec_error(folder: Path, content: bytes) -> None:
    path = folder / "tune.yaml"
    path.write_bytes(content)
    try:
        document = Document.read([path], environment={})
        spec_of(document)
        document.raise_problems()
    except SpecError as error:
        for problem in error.problems:
            assert problem.message
            assert problem.file == str(path)


_PATHS = [
    *["name", "seed", "strategy", "strategy.name", "strategy.min_resource", "strategy.max_resource", "fixed"],
    *["objective", "objective.metric", "objective.goal", "objective.step", "metrics", "metrics.f1", "retry"],
    *["parameters", "parameters.depth", "parameters.depth.type", "parameters.depth.min", "inputs.train"],
    *["parameters.depth.max", "parameters.depth.step", "parameters.depth.scaling", "parameters.depth.values"],
    *["fixed.epochs", "fixed.depth", "limits", "limits.max_jobs", "limits.max_runtime", "stop_when.target"],
    *["launcher", "launcher.kind", "launcher.more", "early_stopping", "unknown", "limits.unknown", "inputs"],
]
_VALUES = [
    *[
        "",
        "true",
        "0",
        "1",
        "-1",
        "5",
        "0.5",
        "1e300",
        "1e-300",
        ".inf",
        ".nan",
        "9007199254740993",
        "''",
        "a",
    ],
    *[
        "'5'",
        "[]",
        "{}",
        "[a, 1]",
        "{a: 1}",
        "{name: grid}",
        "{type: categorical}",
        "[[]]",
        "hyperband",
        "grid",
    ],
    *[
        "continuous",
        "integer",
        "categorical",
        "logarithmic",
        "reverse-logarithmic",
        "auto",
        "median",
        "s3://a",
    ],
]


# The text is the same every time.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(_PATHS), st.sampled_from(_VALUES)), max_size=5))
def test_any_values_are_a_spec_or_a_spec_error(
    folder: Path, text: str, overrides: list[tuple[str, str]]
) -> None:
    path = folder / "valid.yaml"
    path.write_text(text)
    document = Document.read([path], overrides=[f"{key}={value}" for key, value in overrides])
    spec = spec_of(document)
    assert (spec is None) <= bool(document.problems)
    assert len(set(document.problems)) == len(document.problems)
    for problem in document.problems:
        assert problem.message
        assert problem.path
