#include "run/sealed_url.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr std::string_view scheme_end = "://", mask = "***";

// Where user and password stand; `size` 0: there are none.
struct UserInfo {
    std::size_t at = 0, size = 0;
};

UserInfo user_info(const std::string& url) {
    auto scheme = url.find(scheme_end);
    std::size_t start = scheme == std::string::npos ? 0 : scheme + scheme_end.size();
    // A password may hold what should have been encoded: the last @ of what stands before the path counts.
    auto end = url.find_first_of("/?#", start);
    auto at = url.rfind('@', end);
    if (at == std::string::npos || at < start) return {};
    return {start, at - start};
}

}  // namespace

bool is_address(const connector::Field& field) { return field.kind == "url" || field.kind == "proxy"; }

const Table* connection_table(const connector::Connector& connector) {
    auto found = std::ranges::find(connector.tables, connector.connection.table, &Table::name);
    return found == connector.tables.end() ? nullptr : &*found;
}

std::string masked_url(const std::string& url) {
    auto found = user_info(url);
    std::string out = url;
    if (found.size > 0) out.replace(found.at, found.size, mask);
    return out;
}

namespace {

// Options of tasks that read a repository.
bool is_secret(const std::string& name, const Json& value) {
    static const std::vector<std::string> names = {"password", "privateKey", "passphrase"};
    return contains(names, name) && value.is_string() && !value.get_ref<const std::string&>().empty();
}

}  // namespace

Json masked_urls(Json value) {
    if (value.is_array()) {
        for (auto& item : value) item = masked_urls(std::move(item));
    }
    if (value.is_object()) {
        for (auto& [name, item] : value.items())
            item = is_secret(name, item) ? Json(mask) : masked_urls(std::move(item));
    }
    if (!value.is_string() || value.get_ref<const std::string&>().find(scheme_end) == std::string::npos)
        return value;
    return masked_url(value.get<std::string>());
}

Json unmasked_urls(Json sent, const Json& stored) {
    if (sent.is_object() && stored.is_object()) {
        for (auto& [name, item] : sent.items()) {
            if (!stored.contains(name)) continue;
            bool stands = item == mask && is_secret(name, stored[name]);
            item = stands ? stored[name] : unmasked_urls(std::move(item), stored[name]);
        }
    }
    if (sent.is_array() && stored.is_array()) {
        for (std::size_t i = 0; i < std::min(sent.size(), stored.size()); ++i)
            sent[i] = unmasked_urls(std::move(sent[i]), stored[i]);
    }
    bool stands = sent.is_string() && stored.is_string() && sent == masked_urls(stored);
    return stands ? stored : sent;
}

Result<std::string> sealed_url(const std::string& url, const secrets::Cipher& cipher) {
    if (user_info(url).size == 0) return url;
    return cipher.encrypt(url);
}

Result<std::string> opened_url(const std::string& stored, const secrets::Cipher& cipher) {
    // No URL with a scheme is base64, and one without is no URL that we take.
    if (stored.empty() || stored.find(scheme_end) != std::string::npos) return stored;
    auto text = cipher.decrypt(stored);
    if (!text && text.error().kind == ErrorKind::bad_data) return stored;
    return text;
}

}  // namespace tarn::run
