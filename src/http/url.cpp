#include "http/url.h"

#include <cctype>
#include <memory>

#include <curl/curl.h>

#include "base/text.h"
#include "http/client.h"

namespace tarn::http {
namespace {

using Parts = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Parts parsed(const std::string& url) {
    Parts parts(curl_url(), curl_url_cleanup);
    if (parts && curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) parts.reset();
    return parts;
}

std::string part(const Parts& parts, CURLUPart what, unsigned flags = 0) {
    char* text = nullptr;
    if (!parts || curl_url_get(parts.get(), what, &text, flags) != CURLUE_OK || text == nullptr) return {};
    std::string out = text;
    curl_free(text);
    return out;
}

bool has_scheme(std::string_view text) {
    auto at = text.find("://");
    if (at == 0 || at == std::string_view::npos || std::isalpha(static_cast<unsigned char>(text[0])) == 0)
        return false;
    for (char c : text.substr(0, at)) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '+' && c != '.' && c != '-')
            return false;
    }
    return true;
}

// One `; name=value` behind a link's URL; leaves `rest` behind it.
bool take_parameter(std::string_view& rest, std::string& name, std::string& value) {
    rest = trimmed(rest);
    if (rest.empty() || rest.front() != ';') return false;
    rest.remove_prefix(1);
    auto end = rest.find_first_of("=;,");
    name = lower(trimmed(rest.substr(0, end)));
    value.clear();
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
    if (rest.empty() || rest.front() != '=') return true;
    rest = trimmed(rest.substr(1));
    bool quoted = !rest.empty() && rest.front() == '"';
    if (quoted) rest.remove_prefix(1);
    end = rest.find_first_of(quoted ? "\"" : ";,");
    value = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + (quoted ? 1 : 0));
    return true;
}

}  // namespace

std::string shown_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    auto host = url.find("://");
    host = host == std::string_view::npos ? 0 : host + 3;
    // The last @ before the path: a careless password may hold one as well.
    auto path = url.find('/', host);
    auto at = url.substr(0, path).rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(url);
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

bool is_http_url(std::string_view url) {
    auto scheme = lower(url.substr(0, 8));
    return scheme.starts_with("http://") || scheme == "https://";
}

std::string host_of(const std::string& url) {
    auto host = lower(part(parsed(url), CURLUPART_HOST));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host;
}

bool same_site(const std::string& a, const std::string& b) {
    auto from = parsed(a);
    auto to = parsed(b);
    if (!from || !to || lower(part(from, CURLUPART_HOST)) != lower(part(to, CURLUPART_HOST))) return false;
    auto from_port = part(from, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    auto to_port = part(to, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (part(from, CURLUPART_SCHEME) == part(to, CURLUPART_SCHEME)) return from_port == to_port;
    return part(to, CURLUPART_SCHEME) == "https" && from_port == "80" && to_port == "443";
}

Result<std::string> redirect_target(const std::string& url, const std::string& location) {
    auto parts = parsed(url);
    bool from_https = part(parts, CURLUPART_SCHEME) == "https";
    constexpr unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE;
    if (!parts || curl_url_set(parts.get(), CURLUPART_URL, location.c_str(), flags) != CURLUE_OK) {
        return fail(ErrorKind::terminal, "redirected to something that is not a URL", shown_url(url),
                    "Check the endpoint.");
    }
    auto scheme = part(parts, CURLUPART_SCHEME);
    auto target = part(parts, CURLUPART_URL);
    if (scheme != "https" && (scheme != "http" || from_https)) {
        return fail(ErrorKind::terminal,
                    "redirected to " + shown_url(target) + ", which is less safe, refused", shown_url(url),
                    "Check the endpoint.");
    }
    return target;
}

std::map<std::string, std::string> parse_link(const std::string& header) {
    std::map<std::string, std::string> links;
    std::string_view rest = header;
    while (true) {
        auto open = rest.find('<');
        auto close = rest.find('>', open == std::string_view::npos ? 0 : open);
        if (open == std::string_view::npos || close == std::string_view::npos) return links;
        auto url = std::string(trimmed(rest.substr(open + 1, close - open - 1)));
        rest.remove_prefix(close + 1);
        std::string name;
        std::string value;
        while (take_parameter(rest, name, value)) {
            if (name != "rel") continue;
            for (const auto& rel : split(lower(value), ' ')) links.emplace(rel, url);
        }
    }
}

std::string url_encode(const std::string& text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        bool ascii = byte < 0x80;
        if (ascii && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~')) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

std::string join_url(const std::string& base, const std::string& path) {
    if (has_scheme(path)) return path;
    auto out = base.substr(0, base.find_first_of("?#"));
    if (!out.ends_with('/')) out += '/';
    return out + (path.starts_with('/') ? path.substr(1) : path);
}

}  // namespace tarn::http
