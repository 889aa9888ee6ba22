"""THE LIST of the pages of agents."""

from airside.portal.agents.pages import AgentRun, AgentRuns, Agents, AnswerRun, StopRun
from airside.runtime.site import Site
from airside.work.access import RoleAccess

RUN = "/{slug}/agents/runs/{run_id}"


def agent_routes(site: Site) -> list[tuple[str, object]]:
    """Path without its trailing slash → resource."""
    access = RoleAccess()
    return [
        ("/{slug}/agents", Agents(site, access)),
        ("/{slug}/agents/{agent_id}", AgentRuns(site, access)),
        (RUN, AgentRun(site, access)),
        (f"{RUN}/stop", StopRun(site, access)),
        (f"{RUN}/answer", AnswerRun(site, access)),
    ]
