// The tables of known keys of connector.yaml (docs/connectors.md).
// Thread rule: pure functions.
#pragma once

#include "connector/connector.h"
#include "connector/yaml_block.h"

namespace tarn::connector {

const Keys<Connector>& connector_keys();
const Keys<Stream>& stream_keys();
const Keys<Page>& page_keys();

// What the blocks cannot tell one by one: names that must be declared elsewhere, keys that need each other.
void cross_check(const Connector& connector, Problems& problems);
// Columns that the declaration names must be in the tables of tables.sql.
void check_tables(const Connector& connector, Problems& problems);

}  // namespace tarn::connector
