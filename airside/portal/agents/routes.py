"""THE LIST of the pages of agents."""

from airside.host.chosen import host_of
from airside.portal.agents.pages import AgentRun, AgentRuns, Agents, AnswerRun, StopRun
from airside.runtime.site import Site

RUN = "/{slug}/agents/runs/{run_id}"


def agent_routes(site: Site) -> list[tuple[str, object]]:
    """Path without its trailing slash → resource."""
    access = host_of(site).access
    return [
        ("/{slug}/agents", Agents(site, access)),
        ("/{slug}/agents/{agent_id}", AgentRuns(site, access)),
        (RUN, AgentRun(site, access)),
        (f"{RUN}/stop", StopRun(site, access)),
        (f"{RUN}/answer", AnswerRun(site, access)),
    ]
