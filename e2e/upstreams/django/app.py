"""A Django application as its tutorial writes it, told one thing: the proxy in front names the user.

It keeps Django's own protection against forged forms; the gateway must not get in its way.
"""

import os
import sys
from html import escape

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for tests " * 4,
    DEBUG=True,
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    CSRF_COOKIE_SECURE=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.RemoteUserBackend"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{__name__}.ProxyUserMiddleware",
    ],
)
django.setup()

from django.contrib.auth.middleware import RemoteUserMiddleware  # noqa: E402
from django.core.management import execute_from_command_line  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path  # noqa: E402

NOTES = []


class ProxyUserMiddleware(RemoteUserMiddleware):
    """Django's own, with the header's name as its documentation says to set it."""

    header = "HTTP_X_REMOTE_USER"


def notes(request):
    """Shows a form, and what was sent with it before."""
    if request.method == "POST":
        NOTES.append((request.user.get_username(), request.POST["note"]))
    shown = "".join(f"<li>{escape(user)}: {escape(note)}</li>" for user, note in NOTES)
    return HttpResponse(
        "<!doctype html><html lang=en><title>Notes</title><main>"
        f"<p id=user>{escape(request.user.get_username()) or 'nobody'}</p><ul id=notes>{shown}</ul>"
        "<form method=post><input type=hidden name=csrfmiddlewaretoken "
        f"value='{get_token(request)}'><label>Note <input name=note></label><button>Save</button></form></main>"
    )


urlpatterns = [path("", notes)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
