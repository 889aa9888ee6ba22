"""An app's agent tab: whether people can mention its bot and assign work items to it, and what it needs."""

from typing import Any

from airside.apps.scopes import ceiling_of, covers
from airside.db.base import Row
from airside.portal.applications.form import EditApp
from airside.portal.applications.pages import tab_path
from airside.portal.forms import Form
from airside.portal.visit import Visit

NEEDED = ("agents.runs:read", "agents.run_activities:write")


class AppAgent(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/agent/"""

    tab = "agent"
    template = "applications/agent.html"
    flags = ("is_mentionable",)

    def more(self, visit: Visit, app: Row, form: Form | None) -> dict[str, Any]:
        missing = [scope for scope in NEEDED if not covers(ceiling_of(app["scopes"]), scope)]
        return {
            "steps": [
                {
                    "title": "Receive runs",
                    "sentence": "agent_run_create and agent_run_user_prompt are posted to the webhook URL. Act on "
                    "agent_run_user_prompt: what a person asks is in it, the first time too.",
                    "is_done": app["webhook_url"] is not None,
                    "href": f"{tab_path(visit, app, 'webhooks')}edit/",
                    "words": "Add the URL",
                },
                {
                    "title": "Answer them",
                    "sentence": f"To report what it does, it asks for {' and '.join(missing or NEEDED)}.",
                    "is_done": not missing,
                    "href": f"{tab_path(visit, app, 'oauth')}edit/#scopes",
                    "words": "Add the scopes",
                },
            ]
        }
