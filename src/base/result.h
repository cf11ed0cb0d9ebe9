// Errors as values.
//
// Result<T> holds a T or an Error. An Error says what kind of failure it is (which decides about retries), what happened,
// where, and what the user can do next. No function of a public header throws; exceptions of libraries are caught where
// they are called.
// Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace tarn {

enum class ErrorKind {
    transient,  // the same call may succeed later
    terminal,   // it will not succeed until something outside changes: configuration, rights, disk
    bad_data,   // one input is wrong
    cancelled,  // somebody asked to stop
    bug,        // a promise inside Tarn was broken
};

std::string_view kind_name(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::bug;
    std::string message;
    std::string place;      // file:line, table, URL path, stream; may be empty
    std::string next_step;  // a sentence for the user; may be empty

    // "place: message. next step"
    [[nodiscard]] std::string text() const;
};

template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using tl::expected<T, Error>::expected;
};

using Failure = tl::unexpected<Error>;

Failure fail(ErrorKind kind, std::string message, std::string place = {}, std::string next_step = {});
inline Failure fail(Error error) { return Failure(std::move(error)); }

}  // namespace tarn

#define TARN_CONCAT_INNER(a, b) a##b
#define TARN_CONCAT(a, b) TARN_CONCAT_INNER(a, b)

// Leaves the calling function with the error of `expression`, if it has one.
#define TARN_TRY(expression)                                                          \
    do {                                                                              \
        auto TARN_CONCAT(tarn_try_, __LINE__) = (expression);                         \
        if (!TARN_CONCAT(tarn_try_, __LINE__))                                        \
            return ::tarn::fail(std::move(TARN_CONCAT(tarn_try_, __LINE__)).error()); \
    } while (false)

// TARN_ASSIGN(auto rows, query(...)): declares `rows` or leaves with the error.
#define TARN_ASSIGN(declaration, expression)                                         \
    auto TARN_CONCAT(tarn_result_, __LINE__) = (expression);                         \
    if (!TARN_CONCAT(tarn_result_, __LINE__))                                        \
        return ::tarn::fail(std::move(TARN_CONCAT(tarn_result_, __LINE__)).error()); \
    declaration = std::move(*TARN_CONCAT(tarn_result_, __LINE__))
