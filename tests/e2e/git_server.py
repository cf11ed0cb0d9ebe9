"""Smart HTTP(S) for the repositories of a folder, through git's own http-backend; asks for a password."""

import base64
import os
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class GitServer:
    def __init__(self, folder, password, user="git", certificate=None):
        """`certificate`: file with certificate and key; without it plain HTTP is spoken."""
        self.folder, self.user, self.password, self.requests = str(folder), user, password, 0
        self.delay = 0  # seconds before each answer
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self):
                owner.requests += 1
                time.sleep(owner.delay)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                wanted = "Basic " + base64.b64encode(f"{owner.user}:{owner.password}".encode()).decode()
                if self.headers.get("Authorization") != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                path, _, query = self.path.partition("?")
                environment = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": owner.folder, "GIT_HTTP_EXPORT_ALL": "1",
                               "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                               "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length),
                               "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                               "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
                done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
                head, _, content = done.stdout.partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
                self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def port(self):
        return self.server.server_port

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
