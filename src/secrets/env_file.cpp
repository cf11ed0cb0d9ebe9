#include "secrets/env_file.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"

namespace tarn::secrets {
namespace {

namespace fs = std::filesystem;

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

bool is_variable_char(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

// ---- reading

struct Line {
    std::string name;  // in upper case; "" where the line sets nothing
    std::string value;
    char quote = 0;
};

bool is_tail(std::string_view rest) {
    rest = trimmed(rest);
    return rest.empty() || rest.starts_with('#');
}

// Where the value that opens with a quote ends: at the first quote that only a comment follows.
std::size_t closing_quote(std::string_view text) {
    char quote = text.front();
    std::size_t last = std::string_view::npos;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
            continue;
        }
        if (text[i] != quote) continue;
        last = i;
        if (is_tail(text.substr(i + 1))) break;
    }
    return last;
}

// An escaped `$` stays escaped: expanded() takes it.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size() || text[i + 1] == '$') {
            out += text[i];
            continue;
        }
        char c = text[++i];
        out += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
    return out;
}

Line parse_line(std::string_view line) {
    line = trimmed(line);
    constexpr std::string_view word = "export ";
    if (line.starts_with(word)) line = trimmed(line.substr(word.size()));
    auto end = std::ranges::find_if_not(line, is_name_char) - line.begin();
    auto name = line.substr(0, static_cast<std::size_t>(end));
    auto rest = line.substr(name.size());
    auto trimmed_rest = trimmed(rest);
    bool assigns = trimmed_rest.starts_with('=');
    bool maps = rest == ":" || rest.starts_with(": ") || rest.starts_with(":\t");
    if (name.empty() || (!assigns && !maps)) return {};
    auto value = trimmed(trimmed_rest.substr(1));
    if (value.starts_with('"') || value.starts_with('\'')) {
        char quote = value.front();
        if (auto close = closing_quote(value); close != std::string_view::npos) {
            auto inner = value.substr(1, close - 1);
            return {upper(name), quote == '"' ? unescaped(inner) : std::string(inner), quote};
        }
    }
    return {upper(name), std::string(trimmed(value.substr(0, value.find('#')))), 0};
}

std::string variable(const std::string& name, const EnvValues& values) {
    if (const char* set = std::getenv(name.c_str())) return set;
    auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
}

std::string expanded(const Line& line, const EnvValues& values) {
    std::string out;
    std::string_view rest = line.value;
    while (!rest.empty()) {
        bool escaped = rest.starts_with("\\$");
        if (!escaped && rest.front() != '$') {
            out += rest.front();
            rest.remove_prefix(1);
            continue;
        }
        auto text = rest.substr(escaped ? 2 : 1);
        bool braced = text.starts_with('{');
        auto start = text.substr(braced ? 1 : 0);
        auto length =
            static_cast<std::size_t>(std::ranges::find_if_not(start, is_variable_char) - start.begin());
        std::size_t used = (braced ? 1 : 0) + length;
        if (length > 0 && start.substr(length).starts_with('}')) ++used;
        if (escaped || line.quote == '\'' || length == 0) used = 0;
        out += used == 0 ? "$" : variable(std::string(start.substr(0, length)), values);
        rest = text.substr(used);
    }
    return out;
}

// Lines with their ends, so that joined they are the text again.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        auto end = text.find('\n');
        auto size = end == std::string_view::npos ? text.size() : end + 1;
        lines.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return lines;
}

// ---- writing

std::string escaped(std::string_view value) {
    std::string out;
    for (char c : value) {
        if (c == '\\' || c == '"' || c == '$') out += '\\';
        if (c == '\n' || c == '\r') out += c == '\n' ? "\\n" : "\\r";
        if (c != '\n' && c != '\r') out += c;
    }
    return out;
}

// In the quotes in which the least has to be escaped.
Result<std::string> line_of(const std::string& name, const std::string& value) {
    bool plain = value.find_first_of("\\\"$\n\r") == std::string::npos;
    bool single =
        !plain && value.find_first_of("'\n\r") == std::string::npos && value.find("\\$") == std::string::npos;
    std::string line = single ? name + "='" + value + "'" : name + "=\"" + escaped(value) + "\"";
    auto read = parse_env(line);
    if (read.contains(name) && read[name] == value) return line;
    return fail(ErrorKind::terminal, "the value cannot be written into a .env file", name,
                "Use letters and digits.");
}

Failure cannot_write(const std::string& file, int error) {
    return fail(ErrorKind::terminal, std::string("cannot be written: ") + std::strerror(error), file,
                "Make the folder writable, name another file with ENV_FILE, or set ENCRYPTION_SECRET in the "
                "environment.");
}

Result<> write_all(int fd, const std::string& text, const std::string& file) {
    for (std::size_t at = 0; at < text.size();) {
        ssize_t written = ::write(fd, text.data() + at, text.size() - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return cannot_write(file, errno);
        at += static_cast<std::size_t>(written);
    }
    if (::fsync(fd) != 0) return cannot_write(file, errno);
    return {};
}

// The new name has to be on the disk as the content is.
void sync_folder(const fs::path& folder) {
    int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

}  // namespace

EnvValues parse_env(std::string_view text) {
    EnvValues values;
    for (auto text_line : lines_of(text)) {
        auto line = parse_line(text_line);
        if (!line.name.empty()) values[line.name] = expanded(line, values);
    }
    return values;
}

Result<std::string> changed_env(std::string_view text, const EnvChanges& changes) {
    auto lines = lines_of(text);
    std::map<std::string, std::size_t, std::less<>> last;
    for (std::size_t i = 0; i < lines.size(); ++i) last[parse_line(lines[i]).name] = i;
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto change = changes.find(parse_line(lines[i]).name);
        if (change == changes.end() || (change->second && last[change->first] != i)) {
            out += lines[i];
            continue;
        }
        if (!change->second) continue;
        TARN_ASSIGN(auto line, line_of(change->first, *change->second));
        auto content = lines[i].find_last_not_of("\r\n");
        out += line + std::string(lines[i].substr(content == std::string_view::npos ? 0 : content + 1));
    }
    for (const auto& [name, value] : changes) {
        if (!value || last.contains(name)) continue;
        TARN_ASSIGN(auto line, line_of(name, *value));
        if (!out.empty() && !out.ends_with('\n')) out += "\n";
        out += line + "\n";
    }
    return out;
}

Result<> write_private_file(const std::string& file, const std::string& text) {
    std::error_code ignored;
    fs::path target = fs::weakly_canonical(file, ignored);
    if (target.empty()) target = file;
    if (auto folder = target.parent_path(); !folder.empty()) fs::create_directories(folder, ignored);
    std::string draft = target.string() + ".XXXXXX";
    int fd = ::mkostemp(draft.data(), O_CLOEXEC);  // mode 0600
    if (fd < 0) return cannot_write(file, errno);
    auto written = write_all(fd, text, file);
    ::close(fd);
    if (written && ::rename(draft.c_str(), target.c_str()) != 0) written = cannot_write(file, errno);
    if (!written) ::unlink(draft.c_str());
    if (written) sync_folder(target.parent_path());
    return written;
}

}  // namespace tarn::secrets
