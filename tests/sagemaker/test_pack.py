"""What of a folder is packed for script mode, and that the same files give the same archive."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest

from hpo.errors import CannotStart, LauncherError
from hpo.launchers.launcher import JobContext
from hpo.launchers.sagemaker.ignore import Ignored
from hpo.launchers.sagemaker.local_files import digest_of, files_below, stamp_of
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.pack import pack, source_files, source_obstacles


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def options(**given: object) -> SageMakerOptions:
    script = {"source_dir": "src", "entry_point": "train.py"}
    return SageMakerOptions.model_validate({"image": "x", "instance_type": "ml.m5.xlarge", **script, **given})


def context(base: Path) -> JobContext:
    return JobContext("job", base / "home/jobs/job", base, base / "home")


def names(base: Path, **given: object) -> list[str]:
    return [file.name for file in source_files(context(base), options(**given))]


def packed(base: Path, **given: object) -> bytes:
    target = io.BytesIO()
    pack(source_files(context(base), options(**given)), target)
    return target.getvalue()


def problems(base: Path, **given: object) -> dict[str, str]:
    return {
        ".".join(map(str, obstacle.path)): obstacle.message
        for obstacle in source_obstacles(context(base), options(**given))
    }


def test_everything_but_what_no_program_needs(tmp_path: Path) -> None:
    write(tmp_path / "src", {"train.py": "", "pkg/a.py": "", "pkg/__pycache__/a.pyc": "", ".git/HEAD": ""})
    assert names(tmp_path) == ["pkg/a.py", "train.py"]


def test_a_file_says_what_is_left_out(tmp_path: Path) -> None:
    files = {"train.py": "", "data/big.bin": "", "data/small.csv": "", "notes.md": "", "deep/notes.md": ""}
    write(tmp_path / "src", {**files, ".hpoignore": "# not needed\ndata/*\n!data/*.csv\n/notes.md\n"})
    assert names(tmp_path) == ["data/small.csv", "deep/notes.md", "train.py"]


@pytest.mark.parametrize(
    ("pattern", "left_out", "kept"),
    [
        ("*.log", ["a.log", "b/c.log"], ["a.logs", "log"]),
        ("/a", ["a"], ["b/a"]),
        ("a/b", ["a/b"], ["c/a/b", "a/b2"]),
        ("**/b", ["b", "a/b", "a/c/b"], ["ab"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a"]),
        ("a/**/c", ["a/c", "a/b/c"], ["ac", "a/bc"]),
        ("f?.t[xy]t", ["f1.txt", "fo.tyt"], ["f.txt", "f1.tzt", "f/.txt"]),
        ("f[!0-9]", ["fa"], ["f1"]),
        ("a.b", ["a.b"], ["aXb"]),
        ("[", ["["], ["a"]),
        ("", [], ["a"]),
    ],
)
def test_patterns(pattern: str, left_out: list[str], kept: list[str]) -> None:
    ignored = Ignored([pattern])
    assert [name for name in [*left_out, *kept] if ignored(name, is_folder=False)] == left_out


def test_a_pattern_for_folders_leaves_files_alone() -> None:
    ignored = Ignored(["build/"])
    assert (ignored("a/build", is_folder=True), ignored("a/build", is_folder=False)) == (True, False)


def test_hpo_s_own_state_is_no_part_of_a_program(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": "", "home/jobs/job/job.db": ""})
    assert names(tmp_path, source_dir=".") == ["train.py"]


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for base, order in ((one, ("train.py", "a.py")), (other, ("a.py", "train.py"))):
        write(base / "src", dict.fromkeys(order, "print(1)"))
    os.utime(other / "src/a.py", (1, 1))
    (other / "src/a.py").chmod(0o640)
    assert packed(one) == packed(other)
    (other / "src/a.py").chmod(0o740)
    assert packed(one) != packed(other)


def test_what_is_in_the_archive(tmp_path: Path) -> None:
    write(tmp_path / "src", {"train.py": "print(1)", "run.sh": "true", "pkg/ä.py": ""})
    write(tmp_path, {"gpu.txt": "torch\n"})
    (tmp_path / "src/run.sh").chmod(0o755)
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path, requirements="gpu.txt"))) as tar:
        entries = {entry.name: entry for entry in tar}
        program = tar.extractfile("train.py")
        assert program is not None
        assert program.read() == b"print(1)"
    assert list(entries) == ["pkg/ä.py", "requirements.txt", "run.sh", "train.py"]
    assert [oct(entry.mode) for entry in entries.values()] == ["0o644", "0o644", "0o755", "0o644"]
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in entries.values()} == {
        (0, 0, "", 946684800)
    }


def test_links_are_followed(tmp_path: Path) -> None:
    write(tmp_path, {"src/train.py": "", "shared/b.py": "b", "a.py": "a"})
    (tmp_path / "src/lib").symlink_to(tmp_path / "shared")
    (tmp_path / "src/a.py").symlink_to(tmp_path / "a.py")
    assert names(tmp_path) == ["a.py", "lib/b.py", "train.py"]


def test_a_link_that_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"src/train.py": ""})
    (tmp_path / "src/again").symlink_to(tmp_path / "src")
    assert "leads back" in problems(tmp_path)["launcher.source_dir"]


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"src/train.py": ""})
    (tmp_path / "src/gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CannotStart, match="link to nothing"):
        names(tmp_path)


@pytest.mark.parametrize(
    ("files", "given", "path", "words"),
    [
        ({}, {}, "launcher.source_dir", "there is no folder"),
        ({"src/other.py": ""}, {}, "launcher.entry_point", "there is no such file"),
        (
            {"src/train.py": "", "src/.hpoignore": "*.py"},
            {},
            "launcher.entry_point",
            ".hpoignore leaves it out",
        ),
        ({"src/train.py": ""}, {"requirements": "r.txt"}, "launcher.requirements", "there is no file"),
        ({}, {"source_dir": "s3://data/src"}, "launcher.source_dir", "sourcedir.tar.gz"),
        (
            {"r.txt": ""},
            {"source_dir": "s3://data/src.tar.gz", "requirements": "r.txt"},
            "launcher.requirements",
            "packed",
        ),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path, files: dict[str, str], given: dict[str, object], path: str, words: str
) -> None:
    found = problems(write(tmp_path, files), **given)
    assert list(found) == [path]
    assert words in found[path]


def test_nothing_is_missing(tmp_path: Path) -> None:
    write(tmp_path, {"src/code/train.py": ""})
    assert problems(tmp_path, entry_point="./code/train.py") == {}
    assert problems(tmp_path, source_dir="s3://data/a/sourcedir.tar.gz") == {}


def test_a_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    def digest(files: Mapping[str, str], folder: str) -> str:
        return digest_of(files_below(write(tmp_path / folder, files)), Event())

    first = digest({"a": "1", "b": "2"}, "first")
    assert digest({"b": "2", "a": "1"}, "again") == first
    others = [{"a": "1", "b": "3"}, {"a": "1", "c": "2"}, {"a": "1"}, {"a": "2", "b": "1"}]
    digests = {first, *(digest(files, f"other{number}") for number, files in enumerate(others))}
    assert len(digests) == 5


def test_a_stamp_changes_with_a_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", {"a": "1"})
    before = stamp_of(files_below(folder))
    assert stamp_of(files_below(folder)) == before
    (folder / "a").write_text("2", encoding="utf-8")
    assert stamp_of(files_below(folder)) != before


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    folder = write(tmp_path / "src", {"train.py": "1"})
    files = files_below(folder)
    write(folder, {"train.py": "22"})
    with pytest.raises(LauncherError, match="was changed"):
        digest_of(files, Event())
    with pytest.raises(LauncherError, match="was changed"):
        pack(files, io.BytesIO())
