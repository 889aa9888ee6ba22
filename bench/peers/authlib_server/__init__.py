"""Authlib's authorization server for Flask, as its documentation sets it up, with tokens in a dict."""

import hmac

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Flask

tokens: dict[str, dict[str, object]] = {}


class Client(ClientMixin):
    """The only one."""

    client_id = "bench"

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return ""

    def get_allowed_scope(self, scope):
        return scope if scope == "read" else ""

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return hmac.compare_digest(client_secret, "a-secret-for-measuring")

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


client = Client()


def save_token(token, request):
    tokens[token["access_token"]] = {"client_id": request.client.client_id, **token}


app = Flask("authlib_server")
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": 86400}
server = AuthorizationServer(
    app, query_client=lambda client_id: client if client_id == "bench" else None, save_token=save_token
)
server.register_grant(ClientCredentialsGrant)


@app.post("/token")
def issue_token():
    return server.create_token_response()
