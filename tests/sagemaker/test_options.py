"""How a spec's launcher section for SageMaker is read, and what is said of mistakes in it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.spec.document import Document

PLAIN: dict[str, object] = {"image": "team/train:1", "instance_type": "ml.m5.xlarge"}
VPC = {"subnets": ["subnet-1"], "security_groups": ["sg-1"]}


def mistakes(options: dict[str, object]) -> dict[str, str]:
    """Return what is wrong with a launcher's section, by the key."""
    document = Document.read([{"launcher": {"kind": "sagemaker", **options}}], overrides=[])
    document.validate(SageMakerOptions, at="launcher", without={"kind"})
    return {problem.path: f"{problem.message} ({problem.hint})" for problem in document.problems}


def read(**options: object) -> SageMakerOptions:
    return SageMakerOptions.model_validate({**PLAIN, **options})


def test_little_is_needed() -> None:
    assert mistakes(PLAIN) == {}
    assert mistakes({"algorithm": "forest", "instance_types": ["ml.m5.xlarge"]}) == {}


@pytest.mark.parametrize(
    ("written", "types"),
    [
        ({"instance_type": "ml.m5.xlarge"}, ["ml.m5.xlarge"]),
        ({"instance_types": ["ml.g5.xlarge", "ml.g4dn.xlarge"]}, ["ml.g5.xlarge", "ml.g4dn.xlarge"]),
        ({"instance_groups": [{"name": "gpu", "type": "ml.g5.xlarge"}]}, ["ml.g5.xlarge"]),
    ],
)
def test_the_types_of_machines_in_order(written: dict[str, object], types: list[str]) -> None:
    assert list(SageMakerOptions.model_validate({"image": "x", **written}).instance_types) == types


@pytest.mark.parametrize(
    ("written", "size"), [(30, 30), ("30", 30), ("50g", 50), ("64 GB", 64), ("2T", 2048)]
)
def test_sizes_of_the_disk(written: object, size: int) -> None:
    assert read(volume=written).volume == size


def test_an_address_loses_the_slash_at_its_end() -> None:
    options = read(output="s3://bucket/a/b/", checkpoints="s3://bucket/c/")
    assert options.checkpoints is not None
    assert (options.output, options.checkpoints.s3) == ("s3://bucket/a/b", "s3://bucket/c")


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"instance_type": "ml.m5.xlarge"}, "launcher", "`image` or `algorithm`"),
        ({"image": "x"}, "launcher", "`instance_types` or `instance_type` or `instance_groups`"),
        ({**PLAIN, "algorithm": "y"}, "launcher.algorithm", "`image` is given, too"),
        (
            {**PLAIN, "instance_types": ["ml.m5.large"]},
            "launcher.instance_type",
            "`instance_types` is given, too",
        ),
        ({**PLAIN, "instance_type": "m5.xlarge"}, "launcher.instance_type", "as in ml.m5.xlarge"),
        (
            {"image": "x", "instance_groups": [{"name": "a", "type": "ml.m5.large"}], "instance_count": 2},
            "launcher.instance_groups",
            "each group has its own count",
        ),
        ({**PLAIN, "instance_count": 0}, "launcher.instance_count", "1 or more"),
        ({**PLAIN, "volume": 0}, "launcher.volume", "from 1 to 16384 GB"),
        ({**PLAIN, "volume": "17t"}, "launcher.volume", "from 1 to 16384 GB"),
        ({**PLAIN, "volume_key": "a b"}, "launcher.volume_key", "KMS key"),
        ({**PLAIN, "keep_alive": "61m"}, "launcher.keep_alive", "at most 1h"),
        ({**PLAIN, "keep_alive": "5m", "spot": True}, "launcher.keep_alive", "`spot` is given, too"),
        ({**PLAIN, "max_wait": "2h"}, "launcher.max_wait", "it needs `spot`"),
        ({**PLAIN, "spot": False, "max_wait": "2h"}, "launcher.max_wait", "it needs `spot`"),
        ({**PLAIN, "spot": True, "max_run": "2h", "max_wait": "1h"}, "launcher.max_wait", "7200 seconds"),
        ({**PLAIN, "max_run": "29d"}, "launcher.max_run", "at most 28d"),
        ({**PLAIN, "max_pending": "20m"}, "launcher.max_pending", "from 30m to 28d"),
        ({**PLAIN, "retry_attempts": 31}, "launcher.retry_attempts", "30 or less"),
        ({**PLAIN, "command": "x", "arguments": "y"}, "launcher.command", "`arguments` is given, too"),
        (
            {**PLAIN, "command": "x", "entry_point": "y", "source_dir": "z"},
            "launcher.command",
            "`entry_point` is given, too",
        ),
        ({**PLAIN, "entry_point": "train.py"}, "launcher.entry_point", "it needs `source_dir`"),
        ({**PLAIN, "source_dir": "src"}, "launcher.source_dir", "it needs `entry_point`"),
        ({**PLAIN, "requirements": "r.txt"}, "launcher.requirements", "it needs `source_dir`"),
        ({**PLAIN, "env": {"A-B": 1}}, "launcher.env.A-B", "letters (a to z), digits and _"),
        ({**PLAIN, "env": {"A": "x" * 513}}, "launcher.env.A", "these are 513"),
        ({**PLAIN, "env_from": ["A-B"]}, "launcher.env_from", "not `A-B`"),
        ({**PLAIN, "role": "arn:aws:iam::1:role/x"}, "launcher.role", "a role's name or its ARN"),
        ({**PLAIN, "output": "bucket/x"}, "launcher.output", "s3://BUCKET/PREFIX"),
        ({**PLAIN, "output": "s3://bucket/" + "x" * 1024}, "launcher.output", "1,024 characters"),
        ({**PLAIN, "output_compression": "zip"}, "launcher.output_compression", "gzip or none"),
        ({**PLAIN, "checkpoints": {"path": "/opt/ml/model/"}}, "launcher.checkpoints.path", "SageMaker its"),
        ({**PLAIN, "checkpoints": {"path": "here"}}, "launcher.checkpoints.path", "matches ^/"),
        ({**PLAIN, "vpc": {"subnets": ["s"]}}, "launcher.vpc.security_groups", "is missing"),
        (
            {**PLAIN, "vpc": {"subnets": ["s"] * 17, "security_groups": ["s"]}},
            "launcher.vpc.subnets",
            "16 or fewer",
        ),
        ({**PLAIN, "tags": {f"t{n}": n for n in range(48)}}, "launcher.tags", "47 or fewer"),
        ({**PLAIN, "tags": {"hpo:job": "x"}}, "launcher.tags.hpo:job", "hpo itself sets this tag"),
        ({**PLAIN, "tags": {"aws:x": "y"}}, "launcher.tags.aws:x", "AWS's own"),
        ({**PLAIN, "tags": {"x": "y" * 257}}, "launcher.tags.x", "at most 256"),
        ({**PLAIN, "experiment": {"name": "a b"}}, "launcher.experiment.name", "inner hyphens"),
        ({**PLAIN, "image": "x" * 256}, "launcher.image", "255 or fewer"),
        (
            {**PLAIN, "channels": {"a": {"file_system": {"id": "fs-12345678", "type": "efs", "path": "/"}}}},
            "launcher.channels.a.file_system",
            "through a VPC only",
        ),
        (
            {**PLAIN, "channels": {"a": {"instance_groups": ["b"]}}},
            "launcher.channels.a.instance_groups",
            "`b`",
        ),
        ({**PLAIN, "channels": {"a": {"attributes": ["b"]}}}, "launcher.channels.a", "augmented manifest"),
        (
            {**PLAIN, "channels": {"a": {"s3_type": "augmented-manifest"}}},
            "launcher.channels.a",
            "needs `attributes`",
        ),
        (
            {
                **PLAIN,
                "vpc": VPC,
                "channels": {
                    "a": {
                        "distribution": "sharded",
                        "file_system": {"id": "fs-12345678", "type": "efs", "path": "/"},
                    }
                },
            },
            "launcher.channels.a",
            "distribution is for data in S3",
        ),
        ({**PLAIN, "instance_typ": "x"}, "launcher.instance_typ", "did you mean `instance_type`?"),
        ({"algorithm": "x", "instance_type": "ml.m5.xlarge", "command": "y"}, "launcher.command", "an image"),
        (
            {**PLAIN, "image_credentials": "arn:aws:lambda:x:123456789012:function:f"},
            "launcher.image_credentials",
            "it needs `image_access`",
        ),
    ],
)
def test_a_mistake_is_told_with_its_key(options: dict[str, object], path: str, words: str) -> None:
    found = mistakes(options)
    shown = {key.replace('"', ""): text for key, text in found.items()}
    assert list(shown) == [path], found
    assert words in shown[path]


def test_no_mistake_hides_another() -> None:
    found = mistakes({"image": "x", "spot": True, "keep_alive": "2h", "volume": 0, "max_run": "29d"})
    assert set(found) == {"launcher", "launcher.keep_alive", "launcher.volume", "launcher.max_run"}


def test_every_option_is_described() -> None:
    schema = SageMakerOptions.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    undescribed = [
        name
        for section in sections
        for name, field in section.get("properties", {}).items()
        if not field.get("description")
    ]
    assert undescribed == []


def test_the_schema_takes_what_is_right_and_refuses_what_is_not() -> None:
    schema = json.loads(json.dumps(SageMakerOptions.model_json_schema()))
    right = {**PLAIN, "volume": "30g", "keep_alive": "10m", "checkpoints": "s3://bucket/x", "vpc": VPC}
    jsonschema.validate(right, schema)
    mistaken: list[dict[str, object]] = [{"volume": "x"}, {"role": "a b"}, {"checkpoints": 3}]
    for wrong in mistaken:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**PLAIN, **wrong}, schema)
