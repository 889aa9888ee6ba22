"""Every action of plane-mcp-server, with arguments from what earlier calls created, and what has to come of it.

`$name` in arguments stands for the id of what a call kept as `name`; `$name.path.0` for a field of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TODAY = datetime.now().astimezone().date()  # as the server takes it
ON = dict.fromkeys(("modules", "cycles", "views", "pages", "intakes", "workitem_types", "epics"), True)


def day(offset: int) -> str:
    return (TODAY + timedelta(days=offset)).isoformat()


@dataclass(frozen=True)
class Call:
    """One call of a tool. Its result has the fields of `shows`, mentions all of `lists` and none of `lacks`."""

    tool: str
    action: str
    arguments: dict[str, Any]
    keeps: str = ""
    shows: dict[str, Any] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    refused: str = ""  # words with which it has to be refused


class Tool:
    """Calls of one tool that have arguments in common."""

    def __init__(self, name: str, **common: Any) -> None:
        self.name, self.common = name, common

    def __call__(
        self,
        action: str,
        keeps: str = "",
        shows: dict[str, Any] | None = None,
        lists: tuple[str, ...] = (),
        lacks: tuple[str, ...] = (),
        refused: str = "",
        **arguments: Any,
    ) -> Call:
        return Call(self.name, action, self.common | arguments, keeps, shows or {}, lists, lacks, refused)


def all_calls() -> Iterator[Call]:
    """In the order in which a person would come to them."""
    yield from of_workspace()
    yield from of_project()
    yield from of_estimates()
    yield from of_work_items()
    yield from of_what_items_have()
    yield from of_types_and_properties()
    yield from of_relations()
    yield from of_planning()
    yield from of_intake()
    yield from of_collections()
    yield from of_pages()
    yield from of_customers()
    yield from of_initiatives()
    yield from of_releases()
    yield from of_templates()
    yield from of_endings()


def of_workspace() -> Iterator[Call]:
    workspace, member = Tool("workspace"), Tool("member")
    yield Tool("get_pql_reference")("read", detail="brief", lists=("priority",))
    yield workspace("retrieve", shows={"slug": "acme"})
    yield workspace("update_features", wiki=True, customers=True, initiatives=True, shows={"wiki": True})
    yield workspace("get_features", shows={"wiki": True, "customers": True, "initiatives": True})
    yield member("me", "ana", shows={"email": "ana@example.com"})
    yield member("list_workspace", "members", lists=("$ana", "ben@example.com"))
    yield member(
        "list_workspace", "found", email="ben@example.com", lists=("ben@example.com",), lacks=("$ana",)
    )
    yield member("list_roles", "roles", namespace="project", lists=("contributor",))
    yield member("retrieve_role", role_id="$roles.results.0.id", shows={"slug": "$roles.results.0.slug"})


def of_project() -> Iterator[Call]:
    project = Tool("project")
    yield project(
        "create", "project", name="Apollo", identifier="APO", description="To the moon", timezone="Europe/Paris",
        project_lead="$ana", shows={"name": "Apollo", "identifier": "APO", "project_lead": "$ana"},
    )  # fmt: skip
    yield project("list", lists=("$project",))
    yield project("update_features", project_id="$project", **ON, shows={"epics": True, "intakes": True})
    yield project(
        "get_features", project_id="$project", shows={"modules": True, "cycles": True, "pages": True}
    )
    yield project(
        "update", project_id="$project", name="Apollo 11", description="To the moon and back", network=2,
        is_time_tracking_enabled=True, shows={"name": "Apollo 11", "network": 2},
    )  # fmt: skip
    yield project(
        "retrieve", project_id="$project", shows={"name": "Apollo 11", "is_time_tracking_enabled": True}
    )
    yield Tool("member")("list_project", project_id="$project", lists=("$ana",))
    label = Tool("label", project_id="$project")
    yield label("create", "label", name="Crew", color="#EF4444", shows={"name": "Crew", "color": "#EF4444"})
    yield label(
        "create", "other_label", name="Fuel", parent="$label", sort_order=5, shows={"parent": "$label"}
    )
    yield label("update", label_id="$label", name="Crewed", shows={"name": "Crewed", "color": "#EF4444"})
    yield label("retrieve", label_id="$label", shows={"name": "Crewed"})
    yield label("list", lists=("$label", "$other_label"))
    state = Tool("state", project_id="$project")
    yield state(
        "create", "state", name="In flight", color="#3B82F6", group="started", shows={"group": "started"}
    )
    yield state(
        "update", state_id="$state", description="After launch", shows={"description": "After launch"}
    )
    yield state("retrieve", state_id="$state", shows={"name": "In flight", "description": "After launch"})
    yield state(
        "create", "landed", name="Landed", color="#10B981", group="completed", shows={"group": "completed"}
    )
    yield state("list", lists=("$state", "$landed"))
    everywhere = Tool("state")
    yield everywhere("list", lists=("$state",))


def of_estimates() -> Iterator[Call]:
    estimate = Tool("project_estimate", project_id="$project")
    yield estimate("create", "estimate", name="Size", type="points", shows={"name": "Size", "type": "points"})
    yield estimate("update", description="How large it is", shows={"description": "How large it is"})
    yield estimate("retrieve", shows={"id": "$estimate", "description": "How large it is"})
    points = '[{"value": "1", "key": 0}, {"value": "5", "key": 1}, {"value": "8", "key": 2}]'
    yield estimate("create_points", "points", estimate_id="$estimate", points=points, lists=('"8"',))
    yield estimate("list_points", "points", estimate_id="$estimate", lists=('"1"', '"5"', '"8"'))
    one = {"estimate_id": "$estimate", "estimate_point_id": "$points.0.id"}
    yield estimate("update_point", **one, value="2", shows={"value": "2"})
    yield estimate("delete_point", estimate_id="$estimate", estimate_point_id="$points.2.id")
    yield estimate("list_points", estimate_id="$estimate", lists=("$points.0.id",), lacks=("$points.2.id",))
    yield estimate("link", estimate_id="$estimate", shows={"id": "$project"})


def of_work_items() -> Iterator[Call]:
    item = Tool("workitem", project_id="$project")
    yield item(
        "create", "item", name="Build the rocket", priority="high", labels=["$label"], state="$state",
        description_html="<p>Three stages</p>", start_date=day(0), target_date=day(9),
        estimate_point="$points.1.id",
        shows={"name": "Build the rocket", "priority": "high", "state": "$state", "estimate_point": "$points.1.id"},
    )  # fmt: skip
    yield item("create", "child", name="First stage", parent="$item", shows={"parent": "$item"})
    yield item("create", "other", name="Choose a crew", description_stripped="Who flies?")
    yield item(
        "update", workitem_id="$child", priority="urgent", target_date=None, shows={"priority": "urgent"}
    )
    yield item("manage_assignee", workitem_id="$item", add_user_id="$ana", lists=("$ana",))
    yield item(
        "manage_label", workitem_id="$item", add_label_id="$other_label", lists=("$label", "$other_label")
    )
    yield item("manage_label", workitem_id="$item", remove_label_id="$label", lacks=("$label",))
    yield item(
        "retrieve", workitem_id="$item", expand="assignees,labels", lists=("$ana", "Fuel"), lacks=("Crewed",)
    )
    yield item("list", lists=("$item", "$child", "$other"))
    yield item("list", pql='priority = "urgent"', lists=("$child",), lacks=("$other",))
    yield item(
        "list", order_by="-created_at", per_page=1, fields="id,name", lists=("$other",), lacks=("$child",)
    )
    everywhere = Tool("workitem")
    yield everywhere("list", pql="assignee = currentUser()", lists=("$item",), lacks=("$other",))
    yield everywhere("search", query="rocket", lists=("$item",), lacks=("$other",))
    yield everywhere("retrieve_by_identifier", workitem_identifier="APO-1", shows={"id": "$item"})
    yield item("count", group_by="priority", lists=("urgent", "high"))
    yield everywhere(
        "count", pql="stateGroup IN openStates()", group_by="state__group", sub_group_by="priority"
    )
    yield item("create", "done", name="Name the mission", state="$landed")
    yield item("archive", workitem_id="$item", refused="completed or cancelled")
    yield item("archive", workitem_id="$done", shows={"archived": True})
    yield item("list_archived", lists=("$done",), lacks=("$item",))
    yield item("archive", workitem_id="$done", archive=False, shows={"archived": False})
    yield item("list_archived", lacks=("$done",))
    yield item("delete", workitem_id="$done")
    yield item("list", lists=("$item",), lacks=("$done",))


def of_what_items_have() -> Iterator[Call]:
    at = {"project_id": "$project", "workitem_id": "$item"}
    comment = Tool("workitem_comment", **at)
    yield comment("create", "comment", comment_html="<p>@[$ana] ready?</p>", lists=("ready?",))
    yield comment("update", comment_id="$comment", comment_html="<p>All ready</p>", lists=("All ready",))
    yield comment("retrieve", comment_id="$comment", lists=("All ready",))
    yield comment("list", lists=("$comment",))
    yield comment("create", comment_html="", refused="comment_html")
    yield comment("delete", comment_id="$comment")
    yield comment("list", lacks=("$comment",))
    link = Tool("workitem_link", **at)
    yield link(
        "create", "link", url="https://example.com/plan", title="The plan", shows={"title": "The plan"}
    )
    yield link("update", link_id="$link", title="Flight plan", shows={"title": "Flight plan"})
    yield link("retrieve", link_id="$link", shows={"url": "https://example.com/plan", "title": "Flight plan"})
    yield link("list", lists=("$link",))
    yield link("delete", link_id="$link")
    yield link("list", lacks=("$link",))
    log = Tool("work_log", **at)
    yield log("create", "log", duration=90, description="Welding", shows={"duration": 90})
    yield log("update", work_log_id="$log", duration=120, shows={"duration": 120, "description": "Welding"})
    yield log("list", lists=("$log",))
    yield Tool("project")("worklog_summary", project_id="$project", lists=("$item", "120"))
    yield log("delete", work_log_id="$log")
    yield log("list", lacks=("$log",))
    activity = Tool("workitem_activity", **at)
    yield activity("list", "activities", lists=("labels", "assignees"))
    yield activity(
        "retrieve", activity_id="$activities.results.0.id", shows={"id": "$activities.results.0.id"}
    )
    attachment = Tool("workitem_attachment", **at)
    yield attachment(
        "upload_from_url", "attachment", url="$file_url", name="notes.txt", shows={"name": "notes.txt"}
    )
    yield attachment("list", lists=("$attachment", "notes.txt"))
    yield attachment("read", attachment_id="$attachment", lists=("Notes of the mission",))
    yield attachment("download_url", attachment_id="$attachment", lists=("http",))
    yield attachment("delete", attachment_id="$attachment")
    yield attachment("list", lacks=("$attachment",))


def of_types_and_properties() -> Iterator[Call]:
    kind = Tool("workitem_type", project_id="$project")
    yield kind("create", "type", name="Bug", description="A defect", shows={"name": "Bug"})
    yield kind("update", workitem_type_id="$type", description="A fault", shows={"description": "A fault"})
    yield kind("retrieve", workitem_type_id="$type", shows={"name": "Bug", "description": "A fault"})
    yield kind("resolve", name="Bug", shows={"id": "$type"})
    yield kind("resolve", "resolved", name="Chore", shows={"name": "Chore"})
    yield kind("list", lists=("$type", "$resolved"))
    of_all = Tool("workitem_type")
    yield of_all("create", "shared_type", name="Incident", shows={"name": "Incident"})
    yield of_all("list", lists=("$shared_type",))
    yield of_all("retrieve", workitem_type_id="$shared_type", shows={"name": "Incident"})
    yield kind("import_to_project", workitem_type_ids="$shared_type")
    yield kind("list", lists=("$shared_type",))
    yield Tool("workitem")(
        "update", project_id="$project", workitem_id="$item", type_id="$type", lists=("$type",)
    )
    yield from of_properties()
    yield kind("delete", workitem_type_id="$resolved")
    yield kind("list", lists=("$type",), lacks=("$resolved",))


def of_properties() -> Iterator[Call]:
    typed = Tool("workitem_property", project_id="$project", workitem_type_id="$type")
    prop = Tool("workitem_property", project_id="$project")
    yield typed("create", "text", display_name="Cause", property_type="TEXT", shows={"display_name": "Cause"})
    yield typed(
        "create", "choice", display_name="Severity", property_type="OPTION",
        options='[{"name": "Low"}, {"name": "High", "is_default": true}]', lists=("High",),
    )  # fmt: skip
    yield prop("create", "when", display_name="Seen at", property_type="DATETIME", lists=("Seen at",))
    yield prop("manage_type_properties", workitem_type_id="$type", attach_ids="$when")
    yield typed("list", lists=("$text", "$choice", "$when"))
    yield prop("list", lists=("$text", "$choice"))
    yield prop("retrieve", workitem_property_id="$text", shows={"display_name": "Cause"})
    yield prop("update", workitem_property_id="$text", description="Why it broke", lists=("Why it broke",))
    yield prop("create_option", "option", property_id="$choice", name="Medium", shows={"name": "Medium"})
    yield prop(
        "update_option", property_id="$choice", option_id="$option", name="Middling", lists=("Middling",)
    )
    yield prop("retrieve_option", property_id="$choice", option_id="$option", shows={"name": "Middling"})
    yield prop("list_options", property_id="$choice", lists=("Low", "High", "Middling"))
    value = Tool("workitem_property", project_id="$project", workitem_id="$item")
    yield value("set_value", property_id="$text", value="A loose screw", lists=("A loose screw",))
    yield value("get_value", property_id="$text", lists=("A loose screw",))
    yield value("set_value", property_id="$choice", value="$option", lists=("$option",))
    yield value("set_value", property_id="$when", value=day(-1), lists=(day(-1),))
    yield value("delete_value", property_id="$text")
    yield prop("delete_option", property_id="$choice", option_id="$option")
    yield prop("list_options", property_id="$choice", lists=("Low",), lacks=("$option",))
    yield prop("manage_type_properties", workitem_type_id="$type", detach_ids="$when")
    yield prop("delete", workitem_property_id="$text")
    yield typed("list", lists=("$choice",), lacks=("$text", "$when"))
    yield Tool("workitem_property")("list")


def of_relations() -> Iterator[Call]:
    relation = Tool("workitem_relation")
    at = {"project_id": "$project", "workitem_id": "$item"}
    yield relation("create_definition", "definition", name="Tests", outward="tests", inward="is tested by")
    yield relation("update_definition", definition_id="$definition", color="#EF4444", lists=("#EF4444",))
    yield relation("list_definitions", lists=("$definition", "blocked_by"))
    yield relation("create", **at, workitem_ids=["$other"], relation_type="blocking")
    yield relation(
        "create", **at, workitem_ids=["$child"], relation_definition_id="$definition",
        relation_definition_label="tests",
    )  # fmt: skip
    yield relation("list", **at, lists=("$other", "$child", "tests"))
    yield relation("delete", **at, related_workitem_id="$other", is_dependency=True)
    yield relation("delete", **at, related_workitem_id="$child")
    yield relation("list", **at, lacks=("$other", "$child"))
    yield relation("delete_definition", definition_id="$definition")
    yield relation("list_definitions", lacks=("$definition",))


def of_planning() -> Iterator[Call]:
    milestone = Tool("milestone", project_id="$project")
    yield milestone("create", "milestone", title="Launch", target_date=day(20), shows={"title": "Launch"})
    yield milestone("update", milestone_id="$milestone", title="Lift-off", shows={"title": "Lift-off"})
    yield milestone(
        "retrieve", milestone_id="$milestone", shows={"title": "Lift-off", "target_date": day(20)}
    )
    yield milestone("list", lists=("$milestone",))
    yield milestone("manage_workitems", milestone_id="$milestone", add_ids="$item,$other")
    yield milestone("list_workitems", milestone_id="$milestone", lists=("$item", "$other"))
    yield milestone("manage_workitems", milestone_id="$milestone", remove_ids="$other")
    yield milestone("list_workitems", milestone_id="$milestone", lists=("$item",), lacks=("$other",))
    yield milestone("delete", milestone_id="$milestone")
    yield milestone("list", lacks=("$milestone",))
    module = Tool("module", project_id="$project")
    yield module(
        "create", "module", name="Engines", status="planned", start_date=day(0), target_date=day(30), lead="$ana",
        members="$ana", shows={"name": "Engines", "status": "planned", "lead": "$ana"},
    )  # fmt: skip
    yield module("update", module_id="$module", status="in-progress", shows={"status": "in-progress"})
    yield module("retrieve", module_id="$module", shows={"name": "Engines", "status": "in-progress"})
    yield module("list", lists=("$module",))
    yield module("manage_workitems", module_id="$module", add_ids='["$item", "$other"]')
    yield module(
        "list_workitems", module_id="$module", pql='priority = "high"', lists=("$item",), lacks=("$other",)
    )
    yield module("manage_workitems", module_id="$module", remove_ids="$item")
    yield module("list_workitems", module_id="$module", lists=("$other",), lacks=("$item",))
    yield module("update", module_id="$module", status="completed")
    yield module("archive", module_id="$module")
    yield module("list", archived=True, lists=("$module",))
    yield module("unarchive", module_id="$module")
    yield module("list", lists=("$module",))
    yield module("delete", module_id="$module")
    yield module("list", lacks=("$module",))
    yield from of_cycles()


def of_cycles() -> Iterator[Call]:
    cycle = Tool("cycle", project_id="$project")
    yield cycle(
        "create", "cycle", name="Sprint 1", owned_by="$ana", start_date=day(-7), end_date=day(3),
        shows={"name": "Sprint 1", "owned_by": "$ana"},
    )  # fmt: skip
    yield cycle("create", "next", name="Sprint 2", owned_by="$ana", start_date=day(4), end_date=day(14))
    yield cycle("update", cycle_id="$cycle", description="The first", shows={"description": "The first"})
    yield cycle("retrieve", cycle_id="$cycle", shows={"name": "Sprint 1", "description": "The first"})
    yield cycle("list", lists=("$cycle", "$next"))
    yield cycle("list", status="current", lists=("$cycle",), lacks=("$next",))
    yield cycle("list", status="upcoming", lists=("$next",), lacks=("$cycle",))
    yield cycle("manage_workitems", cycle_id="$cycle", add_ids="$item,$other")
    yield cycle("manage_workitems", cycle_id="$cycle", remove_ids="$other")
    yield cycle("list_workitems", cycle_id="$cycle", lists=("$item",), lacks=("$other",))
    yield cycle("complete", cycle_id="$cycle", lists=(day(0),))
    yield cycle("transfer_workitems", cycle_id="$cycle", new_cycle_id="$next")
    yield cycle("list_workitems", cycle_id="$next", lists=("$item",))
    yield cycle("archive", cycle_id="$cycle")
    yield cycle("list", archived=True, lists=("$cycle",))
    yield cycle("unarchive", cycle_id="$cycle")
    yield cycle("list", lists=("$cycle", "$next"))
    yield cycle("delete", cycle_id="$cycle")
    yield cycle("list", lists=("$next",), lacks=("$cycle",))


def of_intake() -> Iterator[Call]:
    intake = Tool("intake", project_id="$project")
    names = ("valve", "spam", "later", "again")
    for name in names:
        yield intake(
            "create", name, name=name, description_html="<p>Please</p>", priority="low", lists=(name,)
        )
    yield intake("list", lists=names)
    yield intake("retrieve", workitem_id="$valve.issue", lists=("valve",))
    yield intake("update", workitem_id="$valve.issue", source="EMAIL", source_email="ben@example.com")
    yield intake("update", workitem_id="$valve.issue", status=1, shows={"status": 1})
    yield Tool("workitem")("list", project_id="$project", lists=("$valve.issue",), lacks=("$spam.issue",))
    yield intake("update", workitem_id="$later.issue", status=0, snoozed_till=day(5), shows={"status": 0})
    yield intake("update", workitem_id="$again.issue", status=2, duplicate_to="$item", shows={"status": 2})
    yield intake("update", workitem_id="$spam.issue", status=-1, shows={"status": -1})
    yield intake("delete", workitem_id="$spam.issue")
    yield intake("list", lacks=("$spam.issue",))


def of_collections() -> Iterator[Call]:
    collection, page = Tool("collection"), Tool("page")
    yield collection("create", "collection", name="Handbook", access="public", shows={"name": "Handbook"})
    yield collection("create", "private", name="Board", access="private", shows={"name": "Board"})
    yield collection(
        "update", collection_id="$collection", name="The handbook", shows={"name": "The handbook"}
    )
    yield collection("retrieve", collection_id="$collection", shows={"name": "The handbook"})
    yield collection("list", lists=("$collection", "$private"))
    yield page("create", "filed", name="Safety", description_html="<p>Helmets</p>", shows={"name": "Safety"})
    yield collection("search_pages", collection_id="$collection", search="Safe", lists=("$filed",))
    yield collection(
        "add_pages", "memberships", collection_id="$collection", page_ids="$filed", lists=("$filed",)
    )
    yield collection("list_pages", collection_id="$collection", lists=("$filed", "$memberships.0.id"))
    at = {"collection_id": "$collection", "page_collection_id": "$memberships.0.id"}
    yield collection("remove_page", **at)
    yield collection("list_pages", collection_id="$collection", lacks=("$filed",))
    yield page("set_collection", page_id="$filed", collection_id="$collection", lists=("$filed",))
    yield page("set_collection", page_id="$filed", collection_id="$private", lists=("$private",))
    yield collection("list_pages", collection_id="$private", lists=("$filed",))
    ben = {"collection_id": "$private", "collection_member_id": "$joined.id"}
    yield collection(
        "add_member",
        "joined",
        collection_id="$private",
        user_id="$ben",
        member_access="view",
        lists=("$ben",),
    )
    yield collection("update_member", **ben, member_access="edit")
    yield collection("list_members", collection_id="$private", lists=("$ben", "$joined.id"))
    yield collection("remove_member", **ben)
    yield collection("list_members", collection_id="$private", lacks=("$joined.id",))
    yield collection("delete", collection_id="$private", archive_pages=False)
    yield collection("list", lists=("$collection",), lacks=("$private",))
    yield page("retrieve", page_id="$filed", shows={"name": "Safety"})


def of_pages() -> Iterator[Call]:
    page, linked = Tool("page"), Tool("page", project_id="$project", workitem_id="$item")
    local = Tool("page", project_id="$project")
    yield local(
        "create", "page", name="Checklist", description_html="<p>Fuel</p>", shows={"name": "Checklist"}
    )
    yield local(
        "create", "below", name="Fuel", description_html="<p>Kerosene</p>", parent_id="$page",
        shows={"parent_id": "$page"},
    )  # fmt: skip
    yield local("update", page_id="$page", name="The checklist", shows={"name": "The checklist"})
    yield local("retrieve", page_id="$page", shows={"name": "The checklist"})
    yield local("list", lists=("$page", "$below"), lacks=("$filed",))
    yield page("list", lists=("$filed",))
    yield linked("attach_to_workitem", "page_link", page_id="$page")
    yield linked("list_workitem_pages", lists=("$page_link",))
    yield linked("detach_from_workitem", workitem_page_id="$page_link")
    yield linked("list_workitem_pages", lacks=("$page_link",))
    yield local("delete", page_id="$page", refused="archived")
    yield local("archive", page_id="$page", shows={"archived": True})
    yield local("delete", page_id="$page")
    yield page("archive", page_id="$filed", shows={"archived": True})
    yield page("archive", page_id="$filed", archive=False, shows={"archived": False})
    yield page("update", page_id="$filed", description_html="<p>Helmets and gloves</p>")
    yield page("retrieve", page_id="$filed", lists=("gloves",))


def of_customers() -> Iterator[Call]:
    customer = Tool("customer")
    yield customer(
        "create", "customer", name="Luna Inc", email="hi@luna.example", stage="lead", lists=("Luna Inc",)
    )
    at = {"customer_id": "$customer"}
    yield customer("update", **at, employees=12, shows={"employees": 12})
    yield customer("retrieve", **at, shows={"name": "Luna Inc", "employees": 12})
    yield customer("list", query="Luna", lists=("$customer",))
    yield customer("manage_workitems", **at, link_ids="$item")
    yield customer("list_workitems", **at, lists=("$item",))
    request = Tool("customer_request", **at)
    yield request("create", "request", name="A window", workitem_ids="$other", lists=("A window",))
    yield request("update", request_id="$request", name="Two windows", shows={"name": "Two windows"})
    yield request("retrieve", request_id="$request", shows={"name": "Two windows"})
    yield request("list", lists=("$request",))
    yield request("delete", request_id="$request")
    prop = Tool("customer_property")
    yield prop("create", "plan", display_name="Plan", property_type="TEXT", display_format="single-line")
    yield prop("update", property_id="$plan", description="What they pay for", lists=("What they pay for",))
    yield prop("retrieve", property_id="$plan", shows={"display_name": "Plan"})
    yield prop("list", lists=("$plan",))
    yield prop("set_values", **at, values='{"$plan": ["Enterprise"]}')
    yield prop("get_values", **at, lists=("Enterprise",))
    yield prop("delete", property_id="$plan")
    yield customer("delete", **at)


def of_initiatives() -> Iterator[Call]:
    initiative, at = Tool("initiative"), {"initiative_id": "$initiative"}
    yield initiative("create", "initiative", name="Moon", state="PLANNED", lead="$ana", lists=("Moon",))
    yield initiative("update", **at, state="ACTIVE", shows={"state": "ACTIVE"})
    yield initiative("retrieve", **at, shows={"name": "Moon", "state": "ACTIVE"})
    yield initiative("list", lists=("$initiative",))
    yield initiative("add_projects", **at, project_ids="$project")
    yield initiative("list_projects", **at, lists=("$project",))
    yield initiative("remove_projects", **at, project_ids="$project")
    yield initiative("manage_workitems", **at, add_ids="$item")
    yield initiative("list_workitems", **at, lists=("$item",))
    yield initiative("delete", **at)


def of_releases() -> Iterator[Call]:
    tag, label = Tool("release_tag"), Tool("release_label")
    yield tag("create", "tag", version="v1.0.0", git_tag="v1.0.0", shows={"version": "v1.0.0"})
    yield tag("update", tag_id="$tag", description="The first", shows={"description": "The first"})
    yield tag("retrieve", tag_id="$tag", shows={"version": "v1.0.0"})
    yield tag("list", lists=("$tag",))
    release, at = Tool("release"), {"release_id": "$release"}
    yield release("create", "release", name="One", tag_id="$tag", lead_id="$ana", lists=("One",))
    yield release("update", **at, status="released", shows={"status": "released"})
    yield release("retrieve", **at, shows={"name": "One", "status": "released"})
    yield release("list", lists=("$release",))
    yield release("update_changelog", **at, description_html="<p>It flies</p>")
    yield release("get_changelog", **at, lists=("It flies",))
    yield release("manage_workitems", **at, add_ids="$item")
    yield release("list_workitems", **at, lists=("$item",))
    yield label("create", "release_label", name="Stable", color="#4E5355", lists=("Stable",))
    yield label("update", label_id="$release_label", name="Steady", shows={"name": "Steady"})
    yield label("attach", **at, label_ids="$release_label")
    yield label("list", **at, lists=("$release_label",))
    yield label("detach", **at, label_ids="$release_label")
    yield label("delete", label_id="$release_label")
    yield release("delete", **at)
    yield tag("delete", tag_id="$tag")


def of_templates() -> Iterator[Call]:
    template = Tool("template", kind="workitem", project_id="$project")
    yield template("create", "template", name="Spec", template_data='{"name": "Spec", "priority": "medium"}')
    yield template("update", template_id="$template", name="A spec", lists=("A spec",))
    yield template("list", lists=("$template",))
    yield template("delete", template_id="$template")


def of_endings() -> Iterator[Call]:
    """What takes away that on which the calls above build."""
    estimate, at = Tool("project_estimate", project_id="$project"), {"project_id": "$project"}
    yield estimate("delete")
    yield Tool("label")("delete", **at, label_id="$label")
    yield Tool("label")("list", **at, lacks=("$label",))
    yield Tool("state")("create", "unused", **at, name="Unused", color="#000000", group="started")
    yield Tool("state")("delete", **at, state_id="$unused")
    yield Tool("state")("list", **at, lists=("$state",), lacks=("$unused",))
    yield Tool("collection")("delete", collection_id="$collection")
    yield Tool("page")("archive", page_id="$filed")
    yield Tool("page")("delete", page_id="$filed")
    yield Tool("page")("list", lacks=("$filed",))
    project = Tool("project", **at)
    yield project("archive")
    yield Tool("project")("list", lacks=("$project",))
    yield project("unarchive")
    yield Tool("project")("list", lists=("$project",))
    yield project("delete")
    yield Tool("project")("list", lacks=("$project",))
