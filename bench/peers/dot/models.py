"""The peer's records: the columns Plane's wire shows, one table each, and the index a list needs."""

import uuid

from django.db import models
from django.utils import timezone


class Record(models.Model):
    """What every record has."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)
    created_by = models.UUIDField(null=True)
    updated_by = models.UUIDField(null=True)

    class Meta:
        abstract = True


class Workspace(Record):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)


class Project(Record):
    workspace = models.ForeignKey(Workspace, models.CASCADE)
    name = models.CharField(max_length=255)
    identifier = models.CharField(max_length=12)


class ProjectRecord(Record):
    """What every record of a project has."""

    workspace = models.ForeignKey(Workspace, models.CASCADE)
    project = models.ForeignKey(Project, models.CASCADE)
    sort_order = models.FloatField(default=65535)
    external_source = models.CharField(max_length=255, null=True)
    external_id = models.CharField(max_length=255, null=True)

    class Meta:
        abstract = True


class Label(ProjectRecord):
    name = models.CharField(max_length=255)
    description = models.TextField(default="")
    color = models.CharField(max_length=255, default="")
    parent = models.ForeignKey("self", models.CASCADE, null=True)


class WorkItem(ProjectRecord):
    name = models.CharField(max_length=255)
    sequence_id = models.IntegerField()
    description_html = models.TextField(default="<p></p>")
    description_stripped = models.TextField(null=True)
    priority = models.CharField(max_length=30, default="none")
    point = models.IntegerField(null=True)
    start_date = models.DateField(null=True)
    target_date = models.DateField(null=True)
    completed_at = models.DateTimeField(null=True)
    archived_at = models.DateField(null=True)
    is_draft = models.BooleanField(default=False)
    state = models.UUIDField(null=True)
    type = models.UUIDField(null=True)
    estimate_point = models.UUIDField(null=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"])]
