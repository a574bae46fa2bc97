"""Answers other than 200: a status and one line that says what to do."""

from edgeseld.core.errors import EdgeseldError


class Refusal(EdgeseldError):
    """The server will not do this; `retry_after_s` says when to ask again."""

    def __init__(self, status: int, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after_s = status, retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the status."""
        if self.retry_after_s is not None:
            return {"Retry-After": str(self.retry_after_s)}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
