"""A hub on loopback that takes uploads as the clients of Hugging Face and ModelScope send them.

What they send was taken from their source (huggingface_hub `_commit_api.py`, `lfs.py`; modelscope_hub `_upload.py`,
`_legacy_api.py`): a repository is made, weights go to a store, the rest comes with the commit.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.engine.models.loopback import Loopback


@dataclass
class Receiver(Loopback):
    """`repos`: ID -> {"private": bool, "files": {path: content}}; `token`: the one that may write."""

    token: str
    repos: dict[str, dict] = field(default_factory=dict)
    store: dict[str, bytes] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Receiver

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if match := re.fullmatch(r"/(?:api|api/v1|openapi/v1)/models/([^/]+/[^/?]+)", self.path.split("?")[0]):
            repo = self.hub.repos.get(match[1])
            if repo is None:
                self.answer(
                    404, {"Code": 404, "Message": "not found", "error": "not found"}, {"X-Error-Code": "RepoNotFound"}
                )
                return
            owner, name = match[1].split("/")
            facts = {"id": match[1], "private": repo["private"], "sha": "0" * 40, "siblings": [], "tags": []}
            known = {"Path": owner, "Name": name, "Visibility": 1 if repo["private"] else 5, **facts}
            self.answer(200, {**facts, "Code": 200, "Success": True, "success": True, "Data": known, "data": known})
            return
        self.answer(404, {"Code": 404, "Message": self.path})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.hub.token not in self.headers.get("Authorization", "") + self.headers.get("Cookie", ""):
            self.answer(401, {"Code": 401, "Message": "no", "error": "no"})
            return
        path = self.path.split("?")[0]
        if path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            told = json.loads(body)
            id = f"{told['organization']}/{told['name']}" if told.get("organization") else told["name"]
            private = told.get("private", told.get("visibility") == "private")
            if id in self.hub.repos:
                self.answer(409, {"error": "already there", "url": f"{self.hub.url}/{id}"})
                return
            self.hub.repos[id] = {"private": private, "files": {}}
            self.answer(200, {"url": f"{self.hub.url}/{id}", "id": id})
        elif path == "/api/v1/models":
            told = json.loads(body)
            id = f"{told['Path']}/{told['Name']}"
            if id in self.hub.repos:
                self.answer(409, {"Code": 10020101001, "Success": False, "Message": "already exists"})
                return
            self.hub.repos[id] = {"private": told["Visibility"] == 1, "files": {}}
            self.answer(200, {"Code": 200, "Success": True, "Data": told})
        elif re.fullmatch(r"/api/models/.+/preupload/main", path):
            files = json.loads(body)["files"]
            mode = {True: "lfs", False: "regular"}
            asked = [
                {"path": f["path"], "uploadMode": mode[f["path"].endswith(".safetensors")], "shouldIgnore": False}
                for f in files
            ]
            self.answer(200, {"files": asked})
        elif path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**each, "actions": {"upload": {"href": f"{self.hub.url}/store/{each['oid']}"}}}
                for each in json.loads(body)["objects"]
            ]
            told = {"transfer": "basic", "objects": objects}
            self.answer(200, {**told, "Code": 200, "Success": True, "Data": told})
        elif match := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            self.commit(match[1], [json.loads(line) for line in body.splitlines()])
            self.answer(200, {"commitUrl": f"{self.hub.url}/{match[1]}/commit/{'1' * 40}", "commitOid": "1" * 40})
        elif match := re.fullmatch(r"/api/v1/repos/models/(.+)/commit/master", path):
            self.actions(match[1], json.loads(body)["actions"])
            self.answer(200, {"Code": 200, "Success": True, "Data": {"oid": "1" * 40}})
        else:
            self.answer(404, {"Code": 404, "Message": path})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.hub.store[self.path.rsplit("/", 1)[-1]] = body
        self.answer(200, {})

    def commit(self, repo: str, lines: list[dict]) -> None:
        files = self.hub.repos[repo]["files"]
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.store[value["oid"]]

    def actions(self, repo: str, actions: list[dict]) -> None:
        files = self.hub.repos[repo]["files"]
        for each in actions:
            stored = each["type"] == "lfs"
            files[each["path"]] = self.hub.store[each["sha256"]] if stored else base64.b64decode(each["content"])

    def answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Receiver.handler = _Handler
