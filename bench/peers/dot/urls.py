"""The peer's routes, on the paths Airside serves."""

from django.urls import path
from oauth2_provider.views import TokenView

from dot.views import LabelDetail, WorkItemDetail, WorkItemList

PROJECT = "api/v1/workspaces/<slug:slug>/projects/<uuid:project_id>"

urlpatterns = [
    path("auth/o/token/", TokenView.as_view()),
    path(f"{PROJECT}/labels/<uuid:pk>/", LabelDetail.as_view()),
    path(f"{PROJECT}/work-items/", WorkItemList.as_view()),
    path(f"{PROJECT}/work-items/<uuid:pk>/", WorkItemDetail.as_view()),
]
