"""Notes, with Django REST framework and Simple JWT at the strictest settings that their documentation names.

Rotation and the blacklist are on, tokens end with a change of password, issuer and audience are set; Django's deployment
checklist is followed; django-axes, which Django's security page means by "a plugin", locks out who guesses passwords.
"""

import json
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings

HERE = Path(__file__).parent
DATA = Path(os.environ["DATA"])


def secret():
    """The same for the migration and for the server."""
    file = DATA / "secret"
    if not file.exists():
        file.write_text(secrets.token_urlsafe(64))
    return file.read_text()


settings.configure(
    SECRET_KEY=secret(),
    DEBUG=False,
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "db.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
        "axes",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "axes.middleware.AxesMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"],
    SECURE_HSTS_SECONDS=31536000,
    SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
    SECURE_SSL_REDIRECT=True,
    AXES_FAILURE_LIMIT=10,
    AXES_COOLOFF_TIME=timedelta(minutes=15),
    AXES_RESET_ON_SUCCESS=True,
    AXES_LOCKOUT_PARAMETERS=[["username", "ip_address"]],
    AXES_VERBOSE=False,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
        "CHECK_REVOKE_TOKEN": True,
        "ISSUER": "notes",
        "AUDIENCE": "notes",
    },
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import FileResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.cache import never_cache  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView  # noqa: E402

NOTES = {}


@never_cache
@api_view(["GET"])
def me(request):
    return Response({"id": request.user.pk, "username": request.user.get_username(), "email": request.user.email})


@never_cache
@api_view(["GET", "POST"])
def notes(request):
    mine = NOTES.setdefault(request.user.pk, [])
    if request.method == "GET":
        return Response({"notes": mine})
    mine.append({"id": len(mine) + 1, "text": str(request.data.get("text", ""))})
    return Response(mine[-1], status=201)


def page(_request, name="index.html"):
    return FileResponse((HERE / "web" / name).open("rb"), filename=name)


urlpatterns = [
    path("", page),
    path("page.mjs", page, {"name": "page.mjs"}),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/me/", me),
    path("api/notes/", notes),
]


def begin():
    """Tables, and the accounts of accounts.json."""
    call_command("migrate", verbosity=0)
    people = get_user_model().objects
    for account in json.loads((HERE / "accounts.json").read_text()):
        name = account["login"]
        if not people.filter(username=name).exists():
            people.create_user(name, f"{name}@example.com", account["password"])


if __name__ == "__main__":
    begin()
    sys.exit()

application = get_wsgi_application()
