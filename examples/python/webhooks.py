"""Tells the webhooks of `wxlogin serve` from what anybody may send. They are signed as standardwebhooks.com says."""

import base64
import hashlib
import hmac
import re
import time

TOLERANCE_SECONDS = 300


class Webhooks:
    def __init__(self, secret):
        """The secret as it stands in the settings: `whsec_` and base64."""
        if not secret.startswith("whsec_"):
            raise ValueError("WXLOGIN_WEBHOOKS_SECRET must start with whsec_")
        self._key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)

    def is_genuine(self, headers, body):
        id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not id_ or not re.fullmatch("[0-9]{1,12}", timestamp):
            return False
        if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
            return False
        made = hmac.digest(self._key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
        wanted = b"v1," + base64.b64encode(made)
        # While a secret is being replaced there are two.
        signatures = headers.get("webhook-signature", "").encode().split(b" ")
        return any(hmac.compare_digest(wanted, signature) for signature in signatures)
