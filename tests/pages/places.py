"""Every page that there is, from the list of routes, so that none is looked at by nobody."""

from airside.portal.routes import authorization_routes, portal_routes
from airside.runtime.site import Site
from airside.settings import Settings

# What isn't looked at.
NO_PAGES = (
    "/static/",
    "/favicon.ico",
    "/uploads/",
    "/{slug}/live",  # a stream
    "/consent/continue",  # is there once, and leads on by itself
    "/{slug}/browse/{identifier}/mentionable",  # a part of its page
    "/{slug}/browse/{identifier}/attachments/{attachment_id}",  # a file
    "/{slug}/settings/applications/{app_id}/listing/screenshots/{picture_id}",  # only posts
    "/{slug}/settings/applications/{app_id}/listing/export",  # a file
    "/admin/review/{app_slug}/export",  # a file
    "/{slug}/settings/app-policy/",  # only posts
)
# Pages of records are drawn by two templates: these stand for all of them.
RECORDS = (
    "/records/pages",
    "/records/pages/{page_id}",
    "/records/project-labels",
    "/records/estimates",
    "/records/epics",
    "/records/cycles",
    "/records/cycles/{cycle_id}",
    "/records/modules/{module_id}",
    "/records/intake-issues",
    "/records/intake-issues/{intake_work_item_id}",
    "/records/work-item-types/{type_id}",
    "/records/collections",
)
FILES = ("/export", "/download")  # the ends of what comes as one
ALIASES = ("/auth/o/authorize",)  # of pages that are looked at
SIGNED_OUT = ("/sign-in", "/invitations")  # who is signed in is sent on
ERRORS = {"/nothing/here/": 404, "/acme/settings/members/nobody/": 404, "/other/settings/audit/": 403}


def list_pages(site: Site) -> list[str]:
    """The templates of the paths that can be looked at, those that only take forms left out."""
    return [
        path
        for path, resource in [*authorization_routes(site), *portal_routes(site)]
        if hasattr(resource, "on_get")
        and not path.startswith(NO_PAGES)
        and not path.endswith(FILES)
        and path not in ALIASES
        and ("/records/" not in path or path.endswith(RECORDS))
    ]


class _Nothing:
    """Stands for what a list of routes doesn't ask: nothing is opened, no page is made."""

    settings = Settings(debug=True)

    def __getattr__(self, name: str) -> object:
        return None


PAGES = list_pages(_Nothing())  # type: ignore[arg-type]
