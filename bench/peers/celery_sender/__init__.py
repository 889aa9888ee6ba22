"""Celery with RabbitMQ, as its documentation sets it up for work that mustn't be lost: persistent messages,
acknowledged when the work is done, no result kept. The task signs a body and posts it."""
