// What turns a database of Apache DevLake, of any release from v0.10.0 on, into one of Tarn's: numbered steps in a fixed order.
//
// A step looks at the shape of tables and at values, hardly ever at which scripts have run: so databases that were upgraded in part, or that
// took another way, are understood, and every step can be killed and run again. due() changes nothing and may be asked before the steps in front of
// it have run.
// Thread rule: one at a time. Errors: those of the connection and the cipher.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "run/platform.h"
#include "secrets/cipher.h"
#include "secrets/settings.h"
#include "upgrade/database.h"

namespace tarn::upgrade {

struct Context {
    Database& database;
    const run::Platform& platform;
    const secrets::Settings& settings;
    const secrets::Cipher& cipher;
    std::string secret;              // the cipher's
    std::set<std::int64_t> scripts;  // of DevLake's history
    std::function<bool(const std::string& table)> is_own;
    std::set<std::string> known;  // the tables when an upgrade that goes on was begun; else empty
};

struct Due {
    std::vector<std::string> tables;
    std::int64_t rows = 0;
    std::vector<std::string> notes;
    std::vector<std::string> collect_again;  // tables whose rows are set aside
    [[nodiscard]] bool any() const { return !tables.empty() || rows > 0; }
};

struct Step {
    std::string id, title;
    std::function<Result<Due>(Context&)> due;
    std::function<Result<>(Context&)> apply;
};

// In the order in which they run.
std::vector<Step> steps();

Step repair_step();       // what an interrupted upgrade of DevLake left
Step renames_step();      // tables and columns under their newest names
Step set_aside_step();    // tables whose rows have no newest key
Step schema_step();       // missing tables, columns, indexes; types; keys
Step connections_step();  // from `.env`, and old ways to keep logins
Step configs_step();      // transformation rules as scope configs, scopes
Step blueprints_step();   // settings as rows, old plans
Step webhooks_step();     // API keys of webhooks
Step values_step();       // values that stood for others
Step secrets_step();      // texts that must be encrypted
Step domain_step();       // rows of the domain layer under their newest ids
Step seeds_step();        // rows that every home has

// Names of tables and columns after renames_step().
std::map<std::string, FoundTable, std::less<>> after_renames(const Context& context);
// The name under which a table is there now: its own or an old one; "": it is not there.
std::string present_name(const Context& context, const std::string& table);

inline constexpr const char* old_prefix = "_tarn_old_";
std::string set_aside_name(const std::string& table);

// The encrypted or plain text of a cell; nullopt: it is neither (encrypted by another key).
std::optional<std::string> opened(const secrets::Cipher& cipher, const std::string& stored);
// Whether a text that the key does not open may be encrypted by another one.
bool looks_encrypted(const std::string& stored);

// The name without the end that an interrupted upgrade of DevLake's own gives to a table or column; "": it has none. `scripts`: those that have
// run; the ends of v0.14 are those of nobody else only as long as its script has not.
std::string interrupted_original(const std::string& name, const std::set<std::int64_t>& scripts);

// Calls `use` with "id" and the value of every row's column, in pieces; what `use` returns replaces the value.
struct NewValue {
    bool changed = false;
    ControlValue value;
};
Result<> each_value(Database& database, const std::string& table, const std::string& column,
                    const std::function<Result<NewValue>(std::int64_t id, const std::string& value)>& use);

}  // namespace tarn::upgrade
