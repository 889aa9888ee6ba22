"""A project to plan in."""

import pytest_asyncio

from tests.support.workshop import Workshop
from tests.work.planning.scene import Project, make_planned_project


@pytest_asyncio.fixture(loop_scope="module")
async def project(workshop: Workshop) -> Project:
    return await make_planned_project(workshop)
