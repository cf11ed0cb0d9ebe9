// What Tarn reads from the environment and `.env`, once: docs/configuration.md is made of it (`tarn settings --markdown`), and a test holds the
// sources against it. What connectors read stands in their declarations (`env`).
// Thread rule: constant.
#pragma once

#include <span>
#include <string_view>

namespace tarn::secrets {

struct SettingInfo {
    std::string_view name;
    std::string_view usual;  // its default, in words or as it is written; "" for none
    std::string_view effect;
    bool only_environment = false;  // not from the file
};

std::span<const SettingInfo> setting_list();

}  // namespace tarn::secrets
