"""Rota, a shift planner, vulnerable on purpose: never put it on the internet. Each MISTAKE is listed in mistakes.json.

Unlike examples/leaky-saas in language, paths, field names, header and storage; it must be attacked without being told.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import secrets
import time
from pathlib import Path

from flask import Flask, jsonify, request, send_file

HERE = Path(__file__).parent
DATA = Path(os.environ["DATA"])
KEYS = DATA / "keys"
LOG = open(os.environ["LOG"], "a", buffering=1)  # noqa: SIM115
DAY = 24 * 3600

PEOPLE = {}
RENEWALS = {}
SHIFTS = {}
NUMBERS = itertools.count(1)


def hashed(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 60_000)


def begin():
    """A signing key of this run, and the accounts of accounts.json."""
    KEYS.mkdir(parents=True, exist_ok=True)
    (KEYS / "main").write_bytes(secrets.token_bytes(32))
    for number, account in enumerate(json.loads((HERE / "accounts.json").read_text()), 1):
        salt = secrets.token_bytes(16)
        PEOPLE[account["login"]] = {
            "id": number,
            "username": account["login"],
            "full_name": account["login"].title(),
            "motto": "",
            "recovery_mail": f"{account['login']}@example.com",
            "salt": salt,
            "password": hashed(account["password"], salt),
        }
        shift = next(NUMBERS)
        SHIFTS[shift] = {"id": shift, "owner": account["login"], "day": "Monday", "note": "the early one"}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signature(header, signed):
    # MISTAKE kid-path: the token says which file the key is in, and any file will do.
    key = (KEYS / header.get("kid", "main")).read_bytes()
    return hmac.new(key, signed.encode(), hashlib.sha256).digest()


def make_key(person):
    header = {"alg": "HS256", "typ": "JWT", "kid": "main"}
    now = int(time.time())
    # MISTAKE long-lived-token: a whole day, and nothing ends it earlier.
    # MISTAKE missing-claims: no issuer, audience or purpose.
    claims = {"user": person["username"], "iat": now, "exp": now + DAY}
    signed = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{encode(signature(header, signed))}"


def read_key(text):
    """The person whom a key speaks for, or nothing."""
    try:
        signed, _, mark = text.rpartition(".")
        first, second = signed.split(".")
        header, claims = json.loads(decode(first)), json.loads(decode(second))
        # MISTAKE alg-none: a token that says it needs no signature needs none.
        unsigned = header["alg"].lower() == "none"
        if not unsigned and not hmac.compare_digest(decode(mark), signature(header, signed)):
            return None
        return PEOPLE.get(claims["user"]) if claims["exp"] > time.time() else None
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return None


app = Flask(__name__, static_folder=None)


def shown(person):
    return {name: person[name] for name in ("id", "username", "full_name", "motto", "recovery_mail")}


def problem(status, text):
    return jsonify(problem=text), status


def whose():
    # MISTAKE token-in-url: also as a parameter, and so in histories, logs and Referer headers.
    return read_key(request.headers.get("X-Auth-Token") or request.args.get("token") or "")


@app.before_request
def note():
    # MISTAKE token-in-log: the header that says who is there, into the log.
    token = request.headers.get("X-Auth-Token", "-")
    LOG.write(f"{request.method} {request.full_path} x-auth-token={token}\n")


@app.get("/")
def page():
    return send_file(HERE / "page.html")


@app.post("/session/new")
def session_new():
    # MISTAKE no-throttle: as many guesses as one likes.
    body = request.get_json(silent=True) or {}
    person = PEOPLE.get(str(body.get("username", "")))
    # MISTAKE enumeration-by-time: a name that nobody has is refused without the work that a password costs.
    wrong = problem(401, "wrong name or password")
    if not person:
        return wrong
    if not hmac.compare_digest(hashed(str(body.get("passwd", "")), person["salt"]), person["password"]):
        return wrong
    renewal = secrets.token_hex(24)
    RENEWALS[renewal] = person["username"]
    # MISTAKE token-in-body: both are handed to script.
    return jsonify(auth={"key": make_key(person), "renewal": renewal}, profile=shown(person))


@app.post("/session/renew")
def session_renew():
    # MISTAKE renewal-for-ever: it is never exchanged, never expires, and works for whoever else holds it.
    body = request.get_json(silent=True) or {}
    person = PEOPLE.get(RENEWALS.get(str(body.get("renewal", "")), ""))
    return jsonify(auth={"key": make_key(person)}) if person else problem(401, "sign in again")


@app.post("/session/end")
def session_end():
    # MISTAKE logout-forgets-nothing: key and renewal both go on.
    return "", 204


@app.get("/whoami")
def whoami():
    person = whose()
    return jsonify(profile=shown(person)) if person else problem(401, "sign in first")


@app.put("/profile")
def profile():
    person = whose()
    if not person:
        return problem(401, "sign in first")
    body = request.get_json(silent=True) or {}
    # MISTAKE no-step-up: the address that recovers the account changes without asking who is there.
    for name in ("full_name", "motto", "recovery_mail"):
        if isinstance(body.get(name), str):
            person[name] = body[name]
    return jsonify(profile=shown(person))


@app.get("/shifts")
def shifts():
    person = whose()
    if not person:
        return problem(401, "sign in first")
    return jsonify(shifts=[shift for shift in SHIFTS.values() if shift["owner"] == person["username"]])


@app.post("/shifts")
def add_shift():
    person = whose()
    if not person:
        return problem(401, "sign in first")
    body = request.get_json(silent=True) or {}
    number = next(NUMBERS)
    SHIFTS[number] = {"id": number, "owner": person["username"], "day": str(body.get("day")), "note": str(body.get("note"))}
    return jsonify(shift=SHIFTS[number]), 201


@app.get("/shifts/<int:number>/cancel")
def cancel(number):
    # MISTAKE state-changing-get: a link, an image or a prefetch cancels.
    person = whose()
    if not person:
        return problem(401, "sign in first")
    mine = number in SHIFTS and SHIFTS[number]["owner"] == person["username"]
    if mine:
        del SHIFTS[number]
    return jsonify(cancelled=mine)


begin()
