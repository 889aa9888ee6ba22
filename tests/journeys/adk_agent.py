"""An agent built with plane-adk, as its README builds one; runs in an environment of its own.

It repeats in comments what it received, and prints its address first.
"""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from plane_adk.agent import Credentials, PlaneAgent

agent: Any = None
one_by_one = threading.Lock()  # the handler keeps its context in itself


class Hook(BaseHTTPRequestHandler):
    """GET /?installation=… begins, POST takes a webhook."""

    def do_GET(self) -> None:
        global agent
        agent = PlaneAgent(
            Credentials(
                client_id=os.environ["PLANE_CLIENT_ID"],
                client_secret=os.environ["PLANE_CLIENT_SECRET"],
                app_installation_id=self.path.rpartition("=")[2],
                base_url=os.environ["PLANE_BASE_URL"],
                redirect_uri="http://127.0.0.1:9/callback",
            )
        )
        agent.issue.on("mentioned", lambda handler, context: handler.progress(say("mentioned on", context)))
        agent.issue.on("assigned", lambda handler, context: handler.progress(say("assigned", context)))
        self.reply(agent.workspace_details.slug)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply("ok")
        if "event" in body:
            with one_by_one:
                agent.process_webhook(body)

    def reply(self, text: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


def say(what: str, context: Any) -> str:
    return f"I was {what} {context.issue_payload.name} in {context.workspace_slug}"


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hook)
print("ready", flush=True)
server.serve_forever()
