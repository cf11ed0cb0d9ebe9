"""Which tests share a process when several run side by side (`make e2e`): those of one file, and all of the API, whose last file looks at what
the others saw."""

import pytest


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items):
    for item in items:
        name = item.path.stem
        item.add_marker(pytest.mark.xdist_group("api" if name.startswith("test_api") else name))
