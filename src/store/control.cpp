#include "store/control.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

thread_local int transactions_of_this_thread = 0;

const ControlValue* value_at(const ControlRows& rows, std::size_t row, std::string_view column) {
    auto found = std::ranges::find(rows.names, column);
    if (found == rows.names.end() || row >= rows.rows.size()) return nullptr;
    return &rows.rows[row][static_cast<std::size_t>(found - rows.names.begin())];
}

}  // namespace

bool in_control_transaction() { return transactions_of_this_thread > 0; }

InControlTransaction::InControlTransaction() { ++transactions_of_this_thread; }
InControlTransaction::~InControlTransaction() { --transactions_of_this_thread; }

std::string ControlRows::text(std::size_t row, std::string_view column) const {
    const ControlValue* value = value_at(*this, row, column);
    if (value == nullptr) return {};
    if (const auto* text = std::get_if<std::string>(value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(value)) return std::to_string(*number);
    if (const auto* real = std::get_if<double>(value)) return fmt::format("{}", *real);
    return {};
}

std::int64_t ControlRows::number(std::size_t row, std::string_view column) const {
    const ControlValue* value = value_at(*this, row, column);
    if (value == nullptr) return 0;
    if (const auto* number = std::get_if<std::int64_t>(value)) return *number;
    if (const auto* real = std::get_if<double>(value)) return static_cast<std::int64_t>(*real);
    if (const auto* text = std::get_if<std::string>(value)) return std::strtoll(text->c_str(), nullptr, 10);
    return 0;
}

bool ControlRows::is_null(std::size_t row, std::string_view column) const {
    const ControlValue* value = value_at(*this, row, column);
    return value == nullptr || std::holds_alternative<std::monostate>(*value);
}

std::string holds_text(const std::string& column) { return "lower(" + column + ") like lower(?) escape '!'"; }

std::string insert_of(const std::string& table, const std::vector<std::string>& columns) {
    std::vector<std::string> names, places(columns.size(), "?");
    for (const auto& column : columns) names.push_back(sql_name(column));
    return fmt::format("insert into {} ({}) values ({})", sql_name(table), join(names, ", "),
                       join(places, ", "));
}

std::string like_pattern(const std::string& text) {
    std::string out = "%";
    for (char c : text) {
        if (c == '%' || c == '_' || c == '!') out += '!';
        out += c;
    }
    return out + "%";
}

}  // namespace tarn
