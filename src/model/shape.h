// The declared shape of a JSON item, and the parser that turns payloads into DuckDB structs of it.
//
// A payload is parsed once. Missing and null fields are NULL. A field of the wrong type makes the item bad: the parser then gives the
// path and the reason ("user.id: expected bigint, found object"). bigint, integer, double and boolean accept the same
// value as a string ("12"); varchar accepts numbers and booleans; time accepts every layout of base/time.h and is cut to ms; json keeps the raw text as it
// stands in the payload; document is a text, or a rich document as its text (model/document.h). A field "*" holds, as one JSON object, the members that
// are not declared, without those that are null.
// Thread rule: a Shape is read-only once built; the registered function may run on any DuckDB thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/duck.h"

namespace tarn::model {

struct ShapeField;

struct Shape {
    enum class Kind { object, list, bigint, integer, real, boolean, varchar, time, date, json, document };
    Kind kind = Kind::object;
    std::vector<ShapeField> fields;  // of object
    std::vector<Shape> element;      // of list, one entry

    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::string duck_type() const;  // STRUCT(id BIGINT, ...)
};

struct ShapeField {
    std::string name;
    Shape shape;
};

// Kind of a type word ("bigint", "time", ...); bad_data lists the legal words.
Result<Shape::Kind> shape_kind(const std::string& word);

// Registers `name(payload VARCHAR) -> STRUCT(v <shape>, e VARCHAR)`: e is NULL or "path: reason", v is NULL where e is not.
Result<> register_parser(duck::Connection& connection, const std::string& name, const Shape& shape);

}  // namespace tarn::model
