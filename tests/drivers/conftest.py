"""The fixture of `tests/api` for a plain and a streamed run."""

from tests.api.conftest import play

__all__ = ["play"]
