#include "git/parse.h"

#include <algorithm>
#include <charconv>

#include <iconv.h>

#include "base/text.h"

namespace tarn::git {
namespace {

// Years that every home's time columns hold.
constexpr std::int64_t last_second = 253402300799;

std::optional<std::string> converted(std::string_view bytes, const std::string& encoding) {
    iconv_t converter = iconv_open("UTF-8", encoding.c_str());
    // (iconv_t)-1 is how iconv says no.
    if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;  // NOLINT(performance-no-int-to-ptr)
    std::string in(bytes), out(bytes.size() * 4 + 16, '\0');
    char *from = in.data(), *to = out.data();
    std::size_t left = in.size(), room = out.size();
    bool good = iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
    iconv_close(converter);
    if (!good) return std::nullopt;
    out.resize(out.size() - room);
    return out;
}

std::string text_of(std::string_view bytes, const std::string& encoding, std::size_t most = 0) {
    if (!encoding.empty()) {
        if (auto out = converted(bytes, encoding)) return clean(*out, most);
    }
    return clean(bytes, most);
}

std::optional<Millis> time_of(std::string_view text) {
    std::int64_t seconds = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || seconds < -last_second || seconds > last_second) return std::nullopt;
    return seconds * 1000;
}

// "Name <email> 1700000000 +0100"
Person person_of(std::string_view line, const std::string& encoding) {
    constexpr std::size_t column_length = 255;
    Person person;
    auto open = line.find('<');
    if (open == std::string_view::npos) {
        person.name = text_of(trimmed(line), encoding, column_length);
        return person;
    }
    auto close = line.find('>', open);
    person.name = text_of(trimmed(line.substr(0, open)), encoding, column_length);
    person.email =
        text_of(trimmed(line.substr(open + 1, close == std::string_view::npos ? close : close - open - 1)),
                encoding, column_length);
    auto behind = line.rfind('>');
    if (behind != std::string_view::npos) person.when = time_of(trimmed(line.substr(behind + 1)));
    return person;
}

}  // namespace

std::string clean(std::string_view bytes, std::size_t most) {
    std::string out = valid_utf8(bytes);
    std::erase(out, '\0');
    if (most == 0 || out.size() <= most) return out;
    std::size_t characters = 0, at = 0;
    for (; at < out.size(); ++at) {
        bool begins = (static_cast<unsigned char>(out[at]) & 0xC0U) != 0x80U;
        if (begins && characters++ == most) break;
    }
    out.resize(at);
    return out;
}

Commit parse_commit(std::string sha, std::string_view bytes) {
    Commit commit;
    commit.sha = std::move(sha);
    std::string_view author, committer;
    std::string encoding;
    while (!bytes.empty()) {
        auto end = std::min(bytes.find('\n'), bytes.size());
        auto line = bytes.substr(0, end);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (line.empty()) break;
        auto take = [&](std::string_view key) {
            return line.starts_with(key) ? line.substr(key.size()) : std::string_view();
        };
        if (auto parent = take("parent "); !parent.empty()) commit.parents.emplace_back(parent);
        if (auto found = take("author "); !found.empty() && author.empty()) author = found;
        if (auto found = take("committer "); !found.empty() && committer.empty()) committer = found;
        if (auto found = take("encoding "); !found.empty()) encoding = std::string(found);
    }
    while (bytes.starts_with('\n')) bytes.remove_prefix(1);
    commit.author = person_of(author, encoding);
    commit.committer = person_of(committer, encoding);
    commit.message = text_of(bytes, encoding);
    return commit;
}

bool Records::feed(std::string_view piece, const std::function<bool(std::string_view)>& record) {
    while (true) {
        auto end = piece.find(end_);
        if (end == std::string_view::npos) break;
        bool more = true;
        if (rest_.empty()) {
            more = record(piece.substr(0, end));
        } else {
            rest_ += piece.substr(0, end);
            std::string whole = std::move(rest_);
            rest_.clear();
            more = record(whole);
        }
        piece.remove_prefix(end + 1);
        if (!more) return false;
    }
    rest_ += piece;
    return true;
}

void Objects::feed(std::string_view piece, const Take& take) {
    auto skipped = std::min(skip_, piece.size());
    piece.remove_prefix(skipped);
    skip_ -= skipped;
    rest_ += piece;
    std::size_t at = 0;
    while (skip_ == 0) {
        auto line_end = rest_.find('\n', at);
        if (line_end == std::string::npos) break;
        std::string_view line(rest_.data() + at, line_end - at);
        auto words = split(line, ' ');
        if (words.size() == 2) {
            take(words[0], words[1], {});
            at = line_end + 1;
            continue;
        }
        std::size_t size = words.size() < 3 ? 0 : std::strtoull(words[2].c_str(), nullptr, 10);
        auto end = line_end + 1 + size + 1;
        if (size > most_) {
            if (rest_.size() < line_end + 1 + begin_bytes) break;
            take(words[0], "large", {rest_.data() + line_end + 1, begin_bytes});
            at = std::min(end, rest_.size());
            skip_ = end - at;
            continue;
        }
        if (rest_.size() < end) break;
        if (words.size() == 3) take(words[0], words[1], {rest_.data() + line_end + 1, size});
        at = end;
    }
    rest_.erase(0, at);
}

// ":100644 100644 <sha> <sha> M"
std::optional<RawChange> parse_raw(std::string_view record) {
    constexpr std::size_t mode = 6;
    if (!record.starts_with(':') || record.size() < 2 * mode + 5) return std::nullopt;
    record.remove_prefix(1);
    RawChange change;
    change.old_mode = record.substr(0, mode);
    change.new_mode = record.substr(mode + 1, mode);
    record.remove_prefix(2 * mode + 2);
    auto space = record.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    change.old_sha = record.substr(0, space);
    record.remove_prefix(space + 1);
    change.new_sha = record.substr(0, std::min(record.find(' '), record.size()));
    return change;
}

std::optional<Numstat> parse_numstat(std::string_view record) {
    auto first = record.find('\t');
    auto second = first == std::string_view::npos ? first : record.find('\t', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    auto number = [](std::string_view text, std::int64_t& value) {
        if (text == "-") return true;
        return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
    };
    Numstat out;
    if (!number(record.substr(0, first), out.additions) ||
        !number(record.substr(first + 1, second - first - 1), out.deletions))
        return std::nullopt;
    out.name = record.substr(second + 1);
    return out;
}

}  // namespace tarn::git
