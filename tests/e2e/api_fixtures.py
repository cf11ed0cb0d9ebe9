"""One server, with one home and one fake GitHub, for a module of API tests."""

import pytest

import github
from conftest import SIZES, TOKEN, Served, Tarn
from contract import Contract


class Api(Contract):
    def __init__(self, tarn, server, fake):
        super().__init__(server.url)
        self.tarn, self.server, self.fake = tarn, server, fake
        self.made = 0

    def name(self, what):
        self.made += 1
        return f"{what} {self.made}"

    def connection(self, **fields):
        """A fresh GitHub connection to the fake."""
        body = {"name": self.name("connection"), "endpoint": self.fake.url, "token": TOKEN, **fields}
        return self.post("/plugins/github/connections", body, 201)

    def scope(self, connection, full_name="octo/alpha"):
        return self.put(f"/plugins/github/connections/{connection['id']}/scopes", {"data": [{"fullName": full_name}]})[0]

    def rows(self, sql):
        """Of the data file, through the running server."""
        answer = self.post("/tarn/query", {"sql": sql})
        names = [column["name"] for column in answer["columns"]]
        return [dict(zip(names, row)) for row in answer["rows"]]


@pytest.fixture(scope="module")
def api(program, tmp_path_factory, store):
    tarn = Tarn(program, tmp_path_factory.mktemp("api") / "home", store())
    with github.start(**SIZES) as fake:
        server = Served(tarn)
        try:
            yield Api(tarn, server, fake)
        finally:
            server.stop()
