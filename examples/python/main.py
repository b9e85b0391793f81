"""A backend without a login of its own: `wxlogin serve` logs in, and this verifies its tokens and answers its webhooks."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from access_tokens import AccessTokens, Invalid
from key_set import KeySet, Unavailable
from users import Users
from webhooks import Webhooks

MAX_BODY_BYTES = 64 * 1024


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Ends whoever connects and then says nothing.
    timeout = 20

    def do_GET(self):
        self.answer({"/orders": self.orders})

    def do_POST(self):
        self.answer({"/hooks/wxlogin": self.hook})

    def answer(self, routes):
        route = routes.get(urlsplit(self.path).path)
        try:
            status, body = route() if route else (404, {"error": "not_found"})
        except Invalid:
            # By this very answer the mini program knows that its token has to be renewed.
            status, body = 401, {"error": "invalid_token"}
        except Unavailable:
            # Nobody's token is wrong: a 401 would make every phone renew one that is good.
            status, body = 503, {"error": "temporarily_unavailable"}
        except Exception as error:  # noqa: BLE001
            self.log_error("%r", error)
            status, body = 500, {"error": "server_error"}
        self.send(status, body)

    def orders(self):
        user = self.server.tokens.verify(self.headers.get("Authorization"))
        return 200, [{"id": 1, "title": "Tea", "userId": user["sub"]}]

    def hook(self):
        """What `onLogin` and `claims` are to a backend in Node."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return 413, {"error": "too_large"}
        body = self.rfile.read(int(length))
        if not self.server.webhooks.is_genuine(self.headers, body):
            return 401, {"error": "invalid_signature"}
        try:
            event = json.loads(body)
            if event["type"] == "login":
                return self.login(event["appId"], event["openid"])
            if event["type"] == "claims":
                return self.claims(event["userId"])
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "invalid_request"}
        return 400, {"error": "unknown_type"}

    def login(self, app_id, openid):
        user = self.server.users.upsert(app_id, openid)
        if user.is_banned:
            return 403, {"reason": "banned"}
        return 200, {"userId": user.id}

    def claims(self, user_id):
        """At each login, and again whenever a phone renews its token: a ban made meanwhile ends the session."""
        user = self.server.users.by_id(user_id)
        if user is None:
            return 403, {"reason": "unknown_user"}
        if user.is_banned:
            return 403, {"reason": "banned"}
        return 200, {"role": "customer"}

    def send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, *_):
        pass


def setting(name, usual=None):
    value = os.environ.get(name) or usual
    if value is None:
        sys.exit(f"{name} is not set; README.md says what it holds")
    return value


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(setting("PORT", "8090"))), Backend)
    server.tokens = AccessTokens(
        KeySet(setting("JWKS_URL")),
        issuer=setting("WXLOGIN_ISSUER", "wxlogin"),
        app_id=setting("WX_APP_ID"),
    )
    server.webhooks = Webhooks(setting("WXLOGIN_WEBHOOKS_SECRET"))
    server.users = Users(setting("USERS_FILE", "users.db"))
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
