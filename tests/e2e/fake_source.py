"""A running fake as a test handles it: changes, faults, the requests it saw."""


class FakeSource:
    def __init__(self, server):
        self.server = server

    def change(self, op, **arguments):
        return self.server.control("POST", "change", {"op": op, **arguments})

    def fault(self, *rules):
        self.server.control("POST", "faults", list(rules))

    def heal(self):
        self.server.control("DELETE", "faults")

    def requests(self):
        """stream -> number of requests since the last call."""
        counts = self.server.control("GET", "requests?list=0")["counts"]
        self.server.control("DELETE", "requests")
        return counts


def put_world(server, app):
    """Another application in the running server, with no faults and no requests seen."""
    server.app = server.core.app = app
    server.core.faults.clear()
    server.core.log.clear()
    server.control("POST", "change", {"op": "clock"})
