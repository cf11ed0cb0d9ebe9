// Whether DuckDB knows what an expression calls.
// Thread rule: the connection's.
#pragma once

#include <string>

#include "store/duck.h"

namespace tarn::model {

// By binding it, which costs next to nothing; the list of functions takes 30 ms to ask.
bool binds(duck::Connection& connection, const std::string& expression);

}  // namespace tarn::model
