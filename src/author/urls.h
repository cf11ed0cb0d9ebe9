// URLs taken apart and put together, for comparing and scrubbing requests.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tarn::author {

struct UrlParts {
    std::string path;  // with scheme and host where the URL has them; decoded, but for %2F
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in the URL's order
};

// Fragments are dropped; a plus in the query is a blank.
UrlParts url_parts(const std::string& url);
// The other way round: fit for a request line.
std::string url_text(const UrlParts& parts);

}  // namespace tarn::author
