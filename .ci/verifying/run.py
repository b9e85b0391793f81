"""Runs one recipe: a token a line comes in, and whose it is goes out. `python3 run.py recipe`"""

import importlib
import json
import sys

sys.path.insert(0, ".")


def by_call(name):
    recipe = importlib.import_module(name)
    return lambda token: {"userId": recipe.user_id_of(token)}


def by_django():
    """What Django has made is asked by its requests, and must answer as the client expects."""
    from django.conf import settings

    with open("simple_jwt.py") as file:
        exec(file.read(), globals())
    settings.configure(
        SECRET_KEY="only-here", SIMPLE_JWT=globals()["SIMPLE_JWT"], USE_TZ=True,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    )
    import django

    django.setup()
    from rest_framework.test import APIRequestFactory

    view = importlib.import_module("views").Orders.as_view()

    def judge(token):
        request = APIRequestFactory().get("/orders", HTTP_AUTHORIZATION=f"Bearer {token}")
        response = view(request)
        if response.status_code == 200:
            return {"userId": response.data["userId"]}
        challenge = response.get("WWW-Authenticate", "")
        is_right = response.status_code == 401 and 'error="invalid_token"' in challenge
        return {"reason": f"{response.status_code} {challenge}", "isWrongRefusal": not is_right}

    return judge


judge = by_django() if sys.argv[1] == "views" else by_call(sys.argv[1])
for line in sys.stdin:
    asked = json.loads(line)
    try:
        verdict = judge(asked["token"])
    except Exception as error:  # noqa: BLE001
        verdict = {"reason": repr(error)}
    print(json.dumps({"id": asked["id"], **verdict}), flush=True)
