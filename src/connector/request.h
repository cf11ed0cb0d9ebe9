// The request for one page of a stream.
// Thread rule: pure functions. Errors: bad_data for a placeholder without a value.
#pragma once

#include <string>

#include "base/result.h"
#include "connector/connector.h"
#include "connector/placeholders.h"
#include "connector/schedule.h"
#include "http/client.h"

namespace tarn::connector {

// What all requests of a collection have in common.
struct RequestBase {
    const Stream* stream = nullptr;
    std::string endpoint;
    Values values;                     // options and `since`
    const Parents* parents = nullptr;  // columns of Unit::parent
    bool details = false;              // `open` items instead of the list
};

Result<http::Request> page_request(const RequestBase& base, const Job& job);

// Scheme, host and path, without the query: for messages.
std::string shown_path(const std::string& url);

}  // namespace tarn::connector
