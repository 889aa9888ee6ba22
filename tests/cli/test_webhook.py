"""`airside webhook`, as scripts use it."""

from tests.support.servers import Instance


def test_an_endpoint_is_listed_tried_looked_into_and_sent_again(instance: Instance) -> None:
    made = instance.cli(
        "app", "create", "--workspace", "acme", "--name", "Courier", "--redirect-uri", "https://courier.example/",
        "--webhook-url", "http://93.184.215.14/hook",
    )  # fmt: skip
    instance.cli("app", "install", made["client_id"], "--workspace", "acme", "--as", "ana@example.com")
    [webhook] = instance.cli("webhook", "list", "--workspace", "acme")["webhooks"]
    assert (webhook["url"], webhook["is_active"]) == ("http://93.184.215.14/hook", True)
    here = (webhook["id"], "--workspace", "acme")
    assert instance.cli("webhook", "test", *here, "--event", "workitem.created")["event_id"]
    assert instance.cli("webhook", "deliveries", *here, "--status", "failed") == {"deliveries": []}
    assert instance.cli("webhook", "redeliver", *here, "--since", "2026-01-01") == {"redelivered": 0}
