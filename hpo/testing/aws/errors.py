"""How a call is refused."""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is an error: AWS's code for it, its text, its HTTP status."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> ApiError:
    """Return SageMaker's refusal of a request that breaks a rule."""
    return ApiError("ValidationException", message)


class JobFailure(Exception):
    """A training job cannot go on; its text is the FailureReason."""
