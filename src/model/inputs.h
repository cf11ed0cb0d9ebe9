// Inputs of a select: $name becomes a SQL literal (docs/connectors.md, "Models").
// Thread rule: pure functions.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace tarn::model {

using Inputs = std::map<std::string, std::string>;  // name -> SQL literal

std::string text_literal(const std::string& text);

// Replaces each $name outside of quotes and comments. bad_data with place "line N" where a name is unknown; the next step lists the known ones.
Result<std::string> substitute(const std::string& sql, const Inputs& inputs);

}  // namespace tarn::model
