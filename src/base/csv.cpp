#include "base/csv.h"

#include "base/text.h"

namespace tarn {
namespace {

class CsvReader {
  public:
    explicit CsvReader(const std::string& text) : text_(text) {}

    [[nodiscard]] bool done() const { return pos_ >= text_.size(); }
    [[nodiscard]] int line() const { return line_; }

    // One record; false where a quote is not closed or does not end its field.
    bool record(std::vector<std::string>& fields) {
        fields.clear();
        while (true) {
            std::string field;
            if (!this->field(field)) return false;
            fields.push_back(std::move(field));
            if (pos_ < text_.size() && text_[pos_] == ',') {
                ++pos_;
                continue;
            }
            if (pos_ < text_.size()) ++pos_;
            ++line_;
            return true;
        }
    }

  private:
    bool field(std::string& out) {
        if (pos_ < text_.size() && text_[pos_] == '"') return quoted(out);
        while (pos_ < text_.size() && text_[pos_] != ',' && text_[pos_] != '\n') out += text_[pos_++];
        return true;
    }

    bool quoted(std::string& out) {
        ++pos_;
        while (pos_ < text_.size()) {
            char c = text_[pos_++];
            if (c == '\n') ++line_;
            if (c != '"') {
                out += c;
                continue;
            }
            if (pos_ < text_.size() && text_[pos_] == '"') {
                out += '"';
                ++pos_;
                continue;
            }
            return pos_ >= text_.size() || text_[pos_] == ',' || text_[pos_] == '\n';
        }
        return false;
    }

    const std::string& text_;
    std::size_t pos_ = 0;
    int line_ = 1;
};

}  // namespace

Result<Csv> parse_csv(const std::string& text) {
    std::string unix_text = replaced(text, "\r\n", "\n");
    if (unix_text.starts_with("\xEF\xBB\xBF")) unix_text.erase(0, 3);
    CsvReader reader(unix_text);
    Csv csv;
    std::vector<std::string> fields;
    while (!reader.done()) {
        int line = reader.line();
        if (!reader.record(fields))
            return fail(ErrorKind::bad_data, "a quoted field is not closed, or text follows its end",
                        "line " + std::to_string(line));
        if (fields.size() == 1 && fields[0].empty()) continue;
        if (csv.header.empty()) {
            csv.header = fields;
            continue;
        }
        if (fields.size() > csv.header.size())
            return fail(ErrorKind::bad_data, "more fields than the header has",
                        "line " + std::to_string(line));
        if (fields.size() < csv.header.size() && csv.short_line == 0) csv.short_line = line;
        fields.resize(csv.header.size());
        csv.rows.push_back(fields);
        csv.lines.push_back(line);
    }
    return csv;
}

std::string csv_line(const std::vector<std::optional<std::string>>& fields) {
    std::string out;
    bool first = true;
    for (const auto& field : fields) {
        if (!first) out += ',';
        first = false;
        if (!field) continue;
        bool quoted = field->empty() || field->find_first_of(",\"\r\n") != std::string::npos;
        out += quoted ? "\"" + replaced(*field, "\"", "\"\"") + "\"" : *field;
    }
    return out + "\n";
}

}  // namespace tarn
