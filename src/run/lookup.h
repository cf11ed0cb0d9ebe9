// Lists of texts that a form asks a connection for, as its connector declares them (`lookups`).
// Thread rule: any thread. Errors: bad_data with the parameter as place; terminal where the source refuses or answers something else;
// those of the client.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "connector/connector.h"
#include "http/client.h"

namespace tarn::run {

// `given`: the query's parameters.
Result<std::vector<std::string>> look_up(const connector::Lookup& lookup, const std::string& endpoint,
                                         const std::map<std::string, std::string>& given,
                                         http::Client& client);

// An expression made of an example: `{name}` of each group becomes the group. bad_data: one is missing, or there twice, or it is no expression.
Result<std::string> expression_of(const connector::Ordered& groups, const std::string& example);

// What the groups of `regex` are in `text`, by name. bad_data: it is no expression, has other groups, or does not fit.
Result<connector::Ordered> groups_in(const connector::Ordered& groups, const std::string& regex,
                                     const std::string& text);

}  // namespace tarn::run
