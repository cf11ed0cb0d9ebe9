"""GitHub Apps as the fake knows them: one app, its installations, and the tokens that it gets for them.

A request below /app carries a JWT of the app (RS256). With `public_key`, a PEM file, its signature is checked by openssl.
"""

import base64
import json
import os
import subprocess
import tempfile
import time

from github_answers import Refusal
from server import json_response

LONGEST = 600


class GithubApp:
    def __init__(self, app_id="4711", slug="tarn-reader", accounts=("octo", "umbrella")):
        self.app_id, self.slug, self.public_key = app_id, slug, None
        self.installations = {5001 + index: login for index, login in enumerate(accounts)}
        self.tokens = {}  # -> installation

    def handle(self, request, path, fixed):
        """The answer to what an app asks for itself; None where it is no such request."""
        if path != "/app" and not path.startswith("/app/"):
            return None
        value = self.answer(request, path.removeprefix("/app").strip("/").split("/"))
        if isinstance(value, Refusal):
            return json_response(value.status, value.value(), fixed)
        return json_response(201 if request.method == "POST" else 200, value, fixed)

    def answer(self, request, parts):
        if not self.is_signed(request.header("authorization").removeprefix("Bearer ")):
            return Refusal(401, "A JSON web token could not be decoded")
        if request.method == "GET" and parts == [""]:
            return {"id": int(self.app_id), "slug": self.slug, "name": "Tarn Reader"}
        if request.method == "GET" and parts == ["installations"]:
            return [self.shown(number) for number in self.installations]
        if request.method == "POST" and parts[0] == "installations" and parts[2:] == ["access_tokens"]:
            number = int(parts[1]) if parts[1].isdigit() else 0
            if number in self.installations:
                return self.new_token(number)
        return Refusal(404, "Not Found")

    def shown(self, number):
        login = self.installations[number]
        return {"id": number, "app_id": int(self.app_id), "account": {"login": login, "id": number + 1000, "type": "Organization"},
                "repository_selection": "all", "target_type": "Organization"}

    def new_token(self, number):
        token = f"ghs_{number}_{len(self.tokens)}"
        self.tokens[token] = number
        return {"token": token, "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}

    def is_signed(self, jwt):
        try:
            head, claims, signature = jwt.split(".")
            told, now = json.loads(decoded(claims)), time.time()
            fits = (json.loads(decoded(head))["alg"] == "RS256" and str(told["iss"]) == self.app_id and
                    told["iat"] <= now < told["exp"] <= now + LONGEST)
            return fits and len(decoded(signature)) >= 128 and self.is_verified(f"{head}.{claims}".encode(), decoded(signature))
        except (ValueError, KeyError, TypeError):
            return False

    def is_verified(self, text, signature):
        if self.public_key is None:
            return True
        with tempfile.NamedTemporaryFile() as file:
            file.write(signature)
            file.flush()
            return subprocess.run(["openssl", "dgst", "-sha256", "-verify", os.fspath(self.public_key), "-signature", file.name],
                                  input=text, capture_output=True).returncode == 0


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
