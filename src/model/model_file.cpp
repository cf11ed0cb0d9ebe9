#include "model/model_file.h"

#include <functional>
#include <map>
#include <sstream>

#include "base/text.h"

namespace tarn::model {
namespace {

Failure bad(const std::string& file, int line, const std::string& message, const std::string& next = {}) {
    return fail(ErrorKind::bad_data, message, file + ":" + std::to_string(line), next);
}

bool is_name(const std::string& text) {
    if (text.empty() || (std::isdigit(static_cast<unsigned char>(text.front())) != 0)) return false;
    for (unsigned char c : text) {
        if (std::isalnum(c) == 0 && c != '_') return false;
    }
    return true;
}

// "table by (a, b)" -> table and names
bool table_and_names(const std::string& value, const std::string& word, std::string& table,
                     std::vector<std::string>& names) {
    auto at = value.find(" " + word);
    auto open = value.find('(');
    auto close = value.rfind(')');
    if (at == std::string::npos || open == std::string::npos || close != value.size() - 1 || close < open)
        return false;
    table = trimmed(value.substr(0, at));
    names = split(value.substr(open + 1, close - open - 1), ',');
    if (!is_name(table) || names.empty()) return false;
    for (const auto& name : names) {
        if (!is_name(name)) return false;
    }
    return true;
}

class HeaderReader {
  public:
    HeaderReader(Model& model, std::string file) : model_(model), file_(std::move(file)) {}

    Result<> take(const std::string& key, const std::string& value, int line) {
        static const std::map<std::string, Result<> (HeaderReader::*)(const std::string&, int)> keys = {
            {"subtask", &HeaderReader::subtask},
            {"from", &HeaderReader::from},
            {"rows", &HeaderReader::rows},
            {"children", &HeaderReader::children},
            {"update", &HeaderReader::update},
            {"scope", &HeaderReader::scope},
            {"owns", &HeaderReader::owns},
            {"new", &HeaderReader::new_tables},
            {"static", &HeaderReader::static_tables},
            {"incremental", &HeaderReader::incremental},
            {"after", &HeaderReader::after}};
        auto found = keys.find(key);
        if (found == keys.end()) {
            std::string legal;
            for (const auto& [name, method] : keys) legal += (legal.empty() ? "" : ", ") + name;
            return bad(file_, line, "unknown key '" + key + "'", "Legal: " + legal + ".");
        }
        return (this->*found->second)(value, line);
    }

    Result<> finish(int line) {
        if (model_.subtask.empty()) return bad(file_, line, "the header has no 'subtask'");
        if (model_.driver.empty()) return bad(file_, line, "the header has no 'from'");
        std::size_t subtasks = model_.other_subtasks.size();
        if (subtasks > 0 && subtasks != model_.other_drivers.size())
            return bad(file_, line, "'subtask' names one for all relations of 'from', or one for each");
        if (writes_ != 1) return bad(file_, line, "the header needs one of 'rows', 'children', 'update'");
        if (!model_.owns.empty() && model_.writes != Writes::rows)
            return bad(file_, line, "'owns' goes with 'rows'");
        if (trimmed(model_.sql).empty()) return bad(file_, line, "there is no select behind the header");
        return {};
    }

  private:
    Result<> subtask(const std::string& value, int) {
        model_.other_subtasks = split(value, '|');
        if (model_.other_subtasks.empty()) return {};
        model_.subtask = model_.other_subtasks.front();
        model_.other_subtasks.erase(model_.other_subtasks.begin());
        return {};
    }
    Result<> from(const std::string& value, int line) {
        auto parts = split(value, '|');
        auto words = split(parts.empty() ? "" : parts.back(), ' ');
        if (words.size() == 3 && words[1] == "as") words.erase(words.begin() + 1);
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            if (!is_name(parts[i])) return bad(file_, line, "'from' wants: table | table … alias");
        }
        if (words.empty() || words.size() > 2 || !is_name(words[0]) || !is_name(words.back())) {
            return bad(file_, line, "'from' wants a table and its alias");
        }
        model_.alias = words.back();
        if (!parts.empty()) parts.back() = words[0];
        model_.driver = parts.front();
        model_.other_drivers.assign(parts.begin() + 1, parts.end());
        return {};
    }
    Result<> rows(const std::string& value, int line) {
        ++writes_;
        if (!is_name(value)) return bad(file_, line, "'rows' wants a table");
        model_.target = value;
        return {};
    }
    Result<> children(const std::string& value, int line) {
        ++writes_;
        model_.writes = Writes::children;
        if (!table_and_names(value, "by", model_.target, model_.parent_key))
            return bad(file_, line, "'children' wants: table by (column, …)");
        return {};
    }
    Result<> update(const std::string& value, int line) {
        ++writes_;
        model_.writes = Writes::update;
        if (!table_and_names(value, "set", model_.target, model_.set_columns))
            return bad(file_, line, "'update' wants: table set (column, …)");
        return {};
    }
    Result<> scope(const std::string& value, int) {
        model_.scope = value;
        return {};
    }
    Result<> owns(const std::string& value, int) {
        model_.owns = value;
        model_.incremental = false;
        return {};
    }
    Result<> new_tables(const std::string& value, int) {
        model_.new_tables = split(value, ',');
        return {};
    }
    Result<> static_tables(const std::string& value, int) {
        model_.static_tables = split(value, ',');
        return {};
    }
    Result<> incremental(const std::string& value, int line) {
        if (value != "no" && value != "yes") return bad(file_, line, "'incremental' is yes or no");
        model_.incremental = value == "yes";
        return {};
    }
    Result<> after(const std::string& value, int) {
        model_.after = split(value, ',');
        return {};
    }

    Model& model_;
    std::string file_;
    int writes_ = 0;
};

// Every word `from` of the text.
std::string with_word(const std::string& text, const std::string& from, const std::string& to) {
    auto in_word = [&](std::size_t at) {
        return at < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
    };
    std::string out;
    std::size_t done = 0;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + from.size())) {
        if ((at > 0 && in_word(at - 1)) || in_word(at + from.size())) continue;
        out += text.substr(done, at - done) + to;
        done = at + from.size();
    }
    return out + text.substr(done);
}

Result<Model> parse_model(const std::string& id, const std::string& file, const std::string& text) {
    Model model;
    model.id = id;
    model.file = file;
    HeaderReader header(model, file);
    std::istringstream in(text);
    std::string line;
    int number = 0;
    std::string key;
    std::string value;
    int key_line = 0;
    while (std::getline(in, line)) {
        ++number;
        if (!line.starts_with("--")) break;
        std::string body = line.substr(2);
        // An indented line goes on with the value above it.
        if (body.starts_with("   ") && !key.empty()) {
            value += " " + std::string(trimmed(body));
            continue;
        }
        if (!key.empty()) TARN_TRY(header.take(key, value, key_line));
        auto colon = body.find(':');
        if (colon == std::string::npos) return bad(file, number, "a header line is '-- key: value'");
        key = trimmed(body.substr(0, colon));
        value = trimmed(body.substr(colon + 1));
        key_line = number;
    }
    if (!key.empty()) TARN_TRY(header.take(key, value, key_line));
    model.sql_line = number;
    model.sql = line;
    while (std::getline(in, line)) model.sql += "\n" + line;
    while (!model.sql.empty() &&
           (model.sql.back() == ';' || std::isspace(static_cast<unsigned char>(model.sql.back())) != 0))
        model.sql.pop_back();
    if (number == 0 || model.sql.starts_with("--")) model.sql.clear();
    TARN_TRY(header.finish(number));
    return model;
}

}  // namespace

Result<std::vector<Model>> parse_models(const std::string& id, const std::string& file,
                                        const std::string& text) {
    TARN_ASSIGN(Model first, parse_model(id, file, text));
    std::vector<Model> models = {first};
    for (std::size_t i = 0; i < first.other_drivers.size(); ++i) {
        Model& model = models.emplace_back(first);
        model.driver = first.other_drivers[i];
        model.id += "@" + model.driver;
        if (!first.other_subtasks.empty()) model.subtask = first.other_subtasks[i];
        model.sql = with_word(first.sql, first.driver, model.driver);
        model.scope = with_word(first.scope, first.driver, model.driver);
    }
    return models;
}

Result<std::vector<Model>> read_models(const std::string& id, const std::string& file) {
    std::string text;
    if (!read_file(file, text)) return fail(ErrorKind::bad_data, "cannot be read", file);
    return parse_models(id, file, text);
}

}  // namespace tarn::model
