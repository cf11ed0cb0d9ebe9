"""Which tests share a process when several run side by side (`make e2e`): those of one file, and all of the API on one store, whose last file looks at
what the others saw."""

import pytest


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items):
    for item in items:
        name = item.path.stem
        store = item.callspec.params.get("store", "embedded") if hasattr(item, "callspec") else "embedded"
        item.add_marker(pytest.mark.xdist_group(f"api {store}" if name.startswith("test_api") else name))
