"""Verifies access tokens (RFC 9068) that are signed with ES256."""

import jwt


class Invalid(Exception):
    """For every token that is not good now; which reason it is concerns nobody who asks."""


class AccessTokens:
    def __init__(self, keys, issuer, app_id):
        self._keys = keys
        self._issuer = issuer
        self._app_id = app_id

    def verify(self, authorization):
        """The claims of an `Authorization` header; the user is `sub`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Invalid
        try:
            header = jwt.get_unverified_header(token)
            # PyJWT does not look at it.
            if header.get("typ") != "at+jwt" or not isinstance(header.get("kid"), str):
                raise Invalid
            key = self._keys.get(header["kid"])
            if key is None:
                raise Invalid
            return jwt.decode(
                token,
                key,
                # The algorithm is ours to say, never the token's.
                algorithms=["ES256"],
                issuer=self._issuer,
                audience=self._app_id,
                # Clocks differ. A phone does not renew a token that it has just got, so it must be good here at once.
                leeway=30,
                options={"require": ["iss", "aud", "sub", "iat", "exp"]},
            )
        except jwt.PyJWTError as error:
            raise Invalid from error
