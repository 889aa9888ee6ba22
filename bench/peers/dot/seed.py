"""Creates the peer's tables and records, and prints the ids the load needs as one JSON object.

python -m dot.seed WORK_ITEMS [--hash-secret]
"""

import argparse
import json
from datetime import timedelta

import django

CLIENT_ID = "bench-client"
CLIENT_SECRET = "bench-secret-that-is-as-long-as-a-real-one-would-be"
SLUG = "bench"


def create_client(hash_secret: bool) -> None:
    from oauth2_provider.models import Application

    Application.objects.create(
        name="Bench",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        hash_client_secret=hash_secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )


def create_records(work_items: int) -> dict[str, str]:
    """A workspace, a project, a label and the work items; answers with the ids of one of each."""
    from django.utils import timezone

    from dot.models import Label, Project, WorkItem, Workspace

    workspace = Workspace.objects.create(slug=SLUG, name="Bench")
    project = Project.objects.create(workspace=workspace, name="Bench", identifier="BENCH")
    label = Label.objects.create(workspace=workspace, project=project, name="measured", color="#336699")
    start = timezone.now()
    items = [
        WorkItem(
            workspace=workspace,
            project=project,
            name=f"Work item {number}",
            sequence_id=number,
            created_at=start + timedelta(microseconds=number),
        )
        for number in range(1, work_items + 1)
    ]
    WorkItem.objects.bulk_create(items, batch_size=1000)
    middle = items[work_items // 2]
    return {"project": str(project.id), "label": str(label.id), "work_item": str(middle.id)}


def tidy_tables() -> None:
    """What autovacuum would do in time: statistics and the visibility map, which COUNT(*) reads."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work_items", type=int)
    parser.add_argument("--hash-secret", action="store_true")
    options = parser.parse_args()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    create_client(options.hash_secret)
    ids = create_records(options.work_items)
    tidy_tables()
    print(json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "slug": SLUG, **ids}))


if __name__ == "__main__":
    main()
