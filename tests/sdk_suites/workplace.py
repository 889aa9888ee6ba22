"""What the suites need to find in a workspace, and the environment that tells them, as their README files ask."""

import uuid
from dataclasses import dataclass

from plane import OAuthClient, PlaneClient
from plane.models.enums import PropertyType
from plane.models.epics import CreateEpic
from plane.models.projects import CreateProject, ProjectFeature
from plane.models.work_item_properties import CreateWorkItemProperty, CreateWorkItemPropertyOption
from plane.models.work_item_property_configurations import TextAttributeSettings
from plane.models.work_item_types import CreateWorkItemType
from plane.models.work_items import CreateWorkItem

from tests.journeys.conftest import REDIRECT_URI, Stage, set_stage
from tests.support.servers import Server

AGENT = "courier"


@dataclass
class Workplace:
    """Workspace Acme with Ana's API key, a project with two work items, an epic and a type that has a property, and
    Courier installed as an agent."""

    stage: Stage
    installation_id: str
    api_key: str
    bot_token: str
    user_id: str
    project_id: str
    work_item_id: str
    type_id: str
    text_property_id: str

    @property
    def for_python(self) -> dict[str, str]:
        return {"WORKSPACE_SLUG": "acme", "AGENT_SLUG": AGENT}

    @property
    def for_node(self) -> dict[str, str]:
        return {
            "TEST_WORKSPACE_SLUG": "acme",
            "TEST_AGENT_SLUG": AGENT,
            "TEST_PROJECT_ID": self.project_id,
            "TEST_USER_ID": self.user_id,
            "TEST_WORK_ITEM_ID": self.work_item_id,
            "TEST_WORK_ITEM_ID_2": "ENG-2",
            "TEST_WORK_ITEM_TYPE_ID": self.type_id,
            "TEST_CUSTOM_TEXT_PROPERTY_ID": self.text_property_id,
            "TEST_CUSTOMER_ID": str(uuid.uuid4()),  # not served, but without it its tests aren't run
            "PLANE_CLIENT_ID": self.stage.client_id,
            "PLANE_CLIENT_SECRET": self.stage.client_secret,
            "PLANE_REDIRECT_URI": REDIRECT_URI,
            "PLANE_APP_INSTALLATION_ID": self.installation_id,
        }


def make_workplace(instance: Server) -> Workplace:
    stage = set_stage(instance, "--mentionable", "--webhook-url", "http://127.0.0.1:9/hook")
    installed = ("app", "install", stage.client_id, "--workspace", "acme", "--as", "ana@example.com")
    installation_id = instance.cli(*installed)["app_installation_id"]
    api_key = instance.cli("token", "create", "--user", "ana@example.com")["token"]
    app = OAuthClient(base_url=instance.url, client_id=stage.client_id, client_secret=stage.client_secret)
    ana = PlaneClient(base_url=instance.url, api_key=api_key)
    project = ana.projects.create("acme", CreateProject(name="Engine", identifier="ENG"))
    items = [
        ana.work_items.create("acme", project.id, CreateWorkItem(name=name)) for name in ("Wheel", "Axle")
    ]
    item_type = ana.work_item_types.create("acme", project.id, CreateWorkItemType(name="Bug"))
    text = CreateWorkItemProperty(
        display_name="Cause",
        property_type=PropertyType.TEXT,
        settings=TextAttributeSettings(display_format="single-line"),
    )
    add_workspace_types(ana)
    ana.projects.update_features("acme", project.id, ProjectFeature(epics=True))
    ana.epics.create("acme", project.id, CreateEpic(name="Launch"))
    return Workplace(
        stage,
        installation_id,
        api_key,
        bot_token=app.get_client_credentials_token(app_installation_id=installation_id).access_token,
        user_id=ana.users.get_me().id,
        project_id=project.id,
        work_item_id=items[0].id,
        type_id=item_type.id,
        text_property_id=ana.work_item_properties.create("acme", project.id, item_type.id, text).id,
    )


def add_workspace_types(ana: PlaneClient) -> None:
    """A type of the workspace, and a property with options for it, without which their tests are skipped."""
    ana.workspace_work_item_types.create("acme", CreateWorkItemType(name="Task"))
    options = [CreateWorkItemPropertyOption(name=name) for name in ("High", "Low")]
    severity = CreateWorkItemProperty(
        display_name="Severity", property_type=PropertyType.OPTION, options=options
    )
    ana.workspace_work_item_properties.create("acme", severity)
