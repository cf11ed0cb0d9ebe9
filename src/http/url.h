// URLs: what may be shown of them, what they are relative to, and where a redirect may lead.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::http {

// Without user, password, query and fragment: fit for messages and logs.
std::string shown_url(std::string_view url);
bool is_http_url(std::string_view url);
// "example.com", "127.0.0.1", "::1"; "" where the URL is not one
std::string host_of(const std::string& url);
// Whether credentials for `a` may be sent to `b`: the same host and port, or the same host's https in place
// of its http.
bool same_site(const std::string& a, const std::string& b);
// `location` against `url`. Terminal where it leaves http(s) or goes from https to http.
Result<std::string> redirect_target(const std::string& url, const std::string& location);

}  // namespace tarn::http
