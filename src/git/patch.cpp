#include "git/patch.h"

#include <algorithm>
#include <charconv>

namespace tarn::git {
namespace {

bool is_sha(std::string_view line) {
    constexpr std::size_t sha1 = 40, sha256 = 64;
    return (line.size() == sha1 || line.size() == sha256) &&
           line.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "12,3" or "12"; the rest of the text stands behind it.
void read_range(std::string_view& text, std::int32_t& start, std::int32_t& lines) {
    auto read = [&](std::int32_t& value) {
        auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    };
    read(start);
    lines = 1;
    if (!text.starts_with(',')) return;
    text.remove_prefix(1);
    read(lines);
}

// "@@ -1,2 +3 @@ function"
Hunk hunk_of(std::string_view line) {
    Hunk hunk;
    line.remove_prefix(std::min(line.find('-'), line.size() - 1) + 1);
    read_range(line, hunk.old_start, hunk.old_lines);
    line.remove_prefix(std::min<std::size_t>(line.size(), 2));
    read_range(line, hunk.new_start, hunk.new_lines);
    return hunk;
}

char escaped(char letter) {
    constexpr std::string_view letters = "abtnvfr", bytes = "\a\b\t\n\v\f\r";
    auto at = letters.find(letter);
    return at == std::string_view::npos ? letter : bytes[at];
}

}  // namespace

std::string unquoted(std::string_view name) {
    if (name.size() < 2 || !name.starts_with('"')) return std::string(name);
    name = name.substr(1, name.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '\\' || i + 1 == name.size()) {
            out += name[i];
            continue;
        }
        ++i;
        if (name[i] < '0' || name[i] > '7') {
            out += escaped(name[i]);
            continue;
        }
        constexpr std::size_t digits = 3;
        unsigned byte = 0;
        auto octal = name.substr(i, digits);
        std::from_chars(octal.data(), octal.data() + octal.size(), byte, 8);
        out += static_cast<char>(byte);
        i += octal.size() - 1;
    }
    return out;
}

void Patches::feed(std::string_view piece) {
    lines_.feed(piece, [this](std::string_view line) {
        take(line);
        return true;
    });
}

void Patches::take(std::string_view line) {
    if (left_.old_lines > 0 || left_.new_lines > 0) {
        // An empty line of context; git prints its blank.
        char kind = line.empty() ? ' ' : line.front();
        if (kind == '\\') return;
        if (kind != '+') --left_.old_lines;
        if (kind != '-') --left_.new_lines;
        taker_.line(kind);
        return;
    }
    constexpr std::string_view head = "diff --git ";
    if (line.starts_with(head)) {
        // Without renames both names are the same: "a/name b/name".
        auto names = line.substr(head.size());
        taker_.file(unquoted(names.substr(0, names.size() / 2)).substr(2));
    } else if (line.starts_with("@@ ")) {
        left_ = hunk_of(line);
        taker_.hunk(left_);
    } else if (line.starts_with("Binary files ")) {
        taker_.binary();
    } else if (is_sha(line)) {
        taker_.commit(line);
    }
}

}  // namespace tarn::git
