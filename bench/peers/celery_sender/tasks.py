"""The one task: sign a body as Airside does, post it, and be tried again when that fails."""

import base64
import hashlib
import hmac
import os
import time

import requests  # pyright: ignore[reportMissingModuleSource]
from celery import Celery  # pyright: ignore[reportMissingImports]

SECRET = b"plane_wh_" + b"5" * 64

app = Celery("celery_sender", broker=os.environ["BENCH_BROKER"])
app.conf.task_default_queue = os.environ["BENCH_QUEUE"]
app.conf.task_acks_late = True
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 16
_session = requests.Session()  # of each process: connections are kept


@app.task(autoretry_for=(requests.RequestException,), retry_backoff=True, max_retries=10)
def deliver(url: str, message_id: str, body: str) -> None:
    raw, timestamp = body.encode(), str(int(time.time()))
    signed = f"{message_id}.{timestamp}.".encode() + raw
    standard = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    headers = {
        "Content-Type": "application/json",
        "X-Plane-Signature": hmac.new(SECRET, raw, hashlib.sha256).hexdigest(),
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{standard}",
    }
    _session.post(url, data=raw, headers=headers, timeout=10, allow_redirects=False).raise_for_status()
