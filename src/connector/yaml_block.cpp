#include "connector/yaml_block.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tarn::connector {

std::string Problems::place(const YAML::Node& node) const {
    YAML::Mark mark = node.Mark();
    return mark.is_null() ? file_ : file_ + ":" + std::to_string(mark.line + 1);
}

void Problems::add(const std::string& place, const std::string& message) {
    lines_.push_back(place + ": " + message);
}

Result<> Problems::result() const {
    if (lines_.empty()) return {};
    return fail(ErrorKind::bad_data, join(lines_, "\n"));
}

bool read_text(Problems& problems, const YAML::Node& node, std::string& out) {
    if (!node.IsScalar()) {
        problems.add(node, "expected one value");
        return false;
    }
    out = node.Scalar();
    return true;
}

bool read_number(Problems& problems, const YAML::Node& node, std::int64_t& out) {
    const std::string& word = node.IsScalar() ? node.Scalar() : "";
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (word.empty() || error != std::errc() || end != word.data() + word.size() || value < 0) {
        problems.add(node, "expected a number");
        return false;
    }
    out = value;
    return true;
}

bool read_flag(Problems& problems, const YAML::Node& node, bool& out) {
    if (node.IsScalar() && YAML::convert<bool>::decode(node, out)) return true;
    problems.add(node, "expected yes or no");
    return false;
}

void read_duration(Problems& problems, const YAML::Node& node, Millis& out) {
    Millis value = node.IsScalar() ? parse_duration(node.Scalar()) : -1;
    if (value < 0) {
        problems.add(node, "expected a duration, as 90s, 15m, 2h, 30d");
    } else {
        out = value;
    }
}

void read_texts(Problems& problems, const YAML::Node& node, std::vector<std::string>& out) {
    if (node.IsScalar()) {
        out.push_back(node.Scalar());
        return;
    }
    if (!node.IsSequence()) {
        problems.add(node, "expected a list");
        return;
    }
    for (const auto& entry : node) {
        std::string value;
        if (read_text(problems, entry, value)) out.push_back(value);
    }
}

void read_statuses(Problems& problems, const YAML::Node& node, std::vector<int>& out) {
    std::vector<std::string> words;
    read_texts(problems, node, words);
    for (const auto& word : words) {
        int status = 0;
        auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), status);
        if (error != std::errc() || end != word.data() + word.size() || status < 200 || status > 599) {
            problems.add(node, "'" + word + "' is no HTTP status");
        } else {
            out.push_back(status);
        }
    }
}

void read_ordered(Problems& problems, const YAML::Node& node, Ordered& out) {
    if (!node.IsMap()) {
        problems.add(node, "expected a map");
        return;
    }
    for (const auto& entry : node) {
        std::vector<std::string> values;
        if (entry.second.IsNull()) {
            values.emplace_back();
        } else {
            read_texts(problems, entry.second, values);
        }
        for (auto& value : values) out.emplace_back(entry.first.Scalar(), std::move(value));
    }
}

void read_shape(Problems& problems, const YAML::Node& node, model::Shape& out) {
    using Kind = model::Shape::Kind;
    if (node.IsScalar()) {
        auto kind = model::shape_kind(node.Scalar());
        if (!kind) {
            problems.add(node, kind.error().text());
        } else {
            out.kind = *kind;
        }
    } else if (node.IsSequence() && node.size() == 1) {
        out.kind = Kind::list;
        read_shape(problems, node[0], out.element.emplace_back());
    } else if (node.IsMap()) {
        std::set<std::string> names;
        for (const auto& entry : node) {
            // DuckDB's struct fields do not tell upper from lower case
            if (!names.insert(lower(entry.first.Scalar())).second) {
                problems.add(entry.first, "field '" + entry.first.Scalar() + "' stands here twice");
            }
            out.fields.push_back({entry.first.Scalar(), {}});
            read_shape(problems, entry.second, out.fields.back().shape);
        }
    } else {
        problems.add(node, "expected a type, a map of fields or a list of one element");
    }
}

namespace {

// Plain words that YAML means as numbers, booleans and null are so in JSON, quoted ones ("!") are text.
nlohmann::ordered_json to_json(const YAML::Node& node) {
    if (node.IsMap()) {
        auto out = nlohmann::ordered_json::object();
        for (const auto& entry : node) out[entry.first.Scalar()] = to_json(entry.second);
        return out;
    }
    if (node.IsSequence()) {
        auto out = nlohmann::ordered_json::array();
        for (const auto& entry : node) out.push_back(to_json(entry));
        return out;
    }
    if (!node.IsScalar()) return nullptr;
    if (node.Tag() == "?") {
        auto value = nlohmann::ordered_json::parse(node.Scalar(), nullptr, false);
        if (value.is_number() || value.is_boolean()) return value;
    }
    return node.Scalar();
}

}  // namespace

std::string json_text(const YAML::Node& node) {
    return to_json(node).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tarn::connector
