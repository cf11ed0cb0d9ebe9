// Files as a gzipped tar archive (ustar).
// Thread rule: pure functions. Errors: bug where zlib refuses.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tarn {

struct TarFile {
    std::string name, content;  // name: at most 99 bytes
};

Result<std::string> tar_gz(const std::vector<TarFile>& files);

}  // namespace tarn
