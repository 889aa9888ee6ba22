"""An app's agent tab: whether people can mention its bot and assign work items to it."""

from airside.portal.app_form import EditApp


class AppAgent(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/agent/"""

    tab = "agent"
    template = "applications/agent.html"
    flags = ("is_mentionable",)
