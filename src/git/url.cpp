#include "git/repository.h"

#include <algorithm>
#include <charconv>

namespace tarn::git {
namespace {

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        bool escape = text[i] == '%' && i + 2 < text.size();
        if (escape &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

PlainUrl split_url(const std::string& url) {
    PlainUrl out{url, "", ""};
    auto scheme = url.find("://");
    if (scheme == std::string::npos) return out;
    auto begin = scheme + 3;
    auto end = std::min(url.find_first_of("/?#", begin), url.size());
    auto at = url.rfind('@', end);
    if (at == std::string::npos || at < begin || at >= end) return out;
    std::string_view given(url.data() + begin, at - begin);
    auto colon = given.find(':');
    out.user = decoded(given.substr(0, colon));
    if (colon != std::string_view::npos) out.password = decoded(given.substr(colon + 1));
    bool is_ssh = url.starts_with("ssh://");
    // The user of ssh is part of the address, no secret.
    out.url = url.substr(0, begin) + (is_ssh ? out.user + "@" : "") + url.substr(at + 1);
    return out;
}

}  // namespace tarn::git
