"""SageMaker's contract in a container: the same as a process has, but for the paths."""

from __future__ import annotations

import json
import os

import pytest

from tests.command_line import Hpo
from tests.docker.containers import ONE, job, launcher, outcome, python, ran, run_folder, shell, trials

pytestmark = pytest.mark.docker

PROGRAM = """
import json, os, pathlib, sys
root = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
config = root / "input/config"
seen = {
    "argv": sys.argv[1:],
    "files": {path.name: json.loads(path.read_text()) for path in sorted(config.iterdir())},
    "folders": sorted(
        os.path.relpath(place, root) for place, _, _ in os.walk(root, followlinks=True)
        if "input/data/" not in place
    ),
    "data": sorted(
        (os.path.relpath(path, root), path.read_text())
        for place, _, names in os.walk(root / "input/data", followlinks=True)
        for path in (pathlib.Path(place, name) for name in names)
    ),
    "env": {
        name: value for name, value in os.environ.items()
        if name.startswith(("SM_", "HPO_JOB", "HPO_TRIAL", "HPO_RUN")) or name == "TRAINING_JOB_NAME"
    },
}
seen["env"].pop("HPO_RUN_FOLDER", None)
print(json.dumps(seen, sort_keys=True).replace(str(root), "/opt/ml"))
(root / "model/m.bin").write_text("model")
(root / "output/data/extra").write_text("out")
(root / "checkpoints/c").write_text("at")
print("loss=1")
"""


def test_a_container_sees_what_a_process_sees_but_for_the_paths(hpo: Hpo) -> None:
    hpo.write("look.py", PROGRAM)
    (hpo.folder / "data/deep").mkdir(parents=True)
    hpo.write("data/deep/a", "from a")
    fixed = {"epochs": 3, "none": None, "on": True, "text": 'it\'s "so"'}
    process = {"command": ["python3", "look.py"]}
    container = launcher(**process, workdir=str(hpo.folder), mounts=[f".:{hpo.folder}:ro"])
    said = []
    for name, section in (("job", container), ("process", process)):
        hpo.job("", launcher=section, fixed=fixed, inputs={"train": "./data"}, limits=ONE)
        hpo("run", "spec.yaml", "--name", name)
        log = hpo("logs", name, "1").out.replace(f"{name}-0001-1", "job-0001-1")
        said.append(log.replace('"lo"', '"eth0"').replace('\\"lo\\"', '\\"eth0\\"'))
    in_container, in_process = (json.loads(log.splitlines()[0]) for log in said)
    for seen in (in_container, in_process):
        assert seen["env"].pop("HPO_JOB") in {"job", "process"}
        seen["env"].pop("SM_NETWORK_INTERFACE_NAME")
    for key in in_container:
        assert in_container[key] == in_process[key]
    assert in_container["files"]["hyperparameters.json"] | {"x": ""} == {
        "epochs": "3", "none": "null", "on": "true", "text": "it's \"so\"", "x": "",
    }  # fmt: skip
    assert in_container["data"] == [["input/data/train/deep/a", "from a"]]
    assert in_container["env"]["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert in_container["env"]["TRAINING_JOB_NAME"] == "job-0001-1"
    for name in ("ml/model/m.bin", "ml/output/data/extra", "../checkpoints/c"):
        made = run_folder(hpo) / name
        assert made.read_text()
        assert made.stat().st_uid == os.getuid()


WRITE = """
import os
for path in ("/opt/ml/input/data/train/new", "/opt/ml/input/data/train/a", "/opt/ml/input/data/test/one.csv"):
    try:
        open(path, "a")
    except OSError as error:
        print(path, error.strerror)
print(os.environ["SM_CHANNEL_TEST"], open("/opt/ml/input/data/test/one.csv").read())
print("loss=1")
"""


def test_channels_are_read_only_even_for_root(hpo: Hpo) -> None:
    (hpo.folder / "real").mkdir()
    hpo.write("real/a", "")
    hpo.write("one.csv", "1,2")
    (hpo.folder / "data").symlink_to("real")
    inputs = {"train": "data", "test": "one.csv"}
    hpo.job("", launcher=launcher(command=python(WRITE), user="0:0"), inputs=inputs, limits=ONE)
    hpo("run", "spec.yaml")
    log = hpo("logs", "job", "1").out
    assert log.count("Read-only file system") == 3
    assert "/opt/ml/input/data/test 1,2\n" in log


def test_the_runs_of_a_trial_share_their_checkpoints_and_nothing_else(hpo: Hpo) -> None:
    script = (
        "cd /opt/ml; ls checkpoints model output/data; echo $HPO_RUN > checkpoints/$HPO_RUN; touch model/m; "
        "[ $HPO_RUN = 2 ] || { printf 'no\\nluck' > output/failure; exit 3; }; echo loss=1"
    )
    job(hpo, command=shell(script))
    hpo("run", "spec.yaml", status=1)
    assert outcome(hpo) == ("failed", "exit status", "exit status 3: no\nluck")
    hpo("retry", "job")
    assert outcome(hpo)[:2] == ("completed", None)
    assert hpo("logs", "job", "1").out == "checkpoints:\n1\n\nmodel:\n\noutput/data:\nloss=1\n"
    assert trials(hpo)[0]["attempts"] == 2
    assert not (run_folder(hpo, run=2) / "ml/output/failure").exists()


def test_each_repeat_has_checkpoints_of_its_own_which_its_runs_share(hpo: Hpo) -> None:
    script = (
        "cd /opt/ml/checkpoints; ls; echo $HPO_RUN > $HPO_RUN; [ $HPO_RUN != 2 ] || exit 3; "
        "echo loss=$HPO_RUN"
    )
    hpo.job("", launcher=launcher(command=shell(script)), limits=ONE, repeats=2)
    hpo("run", "spec.yaml", status=1)
    assert trials(hpo)[0]["detail"].startswith("repeat 2 of 2: exit status 3")
    hpo("retry", "job")
    logs = [hpo("logs", "job", "1", "--run", run).out for run in ("1", "2", "3")]
    assert logs == ["loss=1\n", "", "2\nloss=3\n"]
    assert trials(hpo)[0]["value"] == 2.0
    trial = run_folder(hpo).parent
    kept = {path: sorted(entry.name for entry in path.iterdir()) for path in trial.glob("**/checkpoints")}
    assert kept[trial / "checkpoints"] == ["1"]
    assert kept[trial / "repeat-2/checkpoints"] == ["2", "3"]


def test_both_outputs_are_the_log(hpo: Hpo) -> None:
    log = ran(hpo, command=shell("echo aside >&2; echo loss=1; printf 'half a line'"))
    assert sorted(log.splitlines()) == ["aside", "half a line", "loss=1"]
