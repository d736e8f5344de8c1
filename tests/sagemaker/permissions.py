"""The permissions that hpo needs for what it asks of AWS, and those that the policy in docs gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hpo.testing.aws import Aws

HPO_KEY = "hpo-under-test"
"""The access key of hpo in tests, by which its calls are told from the tests' own."""

POLICY = Path(__file__).parents[2] / "docs" / "sagemaker-policy.json"

ACTIONS: Mapping[tuple[str, str], frozenset[str]] = {
    # Tagged, as each of hpo's training jobs is, and run with a role.
    ("sagemaker", "CreateTrainingJob"): frozenset(
        {"sagemaker:CreateTrainingJob", "sagemaker:AddTags", "iam:PassRole"}
    ),
    ("sts", "GetCallerIdentity"): frozenset(),  # needs none
    ("s3", "HeadBucket"): frozenset({"s3:ListBucket"}),
    ("s3", "ListObjectsV2"): frozenset({"s3:ListBucket"}),
    ("s3", "HeadObject"): frozenset({"s3:GetObject"}),
    ("s3", "CreateMultipartUpload"): frozenset({"s3:PutObject"}),
    ("s3", "UploadPart"): frozenset({"s3:PutObject"}),
    ("s3", "CompleteMultipartUpload"): frozenset({"s3:PutObject"}),
}
"""The actions of IAM that an operation needs, where they are not the one of its name. Source: AWS's service
authorization reference; for S3, its guide's table of operations and permissions."""


def allowed() -> set[str]:
    """Return the actions of the policy."""
    statements = json.loads(POLICY.read_text(encoding="utf-8"))["Statement"]
    return {action for statement in statements for action in listed(statement["Action"])}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def needed(aws: Aws) -> set[str]:
    """Return the actions that were needed for what hpo has asked of AWS, as far as it is still noted."""
    calls = {
        (request.service, request.operation) for request in aws.requests if request.access_key == HPO_KEY
    }
    return {
        action
        for service, operation in calls
        for action in ACTIONS.get((service, operation), {f"{service}:{operation}"})
    }
