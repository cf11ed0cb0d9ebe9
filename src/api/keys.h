// API keys: rows of `_devlake_api_keys`. The store holds a digest; a key itself is shown once, when it is made.
// Thread rule: any thread. Errors: bad_data with the field's name; those of the control store.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "api/call.h"
#include "run/home.h"

namespace tarn::api {

class ApiKeys {
  public:
    explicit ApiKeys(const run::Home& home) : home_(home) {}

    struct New {
        std::string name, type, allowed_path, extra;
        std::optional<std::string> expired_at;  // as the control store writes times
    };
    static constexpr std::size_t longest_name = 255;

    // As the API shows it, with the key in `apiKey`. bad_data: the name is taken, the path is no regex.
    Result<nlohmann::json> create(const New& key) const;
    // The same with a new key in place of the old one; nullopt: no such id
    Result<std::optional<nlohmann::json>> renew(std::int64_t id) const;
    Result<std::optional<nlohmann::json>> find_by_name(const std::string& name) const;
    // {"apikeys", "count"}: those of type `devlake`, newest first
    Result<nlohmann::json> list(std::int64_t page, std::int64_t page_size) const;
    // false: no such id
    Result<bool> remove(std::int64_t id) const;
    Result<> remove_by_extra(const std::string& type, const std::string& extra) const;

    // Whether an Authorization header opens `path` (Match::shown). Refusals: 401 without a usable header, else 403.
    Reply<bool> check(const std::string& authorization, const std::string& path) const;

  private:
    const run::Home& home_;
};

// The `type` of the keys that a plugin makes for its own routes, and their name.
std::string plugin_key_type(const std::string& plugin);
std::string plugin_key_name(const std::string& plugin, std::int64_t id);

}  // namespace tarn::api
