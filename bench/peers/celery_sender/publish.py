"""Publishes so many tasks: `python -m celery_sender.publish URL COUNT BODY_BYTES`."""

import json
import sys
import uuid

from celery_sender.tasks import app, deliver

if __name__ == "__main__":
    url, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    body = json.dumps({"event": "workitem.created", "data": "x" * size})
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            deliver.apply_async((url, str(uuid.uuid4()), body), producer=producer)
    print(json.dumps({"published": count}))
