"""Apps' logos as pages show them: served from this origin only."""

from falcon.asgi import Request, Response

from airside.assets.logos import NAME, PATH, TYPES, read_logo, stored_name
from airside.assets.logos import check_logo as check_logo
from airside.assets.logos import forget_logo as forget_logo
from airside.assets.logos import store_logo as store_logo
from airside.errors import PageNotFound
from airside.portal.static import FOREVER
from airside.runtime.site import Site


def shown_picture(url: str | None) -> str:
    """The URL of a picture on this origin; empty for any other origin."""
    name = stored_name(url)
    return f"{PATH}{name}" if name else ""


class Logo:
    """GET /uploads/logos/<name>"""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def on_get(self, req: Request, resp: Response, name: str) -> None:
        found = NAME.fullmatch(name)
        data = await read_logo(self.site, f"{PATH}{name}") if found else None
        if found is None or data is None:
            raise PageNotFound
        resp.data = data
        resp.content_type = TYPES[found[1]]
        resp.set_header("Cache-Control", FOREVER)
