#include "model/shape.h"

#include <array>

namespace tarn::model {
namespace {

struct Word {
    const char* name;
    Shape::Kind kind;
    const char* duck;
};

constexpr std::array<Word, 9> words = {{
    {"bigint", Shape::Kind::bigint, "BIGINT"},
    {"integer", Shape::Kind::integer, "INTEGER"},
    {"double", Shape::Kind::real, "DOUBLE"},
    {"boolean", Shape::Kind::boolean, "BOOLEAN"},
    {"varchar", Shape::Kind::varchar, "VARCHAR"},
    {"time", Shape::Kind::time, "TIMESTAMP"},
    {"date", Shape::Kind::date, "DATE"},
    {"json", Shape::Kind::json, "VARCHAR"},
    {"document", Shape::Kind::document, "VARCHAR"},
}};

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

bool Shape::empty() const { return kind == Kind::object && fields.empty(); }

std::string Shape::duck_type() const {
    if (kind == Kind::list) return element.front().duck_type() + "[]";
    if (kind == Kind::object) {
        std::string out = "STRUCT(";
        for (const auto& [name, shape] : fields) {
            if (out.back() != '(') out += ", ";
            out += quoted(name) + " " + shape.duck_type();
        }
        return out + ")";
    }
    for (const auto& word : words) {
        if (word.kind == kind) return word.duck;
    }
    return "VARCHAR";
}

Result<Shape::Kind> shape_kind(const std::string& word) {
    std::string legal;
    for (const auto& known : words) {
        if (word == known.name) return known.kind;
        legal += legal.empty() ? "" : ", ";
        legal += known.name;
    }
    return fail(ErrorKind::bad_data, "unknown field type '" + word + "'", {},
                "Legal: " + legal + ", {…}, […].");
}

}  // namespace tarn::model
