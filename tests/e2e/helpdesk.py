"""A small made-up source, the one of tests/connectors/helpdesk: tickets by cursor, replies by page, basic authentication.

Its people have names, addresses and ids, so that a recording has something to hide.
"""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USER, KEY = "integration", "key-5f1d2e"
ANN = {"id": 4711001, "login": "annika.berg", "name": "Annika Berg", "email": "annika.berg@bigcorp.test",
       "avatar_url": "https://img.bigcorp.test/u/4711001.png"}
BEN = {"id": 4711002, "login": "bsmith", "name": "Ben Smith", "email": "ben@bigcorp.test"}
SECRET = "ghp_" + "a1B2" * 9


def ticket(number, author, **fields):
    return {"id": f"T-{number}", "subject": f"Ticket {number}", "category": "question", "tags": ["card"], "author": author,
            "opened": f"2025-12-0{number}T08:00:00Z", "changed": f"2025-12-0{number}T09:00:00Z", **fields}


def world():
    tickets = [ticket(1, ANN, subject="Please call annika.berg@bigcorp.test", category="outage"), ticket(2, BEN),
               ticket(3, ANN, subject="For @bsmith", api_token=SECRET)]
    replies = {"T-1": [{"id": 1, "text": f"Use {SECRET} until noon", "author": BEN, "sent": "2025-12-01T08:10:00Z"},
                       {"id": 2, "text": "Thanks, Ben Smith", "author": ANN, "sent": "2025-12-01T08:20:00Z"},
                       {"id": 3, "text": "ok", "author": BEN, "sent": "2025-12-01T08:30:00Z"}]}
    return tickets, replies


class Helpdesk:
    """The source in a thread of its own; `url` is its endpoint."""

    def __enter__(self):
        tickets, replies = world()
        helpdesk = self
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, found, status=200):
                text = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.send_header("X-Trace", "annika.berg")
                self.end_headers()
                self.wfile.write(text)

            def respond(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
                helpdesk.asked.append(self.path)
                wanted = "Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode()
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if self.headers.get("Authorization") != wanted:
                    return self.answer({"error": "who are you?"}, 401)
                if parts.path == "/v2/queues/billing":
                    return self.answer({"slug": "billing", "name": "Billing"})
                if parts.path == "/v2/tickets/search":
                    start, size = int(body.get("after", 0)), body["limit"]
                    more = start + size < len(tickets)
                    return self.answer({"tickets": tickets[start:start + size], "paging": {"after": str(start + size), "more": more}})
                if parts.path.endswith("/replies"):
                    found = replies.get(parts.path.split("/")[-2], [])
                    start = (int(query["page"]) - 1) * int(query["size"])
                    return self.answer(found[start:start + int(query["size"])])
                return self.answer({"error": "not here"}, 404)

            do_GET = do_POST = respond

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v2/"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
