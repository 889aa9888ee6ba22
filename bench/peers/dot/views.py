"""The peer's API: retrieve and list as generic views, read with a Bearer token that has `read`."""

from rest_framework import generics, pagination, serializers

from dot.models import Label, WorkItem


class LabelSerializer(serializers.ModelSerializer):
    class Meta:
        model = Label
        fields = "__all__"


class WorkItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = WorkItem
        fields = "__all__"


class Page(pagination.PageNumberPagination):
    """States the total, as Plane's envelope does."""

    page_size = 20
    page_size_query_param = "per_page"
    max_page_size = 100


class InProject:
    """Narrows a view to the workspace and project of its URL, and to tokens that may read."""

    required_scopes = ["read"]

    def get_queryset(self):
        slug, project_id = self.kwargs["slug"], self.kwargs["project_id"]
        return super().get_queryset().filter(workspace__slug=slug, project_id=project_id)


class LabelDetail(InProject, generics.RetrieveAPIView):
    queryset = Label.objects.all()
    serializer_class = LabelSerializer


class WorkItemDetail(InProject, generics.RetrieveAPIView):
    queryset = WorkItem.objects.all()
    serializer_class = WorkItemSerializer


class WorkItemList(InProject, generics.ListAPIView):
    queryset = WorkItem.objects.order_by("-created_at")
    serializer_class = WorkItemSerializer
    pagination_class = Page
