// A new connector: the sample connector under another name.
// Thread rule: pure functions, but for the files they write.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::author {

// Makes `parent`/`name` from `share`/templates/sample. bad_data: not a name, or one of `taken`; terminal: the folder is there already, or
// cannot be written. Value: the files.
Result<std::vector<std::string>> new_connector(const std::string& share, const std::string& parent,
                                               const std::string& name,
                                               const std::vector<std::string>& taken);

}  // namespace tarn::author
