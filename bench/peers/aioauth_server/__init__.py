"""aioauth behind Starlette, as its documentation sets it up, with tokens in a dict."""

import hmac
import time
from urllib.parse import parse_qsl

from aioauth.collections import HTTPHeaderDict
from aioauth.config import Settings
from aioauth.grant_type import ClientCredentialsGrantType
from aioauth.models import Client, Token
from aioauth.requests import Post, Request
from aioauth.server import AuthorizationServer
from aioauth.storage import BaseStorage
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

settings = Settings(INSECURE_TRANSPORT=True)
client = Client("bench", "a-secret-for-measuring", ["client_credentials"], [], [], "read")


class Storage(BaseStorage):
    """The only client, and the tokens."""

    def __init__(self):
        self.tokens = {}

    async def get_client(self, *, request, client_id, client_secret=None):
        matches = client_id == client.client_id and hmac.compare_digest(client_secret, client.client_secret)
        return client if matches else None

    async def create_token(self, *, request, client_id, scope, access_token, refresh_token=None):
        lifetime = settings.TOKEN_EXPIRES_IN
        token = Token(
            access_token=access_token,
            refresh_token=refresh_token,
            scope=scope,
            issued_at=int(time.time()),
            expires_in=lifetime,
            refresh_token_expires_in=settings.REFRESH_TOKEN_EXPIRES_IN,
            client_id=client_id,
        )
        self.tokens[access_token] = token
        return token


server = AuthorizationServer(Storage(), grant_types={"client_credentials": ClientCredentialsGrantType})


async def issue_token(asked):
    form = dict(parse_qsl((await asked.body()).decode()))
    request = Request(
        headers=HTTPHeaderDict(dict(asked.headers)),
        method=asked.method,
        post=Post(**form),
        url=str(asked.url),
        settings=settings,
    )
    answer = await server.create_token_response(request)
    return JSONResponse(answer.content, answer.status_code, dict(answer.headers))


app = Starlette(routes=[Route("/token", issue_token, methods=["POST"])])
