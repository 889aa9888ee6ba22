"""A stand-in for an unmodified Plane Community Edition, written from recorded requests and answers (never from its
code): what the gateway is built and tested against. Every answer is checked against the recordings beside it.

async with open_upstream() as upstream:
    ana = await upstream.first_admin("ana@acme.test", "Acme")
    await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})

`python -m tests.support.upstream --port 8300` runs it as a process of its own, which can be killed."""
