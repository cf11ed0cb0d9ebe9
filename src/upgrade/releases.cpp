#include "upgrade/releases.h"

#include <array>
#include <utility>

namespace tarn::upgrade {

std::string release_of(const std::set<std::int64_t>& scripts) {
    // A framework script that the release was the first to have.
    static constexpr std::array<std::pair<std::int64_t, const char*>, 18> firsts = {{
        {20260426000001, "after v1.0.3"},
        {20260317000000, "v1.0.3"},
        {20250527000000, "v1.0.2"},
        {20240813142101, "v1.0.1"},
        {20240523194205, "v1.0.0"},
        {20240308142101, "v0.21.0"},
        {20240117142100, "v0.20.0"},
        {20230822145125, "v0.19.0"},
        {20230517162121, "v0.18.0"},
        {20230426150702, "v0.17.0"},
        {20230301000082, "v0.16.0"},
        {20222123191424, "v0.15.0"},
        {20220929145125, "v0.14.0"},
        {20220818232735, "v0.13.0"},
        {20220801162735, "v0.12.1"},
        {20220727165805, "v0.12.0"},
        {20220505212344, "v0.11.0"},
        {20220406212344, "v0.10.0"},
    }};
    for (const auto& [script, release] : firsts)
        if (scripts.contains(script)) return release;
    return "unknown";
}

}  // namespace tarn::upgrade
