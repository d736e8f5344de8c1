"""An AWS on this machine, whose SageMaker truly runs training jobs: `python -m hpo.testing.aws`."""

from hpo.testing.aws.gate import Request
from hpo.testing.aws.server import Aws
from hpo.testing.aws.settings import AwsSettings, Fault

__all__ = ["Aws", "AwsSettings", "Fault", "Request"]
