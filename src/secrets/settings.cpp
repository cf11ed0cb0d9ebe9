#include "secrets/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include <openssl/rand.h>

#include "base/text.h"

namespace tarn::secrets {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

}  // namespace

Result<std::string> random_secret() {
    constexpr std::size_t length = 128;
    constexpr unsigned char fair = 234;  // the largest multiple of 26 in a byte
    std::string out;
    while (out.size() < length) {
        std::array<unsigned char, length> random{};
        if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
            return fail(ErrorKind::terminal, "no random numbers");
        for (unsigned char byte : random) {
            if (byte < fair && out.size() < length) out += static_cast<char>('A' + byte % 26);
        }
    }
    return out;
}

Result<Settings> Settings::read(const std::string& home) {
    Settings settings;
    std::error_code ignored;
    auto of_home = (fs::path(home) / ".env").string();
    if (auto named = environment("ENV_FILE"); !named.empty()) {
        settings.file_ = named;
    } else if (auto path = environment("ENV_PATH"); !path.empty()) {
        settings.file_ = (fs::path(path).parent_path() / ".env").string();
    } else if (!fs::exists(".env", ignored) && fs::exists(of_home, ignored)) {
        settings.file_ = of_home;
    } else {
        settings.file_ = ".env";
        if (!fs::exists(".env", ignored)) settings.otherwise_ = of_home;
    }
    if (!fs::exists(settings.file_, ignored)) return settings;
    if (!read_file(settings.file_, settings.text_))
        return fail(ErrorKind::terminal, "cannot be read", settings.file_, "Check its rights.");
    settings.values_ = parse_env(settings.text_);
    return settings;
}

std::string Settings::get(const std::string& name) const {
    auto value = environment(name.c_str());
    return value.empty() ? of_file(name) : value;
}

std::string Settings::of_file(const std::string& name) const {
    auto found = values_.find(upper(name));
    return found == values_.end() ? std::string() : found->second;
}

Result<> Settings::save(const EnvChanges& changes) {
    TARN_ASSIGN(auto text, changed_env(text_, changes));
    auto written = write_private_file(file_, text);
    if (!written && !otherwise_.empty() && write_private_file(otherwise_, text)) {
        file_ = otherwise_;
        written = {};
    }
    if (!written) return written;
    text_ = std::move(text);
    values_ = parse_env(text_);
    return {};
}

std::vector<KeyCandidate> key_candidates(const Settings& settings) {
    std::vector<KeyCandidate> out;
    auto add = [&](const std::string& value, const std::string& source, bool previous) {
        bool known = std::ranges::any_of(out, [&](const auto& other) { return other.value == value; });
        if (!value.empty() && !known) out.push_back({value, source, previous});
    };
    for (const auto* name : {secret_setting, old_secret_setting, previous_secret_setting}) {
        bool previous = std::string_view(name) == previous_secret_setting;
        add(environment(name), std::string(name) + " in the environment", previous);
        add(settings.of_file(name), std::string(name) + " in " + settings.file(), previous);
    }
    return out;
}

}  // namespace tarn::secrets
