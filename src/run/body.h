// Members of an API body, read without regard to the case of their names. What is null counts as missing.
// Thread rule: pure functions. Errors: bad_data with the member's name as place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "store/control.h"

namespace tarn::run {

class Body {
  public:
    // bad_data: not an object. `json` must outlive the body.
    static Result<Body> make(const nlohmann::json& json);

    // Also where it is null.
    [[nodiscard]] bool names(const std::string& name) const;
    // null where it is missing
    [[nodiscard]] const nlohmann::json& at(const std::string& name) const;

    [[nodiscard]] Result<std::string> text(const std::string& name, std::size_t most_bytes) const;
    [[nodiscard]] Result<bool> flag(const std::string& name, bool otherwise = false) const;
    [[nodiscard]] Result<std::int64_t> number(const std::string& name) const;
    // As the control store writes times; "" for null and for Go's time zero.
    [[nodiscard]] Result<std::string> time(const std::string& name) const;
    [[nodiscard]] Result<std::vector<std::string>> texts(const std::string& name,
                                                         std::size_t most_bytes) const;

  private:
    explicit Body(const nlohmann::json& json) : json_(&json) {}
    const nlohmann::json* json_;
};

// NULL for ""
ControlValue text_or_null(const std::string& text);

}  // namespace tarn::run
