// Raw payloads in a database server: zstd behind a prefix that no text of a source starts with. What has no prefix is plain, as an old
// instance wrote it.
//
// Thread rule: any thread. Errors: bad_data where compressed bytes are damaged.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::server {

std::string packed(std::string_view payload);
Result<std::string> unpacked(std::string_view stored);

}  // namespace tarn::server
