#include "store/server/statements.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace tarn::server {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Behind a quoted text, a comment or one character that starts at `at`.
std::size_t behind(std::string_view sql, std::size_t at) {
    char c = sql[at];
    if (c == '\'' || c == '"') return std::min(sql.find(c, at + 1), sql.size() - 1) + 1;
    if (sql.substr(at, 2) == "--") return std::min(sql.find('\n', at), sql.size());
    return at + 1;
}

class Words {
  public:
    explicit Words(std::string_view sql) : sql_(sql) {}

    // A word in lower case, a quoted name without its quotes, or one character; "" at the end.
    std::string next() {
        skip();
        if (at_ >= sql_.size()) return {};
        auto start = at_;
        if (sql_[at_] == '"') {
            at_ = behind(sql_, at_);
            return std::string(sql_.substr(start + 1, at_ - start - 2));
        }
        if (!is_word(sql_[at_])) {
            at_ = behind(sql_, at_);
            return std::string(sql_.substr(start, at_ - start));
        }
        while (at_ < sql_.size() && is_word(sql_[at_])) ++at_;
        return lower(sql_.substr(start, at_ - start));
    }
    // A table's name; "" for one of the schema temp.
    std::string name() {
        auto first = next();
        skip();
        if (at_ >= sql_.size() || sql_[at_] != '.') return first;
        ++at_;
        auto second = next();
        return first == "temp" ? std::string() : second;
    }

  private:
    void skip() {
        while (at_ < sql_.size()) {
            if (sql_.substr(at_, 2) == "--") {
                at_ = behind(sql_, at_);
            } else if (std::isspace(static_cast<unsigned char>(sql_[at_])) != 0) {
                ++at_;
            } else {
                return;
            }
        }
    }
    std::string_view sql_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string> statements_of(std::string_view sql) {
    std::vector<std::string> out;
    std::size_t start = 0;
    auto take = [&](std::size_t end) {
        auto statement = trimmed(sql.substr(start, end - start));
        if (!statement.empty()) out.emplace_back(statement);
        start = end + 1;
    };
    for (std::size_t at = 0; at < sql.size();) {
        if (sql[at] == ';') take(at);
        at = behind(sql, at);
    }
    if (start < sql.size()) take(sql.size());
    return out;
}

Change change_of(std::string_view statement) {
    Words words(statement);
    auto verb = words.next();
    if (verb == "update") return {Verb::update, words.name()};
    bool erases = verb == "delete";
    if (!erases && verb != "insert") return {};
    if (words.next() != (erases ? "from" : "into")) return {};
    return {erases ? Verb::erase : Verb::insert, words.name()};
}

std::vector<std::string> columns_set(std::string_view update) {
    Words words(update);
    std::vector<std::string> out;
    std::string word = words.next();
    while (!word.empty() && word != "set") word = words.next();
    int depth = 0;
    bool starts = true;
    for (word = words.next(); !word.empty(); word = words.next()) {
        if (depth == 0 && (word == "from" || word == "where")) break;
        if (starts) out.push_back(word);
        starts = depth == 0 && word == ",";
        if (word == "(") ++depth;
        if (word == ")") --depth;
    }
    return out;
}

}  // namespace tarn::server
