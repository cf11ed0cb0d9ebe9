#include "model/inputs.h"

#include <algorithm>

#include "base/text.h"

namespace tarn::model {
namespace {

bool name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// End of the quoted text or comment that starts at `at`; `at` itself where none starts there.
std::size_t skip_opaque(const std::string& sql, std::size_t at) {
    char c = sql[at];
    if (c == '\'' || c == '"') {
        auto end = sql.find(c, at + 1);
        return end == std::string::npos ? sql.size() : end + 1;
    }
    if (sql.compare(at, 2, "--") == 0) {
        auto end = sql.find('\n', at);
        return end == std::string::npos ? sql.size() : end;
    }
    if (sql.compare(at, 2, "/*") == 0) {
        auto end = sql.find("*/", at + 2);
        return end == std::string::npos ? sql.size() : end + 2;
    }
    return at;
}

Failure unknown(const std::string& sql, std::size_t at, const std::string& name, const Inputs& inputs) {
    auto line = 1 + std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    std::string legal;
    for (const auto& [known, literal] : inputs) legal += (legal.empty() ? "$" : ", $") + known;
    return fail(ErrorKind::bad_data, "unknown input $" + name, "line " + std::to_string(line),
                "Known: " + legal + ".");
}

}  // namespace

std::string text_literal(const std::string& text) {
    return sql_text(replaced(text, std::string(1, '\0'), ""));
}

Result<std::string> substitute(const std::string& sql, const Inputs& inputs) {
    std::string out;
    out.reserve(sql.size() * 2);
    for (std::size_t at = 0; at < sql.size();) {
        std::size_t end = skip_opaque(sql, at);
        if (end > at) {
            out.append(sql, at, end - at);
            at = end;
            continue;
        }
        if (sql[at] != '$' || at + 1 >= sql.size() || !name_char(sql[at + 1])) {
            out += sql[at++];
            continue;
        }
        end = at + 1;
        while (end < sql.size() && name_char(sql[end])) ++end;
        std::string name = sql.substr(at + 1, end - at - 1);
        auto found = inputs.find(name);
        if (found == inputs.end()) return unknown(sql, at, name, inputs);
        out += found->second;
        at = end;
    }
    return out;
}

}  // namespace tarn::model
