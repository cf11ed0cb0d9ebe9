#include "author/urls.h"

#include <charconv>

#include "base/text.h"
#include "http/client.h"

namespace tarn::author {
namespace {

std::string decoded(std::string_view text, bool query) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        bool escape =
            text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3;
        if (!escape) {
            out += query && text[i] == '+' ? ' ' : text[i];
        } else if (!query && byte == '/') {
            out += "%2F";
            i += 2;
        } else {
            out += static_cast<char>(byte);
            i += 2;
        }
    }
    return out;
}

std::string encoded_path(const std::string& path) {
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
        bool kept = path.compare(i, 3, "%2F") == 0 ||
                    std::string("/:@!$&'()*,;=+").find(path[i]) != std::string::npos;
        out += kept ? path.substr(i, 1) : http::url_encode(path.substr(i, 1));
    }
    return out;
}

}  // namespace

UrlParts url_parts(const std::string& url) {
    UrlParts parts;
    std::string_view rest = std::string_view(url).substr(0, url.find('#'));
    auto mark = rest.find('?');
    parts.path = decoded(rest.substr(0, mark), false);
    if (mark == std::string_view::npos) return parts;
    for (const auto& pair : split(rest.substr(mark + 1), '&')) {
        auto equal = pair.find('=');
        std::string value =
            equal == std::string::npos ? "" : decoded(std::string_view(pair).substr(equal + 1), true);
        parts.query.emplace_back(decoded(std::string_view(pair).substr(0, equal), true), value);
    }
    return parts;
}

std::string url_text(const UrlParts& parts) {
    std::string out = encoded_path(parts.path);
    char sign = '?';
    for (const auto& [name, value] : parts.query) {
        out += sign + http::url_encode(name) + "=" + http::url_encode(value);
        sign = '&';
    }
    return out;
}

}  // namespace tarn::author
