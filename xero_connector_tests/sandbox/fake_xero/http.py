"""What travels through the fake: one request, one response, and the errors that become responses."""
from dataclasses import dataclass, field

from .formats import dumps

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass
class Request:
    """One request as it came: query values are texts, header names are lower case, body is bytes."""

    method: str
    path: str
    query: dict
    headers: dict
    body: bytes
    url: str

    def wants(self, mime):
        """Whether the Accept header names `mime`."""
        return mime in self.headers.get("accept", "").lower()

    def text(self):
        """The body as text, for logs and JSON."""
        return self.body.decode("utf-8", "replace")


@dataclass
class Response:
    """One answer: status, bytes, content type (None sends none) and further headers."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = JSON
    headers: dict = field(default_factory=dict)


def json_response(value, status=200, **headers):
    """A JSON answer of any value."""
    return Response(status, dumps(value).encode(), JSON, headers)


def html_response(text, status=200, **headers):
    """An HTML answer."""
    return Response(status, text.encode(), HTML, headers)


def redirect(location):
    """302 to `location`."""
    return Response(302, b"", None, {"Location": location})


class HttpError(Exception):
    """An error that is an answer; `response` is what the client gets."""

    def __init__(self, response):
        super().__init__(response.status)
        self.response = response


def not_found(what="The resource you're looking for cannot be found"):
    """404 comes as HTML, never as JSON (`xero-api.md` 7)."""
    return HttpError(html_response(what, 404))


def problem(status, detail, title, **headers):
    """The Title/Status/Detail body of 401 and 403 (`xero-api.md` 7)."""
    body = {"Title": title, "Status": status, "Detail": detail,
            "Instance": "1d9d6c04-0f5c-4b6f-9c7e-000000000000", "Extensions": {}}
    return HttpError(json_response(body, status, **headers))


def unauthorized(detail="AuthenticationUnsuccessful", **headers):
    """401, with the reason in `Detail`."""
    return problem(401, detail, "Unauthorized", **headers)


def forbidden(detail="AuthenticationUnsuccessful"):
    """403: wrong tenant, or a connection that is gone."""
    return problem(403, detail, "Forbidden")


def bad_request(message, number=10, kind="ValidationException", **extra):
    """400 with Xero's error number and type."""
    return HttpError(json_response({"ErrorNumber": number, "Type": kind, "Message": message, **extra}, 400))


def not_implemented(method):
    """501: a verb this resource does not know."""
    body = {"ErrorNumber": 20, "Type": "ApiMethodNotImplementedException",
            "Message": f"The Api Method called is not implemented: {method}"}
    return HttpError(json_response(body, 501))
