"""The fault harness at a small size; `make faults-refresh` runs it at full size."""

from pathlib import Path

import pytest

from tests.faults.refresh import grid, run_crashes, run_races, run_redemptions

pytestmark = [pytest.mark.parametrize("kind", ["sqlite", "postgres"]), pytest.mark.timeout(300)]


async def test_rf4_concurrent_refreshes_get_the_same_working_pair_and_a_code_only_one(
    kind: str, tmp_path: Path
) -> None:
    async with grid(kind, tmp_path, servers=2) as servers:
        await run_races(servers, races=60, families=4)
        await run_redemptions(servers, codes=3)
        assert servers.findings.lost == []
        assert (servers.findings.races, servers.findings.redemptions) == (60, 3)


async def test_rf4_a_killed_server_logs_nobody_out(kind: str, tmp_path: Path) -> None:
    async with grid(kind, tmp_path, servers=1) as servers:
        await run_crashes(servers, kills=3, clients=8)
        assert servers.findings.lost == []
        assert servers.findings.kills == 3
