#include "base/result.h"

namespace tarn {

std::string_view kind_name(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::transient: return "transient";
        case ErrorKind::terminal: return "terminal";
        case ErrorKind::bad_data: return "bad data";
        case ErrorKind::cancelled: return "cancelled";
        case ErrorKind::bug: return "bug";
    }
    return "bug";
}

std::string Error::text() const {
    std::string out;
    if (!place.empty()) out = place + ": ";
    out += message;
    if (!next_step.empty()) {
        if (!out.empty() && out.back() != '.' && out.back() != '\n') out += '.';
        out += ' ';
        out += next_step;
    }
    return out;
}

Failure fail(ErrorKind kind, std::string message, std::string place, std::string next_step) {
    return Failure(Error{kind, std::move(message), std::move(place), std::move(next_step)});
}

}  // namespace tarn
