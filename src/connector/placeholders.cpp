#include "connector/placeholders.h"

#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tarn::connector {
namespace {

using Json = nlohmann::ordered_json;

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return starts_name(c) || (c >= '0' && c <= '9') || c == '.'; }

// The placeholder at the start of `text`, and its length.
std::size_t take_placeholder(std::string_view text, Piece& out) {
    std::size_t at = 1;
    if (text.size() < 3 || !starts_name(text[1])) return 0;
    while (at < text.size() && in_name(text[at])) ++at;
    std::size_t end = at;
    if (end < text.size() && text[end] == ':') end = text.find('}', end);
    if (end >= text.size() || text[end] != '}') return 0;
    out = {std::string(text.substr(1, at - 1)),
           at < end ? std::string(text.substr(at + 1, end - at - 1)) : "", true};
    return end + 1;
}

std::string format_time(Millis millis, const std::string& layout) {
    if (millis == 0) return {};
    if (layout.empty()) return format_rfc3339(millis);
    if (layout == "epoch") return std::to_string(millis / 1000);
    if (layout == "epoch_ms") return std::to_string(millis);
    std::time_t seconds = millis / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << std::put_time(&parts, layout.c_str());
    return out.str();
}

// Slashes stay: values of several segments (owner/repo) are the rule.
std::string path_encoded(const std::string& text) {
    static constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:@!$&'()*+,;=";
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    return out;
}

// "job" and "a/b": "job/a/job/b".
std::string below_each(const std::string& word, const std::string& value) {
    std::string out;
    for (const auto& segment : split(value, '/')) out += (out.empty() ? "" : "/") + word + "/" + segment;
    return out;
}

Result<std::string> value_of(const Piece& piece, const Values& values) {
    for (const Values* level = &values; level != nullptr; level = level->outer) {
        if (auto time = level->times.find(piece.text); time != level->times.end())
            return format_time(time->second, piece.layout);
        if (auto text = level->texts.find(piece.text); text != level->texts.end()) {
            constexpr std::string_view each = "each ";
            bool nested = piece.layout.starts_with(each);
            return nested ? below_each(piece.layout.substr(each.size()), text->second) : text->second;
        }
    }
    return fail(ErrorKind::bad_data, "there is no value for {" + piece.text + "}");
}

bool is_number_name(const Piece& piece) {
    return piece.layout == "number" || piece.text == "page" || piece.text == "size" || piece.text == "offset";
}

// False where the member is to be left out.
Result<bool> fill_json(Json& node, const Values& values) {
    if (node.is_string()) {
        const auto& text = node.get_ref<const std::string&>();
        auto pieces = pieces_of(text);
        TARN_ASSIGN(Filled filled, fill(text, values));
        bool alone = pieces.size() == 1 && pieces.front().placeholder;
        if (filled.left_empty && alone) return false;
        Json number =
            alone && is_number_name(pieces.front()) ? Json::parse(filled.text, nullptr, false) : Json();
        node = number.is_number() ? number : Json(filled.text);
        return true;
    }
    if (!node.is_structured()) return true;
    for (auto member = node.begin(); member != node.end();) {
        TARN_ASSIGN(bool kept, fill_json(*member, values));
        member = kept ? std::next(member) : node.erase(member);
    }
    return true;
}

}  // namespace

std::vector<Piece> pieces_of(std::string_view text) {
    std::vector<Piece> out;
    auto literal = [&](std::string_view part) {
        if (part.empty()) return;
        if (out.empty() || out.back().placeholder) out.emplace_back();
        out.back().text += part;
    };
    while (!text.empty()) {
        std::size_t brace = text.find('{');
        literal(text.substr(0, brace));
        if (brace == std::string_view::npos) break;
        text.remove_prefix(brace);
        Piece piece;
        std::size_t length = take_placeholder(text, piece);
        if (length > 0) {
            out.push_back(std::move(piece));
        } else {
            literal(text.substr(0, length = 1));
        }
        text.remove_prefix(length);
    }
    return out;
}

bool has_placeholder(std::string_view text, std::string_view name) {
    for (const auto& piece : pieces_of(text)) {
        if (piece.placeholder && piece.text == name) return true;
    }
    return false;
}

Result<Filled> fill(std::string_view text, const Values& values, Encoding encoding) {
    Filled out;
    for (const auto& piece : pieces_of(text)) {
        if (!piece.placeholder) {
            out.text += piece.text;
            continue;
        }
        TARN_ASSIGN(std::string value, value_of(piece, values));
        out.left_empty = out.left_empty || value.empty();
        out.text += encoding == Encoding::path && piece.layout != "raw" ? path_encoded(value) : value;
    }
    return out;
}

Result<std::string> fill_body(const std::string& body, const Values& values) {
    Json json = body.starts_with('{') || body.starts_with('[') ? Json::parse(body, nullptr, false) : Json();
    if (!json.is_structured()) {
        TARN_ASSIGN(Filled filled, fill(body, values));
        return std::move(filled.text);
    }
    TARN_ASSIGN([[maybe_unused]] bool kept, fill_json(json, values));
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tarn::connector
