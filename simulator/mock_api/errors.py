"""Error responses in the API's words."""

from starlette.responses import JSONResponse


class ApiError(Exception):
    """An error of the API: an endpoint raises it, the application sends it."""

    def __init__(self, status: int, message: str, reason: str | None = None, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.headers = headers

    def to_response(self) -> JSONResponse:
        """Return the error as the API sends it."""
        body: dict[str, object] = {"status": self.status, "message": self.message}
        if self.reason is not None:
            body["reason"] = self.reason
        return JSONResponse({"error": body}, self.status, self.headers)


class AccountsError(Exception):
    """An error of the accounts service, in the form that OAuth prescribes."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def to_response(self) -> JSONResponse:
        """Return the error as the accounts service sends it."""
        return JSONResponse({"error": self.error, "error_description": self.description}, self.status)
