"""Tables of agent runs and their activities."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key

agent_runs = sa.Table(
    "agent_runs",
    metadata,
    *tenant_key(),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, nullable=False),
    sa.Column("agent_user_id", Id, nullable=False),  # the app's bot
    sa.Column("creator_id", Id, nullable=False),
    sa.Column("project_id", Id),
    sa.Column("issue_id", Id),
    sa.Column("comment_id", Id),  # the first comment of its thread; null until there is one
    sa.Column("source_comment_id", Id),  # the comment with the mention; null for an assignment
    sa.Column("status", sa.Text, nullable=False),  # see statuses.py
    sa.Column("type", sa.Text, nullable=False),  # comment_thread
    sa.Column("external_link", sa.Text),  # to the agent's own log of the run
    sa.Column("error_metadata", Json),
    sa.Column("refused_for", sa.Text),  # depth | rate: refused by a guard, see guards.py
    sa.Column(
        "depth", sa.Integer, nullable=False
    ),  # 0 if opened by a person; one more for each agent in the chain
    sa.Column("last_sequence", sa.Integer, nullable=False),  # of its activities
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("stopped_at", Instant),  # when the stop was requested
    sa.Column("stopped_by_id", Id),
    sa.Column("asked_at", Instant, nullable=False),  # when it was opened or last prompted
    sa.Column("first_activity_at", Instant),  # by the agent
    sa.Column("answered_at", Instant),  # the agent's latest activity
    sa.Column("last_activity_at", Instant, nullable=False),  # by the agent or a person
    *stamps(),
)
sa.Index(
    "ix_agent_runs_thread",
    agent_runs.c.workspace_id,
    agent_runs.c.comment_id,
    sqlite_where=agent_runs.c.comment_id.is_not(None),
    postgresql_where=agent_runs.c.comment_id.is_not(None),
)
sa.Index(
    "ix_agent_runs_issue",
    agent_runs.c.workspace_id,
    agent_runs.c.issue_id,
    sqlite_where=agent_runs.c.issue_id.is_not(None),
    postgresql_where=agent_runs.c.issue_id.is_not(None),
)
sa.Index(
    "ix_agent_runs_agent",
    agent_runs.c.workspace_id,
    agent_runs.c.agent_user_id,
    agent_runs.c.created_at.desc(),
    agent_runs.c.id.desc(),
)
sa.Index(
    "ix_agent_runs_newest",
    agent_runs.c.workspace_id,
    agent_runs.c.created_at.desc(),
    agent_runs.c.id.desc(),
)
_expected = agent_runs.c.status.in_(("created", "in_progress", "stopping"))
sa.Index(
    "ix_agent_runs_expected",  # runs that can time out
    agent_runs.c.last_activity_at,
    sqlite_where=_expected,
    postgresql_where=_expected,
)

agent_run_activities = sa.Table(
    "agent_run_activities",
    metadata,
    *tenant_key(),
    sa.Column("agent_run_id", Id, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),  # 1, 2, 3 … within its run
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("content_metadata", Json),
    sa.Column("ephemeral", sa.Boolean, nullable=False),
    sa.Column("signal", sa.Text, nullable=False),
    sa.Column("signal_metadata", Json),
    sa.Column("comment_id", Id),  # the comment with its content in the thread
    sa.Column("actor_id", Id),
    sa.Column("project_id", Id),
    *stamps(),
    sa.UniqueConstraint("workspace_id", "agent_run_id", "sequence"),
)
sa.Index(
    "ix_agent_run_activities_comment",
    agent_run_activities.c.workspace_id,
    agent_run_activities.c.comment_id,
    sqlite_where=agent_run_activities.c.comment_id.is_not(None),
    postgresql_where=agent_run_activities.c.comment_id.is_not(None),
)
