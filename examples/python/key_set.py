"""The public keys of `/jwks.json`, fetched when they are needed and kept for five minutes.

PyJWT has a PyJWKClient, but that of older versions fetches for every unknown key: whoever sends made-up ones makes it
fetch all the time.
"""

import json
import threading
import time
import urllib.request

import jwt

KEPT_SECONDS = 300
PAUSE_SECONDS = 30
PAUSE_AFTER_FAILURE_SECONDS = 1


class Unavailable(Exception):
    """No keys could be fetched yet."""


class KeySet:
    def __init__(self, url):
        self._url = url
        self._keys = {}
        self._fresh_until = float("-inf")
        self._next_fetch_at = float("-inf")
        self._lock = threading.Lock()

    def get(self, kid):
        """The key with this id, or `None`."""
        if kid in self._keys and time.monotonic() < self._fresh_until:
            return self._keys[kid]
        with self._lock:
            self._fetch()
        return self._keys.get(kid)

    def _fetch(self):
        if time.monotonic() >= self._next_fetch_at:
            try:
                with urllib.request.urlopen(self._url, timeout=2) as response:
                    jwks = json.load(response)
                # Others may stand beside it, while one kind of key replaces another.
                ours = [jwk for jwk in jwks["keys"] if jwk.get("crv") == "P-256"]
                self._keys = {jwk["kid"]: jwt.PyJWK(jwk).key for jwk in ours}
                self._fresh_until = time.monotonic() + KEPT_SECONDS
                self._next_fetch_at = time.monotonic() + PAUSE_SECONDS
            except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError):
                # The keys that are there stay good while the login service restarts.
                self._next_fetch_at = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
        if not self._keys:
            raise Unavailable
