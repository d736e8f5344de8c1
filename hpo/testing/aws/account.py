"""The one AWS account that there is, and how its resources are named."""

from __future__ import annotations

ACCOUNT = "123456789012"
REGION = "us-east-1"
USER = f"arn:aws:sts::{ACCOUNT}:user/moto"  # who GetCallerIdentity says it is
ACCESS_KEY = "testing"
SECRET_KEY = "testing"  # noqa: S105 - it opens nothing
OWN_ACCESS_KEY = "emulator"  # whose calls are neither counted nor refused


def arn(kind: str, name: str, *, region: str = REGION) -> str:
    """Return the ARN of a SageMaker resource, in small letters as SageMaker has it."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name.lower()}"


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables by which boto3 finds this AWS, and nothing else of the user's."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
