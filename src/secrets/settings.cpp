#include "secrets/settings.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "base/text.h"

namespace tarn::secrets {
namespace {

namespace fs = std::filesystem;

constexpr const char* secret_name = "ENCRYPTION_SECRET";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string choose_file(const std::string& fallback_folder) {
    if (auto named = environment("ENV_FILE"); !named.empty()) return named;
    if (auto path = environment("ENV_PATH"); !path.empty())
        return (fs::path(path).parent_path() / ".env").string();
    std::error_code ignored;
    if (fs::exists(".env", ignored)) return ".env";
    return (fs::path(fallback_folder) / ".env").string();
}

std::string unquoted(std::string_view text) {
    char quote = text.front();
    std::string out;
    for (std::size_t i = 1; i < text.size() && text[i] != quote; ++i) {
        bool escaped = text[i] == '\\' && quote == '"' && i + 1 < text.size();
        if (!escaped) {
            out += text[i];
            continue;
        }
        char c = text[++i];
        out += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
    return out;
}

// One line's name and value; an empty name where it has none.
std::pair<std::string, std::string> parse_line(std::string_view line) {
    line = trimmed(line);
    constexpr std::string_view word = "export ";
    if (line.starts_with(word)) line = trimmed(line.substr(word.size()));
    auto at = line.find_first_of("=:");
    if (line.starts_with('#') || at == std::string_view::npos) return {};
    auto value = trimmed(line.substr(at + 1));
    std::string name(trimmed(line.substr(0, at)));
    if (value.starts_with('"') || value.starts_with('\'')) return {name, unquoted(value)};
    return {name, std::string(trimmed(value.substr(0, value.find('#'))))};
}

Failure cannot_write(const std::string& file, int error) {
    return fail(ErrorKind::terminal,
                std::string("ENCRYPTION_SECRET cannot be saved: ") + std::strerror(error), file,
                "Make the file writable or set ENCRYPTION_SECRET in the environment.");
}

Result<> write_all(int fd, const std::string& text, const std::string& file) {
    for (std::size_t at = 0; at < text.size();) {
        ssize_t written = ::write(fd, text.data() + at, text.size() - at);
        if (written < 0) return cannot_write(file, errno);
        at += static_cast<std::size_t>(written);
    }
    if (::fsync(fd) != 0) return cannot_write(file, errno);
    return {};
}

// All of it or nothing: a reader never sees half a file.
Result<> replace_file(const std::string& file, const std::string& text) {
    std::error_code ignored;
    fs::path target = fs::weakly_canonical(file, ignored);  // a link stays a link
    if (target.empty()) target = file;
    std::string draft = target.string() + ".XXXXXX";
    int fd = ::mkostemp(draft.data(), O_CLOEXEC);  // mode 0600
    if (fd < 0) return cannot_write(draft, errno);
    auto written = write_all(fd, text, draft);
    ::close(fd);
    if (written && ::rename(draft.c_str(), target.c_str()) != 0) written = cannot_write(file, errno);
    if (!written) ::unlink(draft.c_str());
    return written;
}

}  // namespace

std::map<std::string, std::string, std::less<>> parse_env(std::string_view text) {
    std::map<std::string, std::string, std::less<>> values;
    while (!text.empty()) {
        auto end = text.find('\n');
        auto [name, value] = parse_line(text.substr(0, end));
        if (!name.empty()) values[name] = value;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return values;
}

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

Result<Settings> Settings::read(const std::string& fallback_folder) {
    Settings settings;
    settings.file_ = choose_file(fallback_folder);
    std::error_code ignored;
    if (!fs::exists(settings.file_, ignored)) return settings;
    if (!read_file(settings.file_, settings.text_))
        return fail(ErrorKind::terminal, "cannot be read", settings.file_, "Check its rights.");
    settings.values_ = parse_env(settings.text_);
    return settings;
}

std::string Settings::get(const std::string& name) const {
    if (auto value = environment(name.c_str()); !value.empty()) return value;
    auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second;
}

Result<> Settings::save(const std::string& name, const std::string& value) {
    std::string line = name + "=\"" + value + "\"\n";
    std::string out;
    bool placed = false;
    for (std::string_view rest = text_; !rest.empty();) {
        auto end = rest.find('\n');
        auto old = rest.substr(0, end);
        bool here = !placed && parse_line(old).first == name;
        out += here ? line : std::string(old) + "\n";
        placed |= here;
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (!placed) out += line;
    std::error_code ignored;
    if (auto folder = fs::path(file_).parent_path(); !folder.empty()) fs::create_directories(folder, ignored);
    TARN_TRY(replace_file(file_, out));
    text_ = out;
    values_ = parse_env(text_);
    return {};
}

Result<std::string> Settings::encryption_secret() {
    if (auto present = get(secret_name); !present.empty()) return present;
    TARN_ASSIGN(auto made, random_secret());
    TARN_TRY(save(secret_name, made));
    return made;
}

}  // namespace tarn::secrets
