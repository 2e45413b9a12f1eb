"""The downloads of finished exports, outside the API proper: whoever knows the address needs no token."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from console.sandbox.render.api.exchange import error_response
from console.sandbox.render.exports import Exports


class Downloads:
    """Serves the archives, whole or by range."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    def routes(self) -> list[Route]:
        """The paths, from the server's root."""
        return [Route("/exports/{token}/{name}", self.download)]

    async def download(self, request: Request) -> Response:
        """The archive that the address names, or 404."""
        path = self._exports.file(request.path_params["token"])
        if path is None or path.name != request.path_params["name"]:
            return error_response(404, "no such export")
        return FileResponse(path, media_type="application/gzip", filename=path.name)
