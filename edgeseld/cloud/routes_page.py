"""The page at `/`: plain files of the package, named here one by one, so that no request names a path."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Response

PAGE = Path(__file__).parent / "page"
FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
    "recorder.js": ("recorder.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_routes() -> APIRouter:
    """A route per file; they are open, what they ask the server for is not."""
    router = APIRouter(include_in_schema=False)
    for path, (name, media_type) in FILES.items():
        router.add_api_route(f"/{path}", _file(PAGE / name, media_type), methods=["GET"])
    return router


def _file(path: Path, media_type: str) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return Response(path.read_bytes(), media_type=media_type, headers=HEADERS)

    return send
