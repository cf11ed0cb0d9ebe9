#include "model/json_vectors.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "base/time.h"
#include "model/document.h"

namespace tarn::model {
namespace {

using simdjson::ondemand::json_type;

std::string_view type_name(json_type type) {
    switch (type) {
        case json_type::array: return "list";
        case json_type::object: return "object";
        case json_type::number: return "number";
        case json_type::string: return "string";
        case json_type::boolean: return "boolean";
        default: return "null";
    }
}

std::string_view shape_name(Shape::Kind kind) {
    switch (kind) {
        case Shape::Kind::object: return "object";
        case Shape::Kind::list: return "list";
        case Shape::Kind::bigint: return "bigint";
        case Shape::Kind::integer: return "integer";
        case Shape::Kind::real: return "double";
        case Shape::Kind::boolean: return "boolean";
        case Shape::Kind::varchar: return "varchar";
        case Shape::Kind::time: return "time";
        case Shape::Kind::date: return "date";
        case Shape::Kind::json: return "json";
        case Shape::Kind::document: return "document";
    }
    return "value";
}

template <class T>
void put(duckdb_vector vector, idx_t row, T value) {
    static_cast<T*>(duckdb_vector_get_data(vector))[row] = value;
}

void put_text(duckdb_vector vector, idx_t row, std::string_view value) {
    duckdb_vector_assign_string_element_len(vector, row, value.data(), value.size());
}

void append_utf8(std::string& out, std::uint32_t code) {
    auto push = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        push(code);
    } else if (code < 0x800) {
        push(0xC0 | (code >> 6U));
        push(0x80 | (code & 0x3FU));
    } else if (code < 0x10000) {
        push(0xE0 | (code >> 12U));
        push(0x80 | ((code >> 6U) & 0x3FU));
        push(0x80 | (code & 0x3FU));
    } else {
        push(0xF0 | (code >> 18U));
        push(0x80 | ((code >> 12U) & 0x3FU));
        push(0x80 | ((code >> 6U) & 0x3FU));
        push(0x80 | (code & 0x3FU));
    }
}

bool hex4(std::string_view text, std::size_t at, std::uint32_t& code) {
    if (at + 4 > text.size()) return false;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
    return error == std::errc() && end == text.data() + at + 4;
}

// For strings that simdjson refuses: a lone surrogate becomes U+FFFD, as in Go.
bool unescape_leniently(std::string_view raw, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\') {
            out += raw[i];
            continue;
        }
        if (++i >= raw.size()) return false;
        constexpr std::string_view from = "\"\\/bfnrt";
        constexpr std::string_view to = "\"\\/\b\f\n\r\t";
        if (auto at = from.find(raw[i]); at != std::string_view::npos) {
            out += to[at];
            continue;
        }
        std::uint32_t code = 0;
        if (raw[i] != 'u' || !hex4(raw, i + 1, code)) return false;
        i += 4;
        std::uint32_t low = 0;
        bool high = code >= 0xD800 && code < 0xDC00;
        if (high && raw.substr(i + 1).starts_with("\\u") && hex4(raw, i + 3, low) && low >= 0xDC00 &&
            low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
            i += 6;
        } else if (code >= 0xD800 && code < 0xE000) {
            code = 0xFFFD;
        }
        append_utf8(out, code);
    }
    return true;
}

}  // namespace

void set_null(const Shape& shape, duckdb_vector vector, idx_t row) {
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
    if (shape.kind == Shape::Kind::list) {
        put(vector, row, duckdb_list_entry{0, 0});
        return;
    }
    for (idx_t i = 0; i < shape.fields.size(); ++i) {
        set_null(shape.fields[i].shape, duckdb_struct_vector_get_child(vector, i), row);
    }
}

bool JsonWriter::wrong(const Shape& shape, std::string_view found) {
    reason_ = "expected " + std::string(shape_name(shape.kind)) + ", found " + std::string(found);
    return false;
}

bool JsonWriter::broken(simdjson::error_code code) {
    reason_ = std::string("not valid JSON: ") + simdjson::error_message(code);
    return false;
}

// NUL cannot be stored by every home, so it is left out here, where text enters.
bool JsonWriter::text(simdjson::ondemand::value in, std::string_view& out) {
    std::string_view raw = in.raw_json_token();
    auto error = in.get_string().get(out);
    if (error == simdjson::STRING_ERROR) {
        raw = trimmed(raw);
        if (raw.size() < 2 || !unescape_leniently(raw.substr(1, raw.size() - 2), unescaped_))
            return broken(error);
        out = unescaped_;
    } else if (error != simdjson::SUCCESS) {
        return broken(error);
    }
    if (out.find('\0') != std::string_view::npos) {
        unescaped_ = replaced(std::string(out), std::string_view("\0", 1), "");
        out = unescaped_;
    }
    return true;
}

namespace {

bool put_integer(const Shape& shape, duckdb_vector vector, idx_t row, std::int64_t value) {
    if (shape.kind == Shape::Kind::bigint) {
        put(vector, row, value);
        return true;
    }
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
        return false;
    put(vector, row, static_cast<std::int32_t>(value));
    return true;
}

// A number given as text; false where the text is none of the shape.
bool put_number_text(const Shape& shape, duckdb_vector vector, idx_t row, std::string_view text) {
    if (shape.kind == Shape::Kind::real) {
        double value = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) return false;
        put(vector, row, value);
        return true;
    }
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size())
        return put_integer(shape, vector, row, value);
    double real = 0;
    auto [real_end, real_error] = std::from_chars(text.data(), text.data() + text.size(), real);
    bool whole = real_error == std::errc() && real_end == text.data() + text.size() &&
                 std::floor(real) == real && std::abs(real) < 9.0e18;
    return whole && put_integer(shape, vector, row, static_cast<std::int64_t>(real));
}

bool put_time(const Shape& shape, duckdb_vector vector, idx_t row, std::string_view text, Parsed& parsed) {
    Millis millis = 0;
    parsed = parse_time(text, millis);
    if (parsed == Parsed::none) set_null(shape, vector, row);
    if (parsed != Parsed::ok) return parsed == Parsed::none;
    constexpr Millis day = 86'400'000;
    if (shape.kind == Shape::Kind::time) {
        put(vector, row, millis * 1000);
    } else {
        put(vector, row, static_cast<std::int32_t>((millis >= 0 ? millis : millis - day + 1) / day));
    }
    return true;
}

}  // namespace

bool JsonWriter::number(simdjson::ondemand::value in, json_type type, const Shape& shape,
                        duckdb_vector vector, idx_t row) {
    std::string_view token;
    if (type == json_type::number) {
        token = trimmed(in.raw_json_token());
    } else if (type == json_type::string) {
        if (!text(in, token)) return false;
        token = trimmed(token);
        if (token.empty()) {
            set_null(shape, vector, row);
            return true;
        }
    } else {
        return wrong(shape, type_name(type));
    }
    if (put_number_text(shape, vector, row, token)) return true;
    return wrong(shape, std::string(type_name(type)) + " " + std::string(token.substr(0, 40)));
}

bool JsonWriter::scalar(simdjson::ondemand::value in, const Shape& shape, duckdb_vector vector, idx_t row) {
    json_type type{};
    if (auto error = in.type().get(type)) return broken(error);
    std::string_view token;
    switch (shape.kind) {
        case Shape::Kind::bigint:
        case Shape::Kind::integer:
        case Shape::Kind::real: return number(in, type, shape, vector, row);
        case Shape::Kind::boolean: {
            if (type == json_type::boolean) {
                bool value = false;
                if (auto error = in.get_bool().get(value)) return broken(error);
                put(vector, row, value);
                return true;
            }
            if (type == json_type::string && !text(in, token)) return false;
            if (type == json_type::number) token = trimmed(in.raw_json_token());
            if (token == "true" || token == "1" || token == "false" || token == "0") {
                put(vector, row, token == "true" || token == "1");
                return true;
            }
            return wrong(shape, type_name(type));
        }
        case Shape::Kind::time:
        case Shape::Kind::date: {
            if (type != json_type::string) return wrong(shape, type_name(type));
            if (!text(in, token)) return false;
            Parsed parsed = Parsed::ok;
            if (put_time(shape, vector, row, token, parsed)) return true;
            return wrong(shape, "'" + std::string(token.substr(0, 40)) + "'");
        }
        default:
            if (type == json_type::string) {
                if (!text(in, token)) return false;
            } else if (type == json_type::number || type == json_type::boolean) {
                token = trimmed(in.raw_json_token());
            } else {
                return wrong(shape, type_name(type));
            }
            put_text(vector, row, token);
            return true;
    }
}

bool JsonWriter::list(simdjson::ondemand::array in, const Shape& shape, duckdb_vector vector, idx_t row) {
    const Shape& element = shape.element.front();
    idx_t start = duckdb_list_vector_get_size(vector);
    idx_t size = start;
    for (auto item : in) {
        simdjson::ondemand::value entry;
        if (auto error = item.get(entry)) return broken(error);
        duckdb_list_vector_reserve(vector, size + 1);
        duckdb_list_vector_set_size(vector, size + 1);
        if (!value(entry, element, duckdb_list_vector_get_child(vector), size)) {
            path_ = "[" + std::to_string(size - start) + "]" + path_;
            return false;
        }
        ++size;
    }
    put(vector, row, duckdb_list_entry{start, size - start});
    return true;
}

bool JsonWriter::object(simdjson::ondemand::object in, const Shape& shape, duckdb_vector vector, idx_t row) {
    for (idx_t i = 0; i < shape.fields.size(); ++i) {
        set_null(shape.fields[i].shape, duckdb_struct_vector_get_child(vector, i), row);
    }
    constexpr std::string_view all_others = "*";
    std::string others;
    idx_t others_at = shape.fields.size();
    for (idx_t i = 0; i < shape.fields.size(); ++i) {
        if (shape.fields[i].name == all_others) others_at = i;
    }
    for (auto member : in) {
        simdjson::ondemand::raw_json_string key;
        if (auto error = member.key().get(key)) return broken(error);
        bool known = false;
        for (idx_t i = 0; i < shape.fields.size(); ++i) {
            const auto& [name, field_shape] = shape.fields[i];
            if (i == others_at || !key.unsafe_is_equal(name)) continue;
            known = true;
            simdjson::ondemand::value field;
            if (auto error = member.value().get(field)) return broken(error);
            duckdb_vector child = duckdb_struct_vector_get_child(vector, i);
            duckdb_validity_set_row_valid(duckdb_vector_get_validity(child), row);
            if (!value(field, field_shape, child, row)) {
                path_ = (path_.empty() || path_.front() == '[' ? name : name + ".") + path_;
                return false;
            }
            break;
        }
        if (!known && others_at < shape.fields.size()) {
            simdjson::ondemand::value field;
            if (auto error = member.value().get(field)) return broken(error);
            if (!add_member(others, key, field)) return false;
        }
    }
    if (others.empty()) return true;
    duckdb_vector child = duckdb_struct_vector_get_child(vector, others_at);
    duckdb_validity_set_row_valid(duckdb_vector_get_validity(child), row);
    put_text(child, row, others + "}");
    return true;
}

// The name as it stands in the payload, with its escapes.
bool JsonWriter::add_member(std::string& object, simdjson::ondemand::raw_json_string key,
                            simdjson::ondemand::value in) {
    std::string_view raw;
    if (!raw_text(in, raw)) return false;
    if (raw == "null") return true;
    const char* end = key.raw();
    while (*end != '"') end += *end == '\\' ? 2 : 1;
    object += object.empty() ? "{\"" : ",\"";
    object.append(key.raw(), end);
    object += "\":";
    object += raw;
    return true;
}

bool JsonWriter::raw_text(simdjson::ondemand::value in, std::string_view& out) {
    simdjson::ondemand::object object_in;
    simdjson::ondemand::array array_in;
    if (in.get_object().get(object_in) == simdjson::SUCCESS) {
        if (auto error = object_in.raw_json().get(out)) return broken(error);
    } else if (in.get_array().get(array_in) == simdjson::SUCCESS) {
        if (auto error = array_in.raw_json().get(out)) return broken(error);
    } else {
        out = in.raw_json_token();
    }
    out = trimmed(out);
    return true;
}

bool JsonWriter::value(simdjson::ondemand::value in, const Shape& shape, duckdb_vector vector, idx_t row) {
    json_type type{};
    if (auto error = in.type().get(type)) return broken(error);
    if (type == json_type::null) {
        set_null(shape, vector, row);
        return true;
    }
    bool nested = type == json_type::object || type == json_type::array;
    if (shape.kind == Shape::Kind::json || (shape.kind == Shape::Kind::document && nested)) {
        std::string_view raw;
        if (!raw_text(in, raw)) return false;
        put_text(vector, row, shape.kind == Shape::Kind::json ? raw : std::string_view(document_text(raw)));
        return true;
    }
    if (shape.kind == Shape::Kind::object) {
        simdjson::ondemand::object object_in;
        if (type != json_type::object) return wrong(shape, type_name(type));
        if (auto error = in.get_object().get(object_in)) return broken(error);
        return object(object_in, shape, vector, row);
    }
    if (shape.kind == Shape::Kind::list) {
        simdjson::ondemand::array array_in;
        if (type != json_type::array) return wrong(shape, type_name(type));
        if (auto error = in.get_array().get(array_in)) return broken(error);
        return list(array_in, shape, vector, row);
    }
    return scalar(in, shape, vector, row);
}

std::optional<std::string> JsonWriter::write(std::string_view payload, const Shape& shape,
                                             duckdb_vector vector, idx_t row) {
    reason_.clear();
    path_.clear();
    padded_.reserve(payload.size() + simdjson::SIMDJSON_PADDING);
    padded_.assign(payload);
    simdjson::ondemand::document document;
    auto run = [&] {
        if (auto error = parser_.iterate(padded_.data(), padded_.size(), padded_.capacity()).get(document))
            return broken(error);
        json_type type{};
        if (auto error = document.type().get(type)) return broken(error);
        if (type != (shape.kind == Shape::Kind::list ? json_type::array : json_type::object))
            return wrong(shape, type_name(type));
        if (type == json_type::array) {
            simdjson::ondemand::array root;
            if (auto error = document.get_array().get(root)) return broken(error);
            if (!list(root, shape, vector, row)) return false;
        } else {
            simdjson::ondemand::object root;
            if (auto error = document.get_object().get(root)) return broken(error);
            if (!object(root, shape, vector, row)) return false;
        }
        if (!document.current_location().error()) return broken(simdjson::TRAILING_CONTENT);
        return true;
    };
    if (run()) return std::nullopt;
    set_null(shape, vector, row);
    return path_.empty() ? reason_ : path_ + ": " + reason_;
}

namespace {

duckdb_logical_type logical_type(const Shape& shape) {
    switch (shape.kind) {
        case Shape::Kind::list: {
            duckdb_logical_type element = logical_type(shape.element.front());
            duckdb_logical_type list = duckdb_create_list_type(element);
            duckdb_destroy_logical_type(&element);
            return list;
        }
        case Shape::Kind::object: {
            std::vector<duckdb_logical_type> types;
            std::vector<const char*> names;
            for (const auto& [name, field] : shape.fields) {
                types.push_back(logical_type(field));
                names.push_back(name.c_str());
            }
            duckdb_logical_type made = duckdb_create_struct_type(types.data(), names.data(), types.size());
            for (auto& type : types) duckdb_destroy_logical_type(&type);
            return made;
        }
        case Shape::Kind::bigint: return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
        case Shape::Kind::integer: return duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
        case Shape::Kind::real: return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
        case Shape::Kind::boolean: return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
        case Shape::Kind::time: return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
        case Shape::Kind::date: return duckdb_create_logical_type(DUCKDB_TYPE_DATE);
        default: return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    }
}

void parse_chunk(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
    thread_local JsonWriter writer;
    const auto& shape = *static_cast<const Shape*>(duckdb_scalar_function_get_extra_info(info));
    duckdb_vector payloads = duckdb_data_chunk_get_vector(input, 0);
    auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(payloads));
    std::uint64_t* validity = duckdb_vector_get_validity(payloads);
    duckdb_vector values = duckdb_struct_vector_get_child(output, 0);
    duckdb_vector errors = duckdb_struct_vector_get_child(output, 1);
    duckdb_vector_ensure_validity_writable(errors);
    std::uint64_t* error_validity = duckdb_vector_get_validity(errors);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
        std::optional<std::string> error = "the payload is empty";
        if (validity == nullptr || duckdb_validity_row_is_valid(validity, row)) {
            error = writer.write({duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])},
                                 shape, values, row);
        } else {
            set_null(shape, values, row);
        }
        if (error) {
            put_text(errors, row, *error);
        } else {
            duckdb_validity_set_row_invalid(error_validity, row);
        }
    }
}

}  // namespace

Result<> register_parser(duck::Connection& connection, const std::string& name, const Shape& shape) {
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, name.c_str());
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_scalar_function_add_parameter(function, text);
    std::array<duckdb_logical_type, 2> types = {logical_type(shape),
                                                duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)};
    std::array<const char*, 2> names = {"v", "e"};
    duckdb_logical_type result = duckdb_create_struct_type(types.data(), names.data(), types.size());
    duckdb_scalar_function_set_return_type(function, result);
    duckdb_scalar_function_set_special_handling(function);
    duckdb_scalar_function_set_extra_info(function, new Shape(shape),
                                          [](void* owned) { delete static_cast<Shape*>(owned); });
    duckdb_scalar_function_set_function(function, parse_chunk);
    bool registered = duckdb_register_scalar_function(connection.raw(), function) == DuckDBSuccess;
    duckdb_destroy_scalar_function(&function);
    for (auto& type : types) duckdb_destroy_logical_type(&type);
    duckdb_destroy_logical_type(&text);
    duckdb_destroy_logical_type(&result);
    if (!registered) return fail(ErrorKind::bug, "the parser cannot be registered", name);
    return {};
}

}  // namespace tarn::model
