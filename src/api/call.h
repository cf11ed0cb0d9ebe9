// One request and its answer, as handlers see them.
//
// A handler gives a Reply: an Answer, or the Answer that refuses. An Error becomes the envelope: bad_data 400, transient 503, cancelled
// 504, the key of the stored secrets 503, else 500. TARN_TRY and TARN_ASSIGN pass on both.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace tarn::api {

struct Answer {
    int status = 200;
    nlohmann::json body;
    bool empty = false;        // no body at all
    std::string content_type;  // set: `content` is sent as it is
    std::string content;
    std::multimap<std::string, std::string> headers;
};

Answer envelope(int status, const std::string& message, nlohmann::json data = nullptr);
Answer answer_of(const Error& error);

using Refusal = tl::unexpected<Answer>;
Refusal refuse(int status, const std::string& message, nlohmann::json data = nullptr);

template <class T = Answer>
class [[nodiscard]] Reply : public tl::expected<T, Answer> {
  public:
    using Base = tl::expected<T, Answer>;
    using Base::Base;
    Reply(const Failure& failure) : Base(tl::unexpect, answer_of(failure.value())) {}
};

// One part of a multipart form.
struct FormPart {
    std::string name, filename, content;
};

struct Call {
    std::map<std::string, std::string> path;  // values of `{name}`, decoded
    std::string rest;                         // what `{name...}` stands for, not decoded
    std::multimap<std::string, std::string> query;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string raw_query;
    std::string body;
    std::vector<FormPart> form;  // of a multipart body, in the place of `body`
    std::string peer, host;      // address of the caller; the Host header

    // bad_data, with line and column, where the body is not JSON or too deep; an empty one is an empty object
    [[nodiscard]] Result<nlohmann::json> json() const;
    // As json(), and bad_data where it is no object.
    [[nodiscard]] Result<nlohmann::json> object() const;
    // bad_data where the value is not a whole number above zero
    [[nodiscard]] Result<std::int64_t> id(const std::string& name) const;
    [[nodiscard]] Result<std::int64_t> query_number(const std::string& name, std::int64_t otherwise) const;
    [[nodiscard]] std::string query_text(const std::string& name) const;
};

}  // namespace tarn::api

namespace tarn {

// So that TARN_TRY and TARN_ASSIGN pass a refusal on.
inline api::Refusal fail(api::Answer answer) { return api::Refusal(std::move(answer)); }

}  // namespace tarn
