"""Uploads a run with `wandb sync` to a server on this machine, and prints as JSON what the server got.

The server answers the requests of W&B's client as https://api.wandb.ai does, as far as `wandb sync` looks at the answers.
"""

import gzip
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading

got = {"run": {}, "config": {}, "history": [], "summary": {}, "files": [], "ends": []}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.contents() or b"{}")
        if self.path == "/graphql":
            self.answer({"data": self.graphql(request["query"], request.get("variables") or {})})
        elif self.path.endswith("/file_stream"):
            self.file_stream(request)
            self.answer({})
        else:
            self.answer({})

    def do_PUT(self):
        got["files"].append([self.path.removeprefix("/upload/"), len(self.contents())])
        self.answer({})

    def do_GET(self):
        self.answer({})

    def graphql(self, query, variables):
        if "upsertBucket" in query:
            got["run"] |= {name: variables[name] for name in ["name", "project", "entity", "displayName"] if variables.get(name)}
            got["config"] |= {name: value["value"] for name, value in json.loads(variables.get("config") or "{}").items()}
            project = {"id": "project", "name": variables["project"], "entity": {"id": "entity", "name": "someone"}}
            bucket = {"id": "run", "name": variables["name"], "displayName": variables.get("displayName"), "project": project}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if "createRunFiles" in query:
            url = f"http://127.0.0.1:{self.server.server_port}/upload/"
            files = [{"name": name, "uploadUrl": url + name} for name in variables["files"]]
            return {"createRunFiles": {"runID": "run", "uploadHeaders": [], "files": files}}
        return {}

    def file_stream(self, request):
        for name, file in request.get("files", {}).items():
            lines = [json.loads(line) for line in file["content"]]
            if name == "wandb-history.jsonl":
                got["history"][file["offset"]:] = lines
            elif name == "wandb-summary.json":
                got["summary"] = lines[-1]
        if request.get("complete"):
            got["ends"].append(request["exitcode"])

    def contents(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            contents = b""
            while length := int(self.rfile.readline(), 16):
                contents += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
        else:
            contents = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(contents) if self.headers.get("Content-Encoding") == "gzip" else contents

    def answer(self, answer):
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
# connections that the client resets when it ends
server.handle_error = lambda *_: None
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory() as home:
    environment = os.environ | {
        "HOME": home, "WANDB_BASE_URL": f"http://127.0.0.1:{server.server_port}", "WANDB_API_KEY": "0" * 40,
        "WANDB_ERROR_REPORTING": "false", "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "wandb", "sync", "--yes", "--include-synced", *sys.argv[1:]]
    sync = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True)
said = re.sub(r"\x1b\[[0-9;]*m", "", sync.stdout + sync.stderr)
print(json.dumps(got | {"status": sync.returncode, "said": said}))
