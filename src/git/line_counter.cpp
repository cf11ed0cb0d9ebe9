#include "git/line_counter.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace tarn::git {
namespace {

constexpr std::int32_t most_differences = 500;

// `take` gets each line with its end.
template <typename Take>
void each_line(std::string_view text, const Take& take) {
    while (!text.empty()) {
        const void* end = std::memchr(text.data(), '\n', text.size());
        auto size = end == nullptr
                        ? text.size()
                        : static_cast<std::size_t>(static_cast<const char*>(end) - text.data()) + 1;
        take(text.substr(0, size));
        text.remove_prefix(size);
    }
}

std::size_t line_count(std::string_view text) {
    std::size_t lines = 0;
    each_line(text, [&](std::string_view) { ++lines; });
    return lines;
}

bool begins_line(std::string_view text, std::size_t at) { return at == 0 || text[at - 1] == '\n'; }

constexpr std::size_t stride = 256;

std::size_t equal_bytes_before(std::string_view a, std::string_view b) {
    auto most = std::min(a.size(), b.size());
    std::size_t n = 0;
    while (n + stride <= most && std::memcmp(a.data() + n, b.data() + n, stride) == 0) n += stride;
    while (n < most && a[n] == b[n]) ++n;
    return n;
}

std::size_t equal_bytes_behind(std::string_view a, std::string_view b) {
    auto most = std::min(a.size(), b.size());
    const char *a_end = a.data() + a.size(), *b_end = b.data() + b.size();
    std::size_t n = 0;
    while (n + stride <= most && std::memcmp(a_end - n - stride, b_end - n - stride, stride) == 0)
        n += stride;
    while (n < most &&
           a_end[-1 - static_cast<std::ptrdiff_t>(n)] == b_end[-1 - static_cast<std::ptrdiff_t>(n)])
        ++n;
    return n;
}

// Both lose the whole lines with which both begin; these are the value.
std::string_view cut_head(std::string_view& a, std::string_view& b) {
    auto size = equal_bytes_before(a, b);
    if (size != a.size() || size != b.size()) {
        const void* end = memrchr(a.data(), '\n', size);
        size = end == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(end) - a.data()) + 1;
    }
    auto head = a.substr(0, size);
    a.remove_prefix(size);
    b.remove_prefix(size);
    return head;
}

std::string_view cut_tail(std::string_view& a, std::string_view& b) {
    auto size = equal_bytes_behind(a, b);
    if (!begins_line(a, a.size() - size) || !begins_line(b, b.size() - size)) {
        auto end = a.find('\n', a.size() - size);
        size = end == std::string_view::npos ? 0 : a.size() - end - 1;
    }
    auto tail = a.substr(a.size() - size);
    a.remove_suffix(size);
    b.remove_suffix(size);
    return tail;
}

// From how many on lines are "many" in a text that has `lines`: about the square root, a power of two.
std::uint32_t many_of(std::size_t lines) {
    constexpr std::uint32_t most = 1024;
    std::uint32_t many = 1;
    for (; lines > 0; lines >>= 2U) many <<= 1U;
    return std::min(many, most);
}

// A cheap sign that most lines of the rest do not share with any line looked for.
std::size_t mark_of(std::string_view line) {
    constexpr std::size_t bits = 64 * 64;
    auto middle = static_cast<unsigned char>(line[line.size() / 2]);
    auto first = static_cast<unsigned char>(line[line.size() / 4]);
    return (line.size() * 67 + middle * 259U + first * 31U) % bits;
}

}  // namespace

std::optional<LineCounts> LineCounter::count(std::string_view before, std::string_view after) {
    auto head = cut_head(before, after);
    auto tail = cut_tail(before, after);
    std::array<std::size_t, 2> all = {line_count(before), line_count(after)};
    LineCounts out{static_cast<std::int64_t>(all[1]), static_cast<std::int64_t>(all[0])};
    bool is_clear = all[0] == 0 || all[1] == 0 || (all[0] == 1 && all[1] == 1);
    if (is_clear) return out;
    clear(all[0] + all[1]);
    read(before, 0);
    read(after, 1);
    bool is_shared =
        std::ranges::any_of(lines_, [](const Line& line) { return line.times[0] > 0 && line.times[1] > 0; });
    if (!is_shared) return out;
    look_up(head);
    look_up(tail);
    keep(0);
    keep(1);
    auto found = differences();
    if (!found) return std::nullopt;
    auto same = static_cast<std::int64_t>((kept_[0].size() + kept_[1].size() - *found) / 2);
    out.additions -= same;
    out.deletions -= same;
    return out;
}

void LineCounter::clear(std::size_t most_lines) {
    lines_.clear();
    for (auto& side : sides_) side.clear();
    slots_.assign(std::bit_ceil(2 * most_lines), none);
    marks_.fill(0);
    around_ = 0;
}

// Where the line's place stands, or would.
std::uint32_t& LineCounter::slot_of(std::string_view line, std::size_t hash) {
    auto mask = slots_.size() - 1;
    auto at = hash & mask;
    while (slots_[at] != none && (lines_[slots_[at]].hash != hash || lines_[slots_[at]].text != line))
        at = (at + 1) & mask;
    return slots_[at];
}

void LineCounter::read(std::string_view part, std::size_t side) {
    each_line(part, [&](std::string_view line) {
        auto hash = std::hash<std::string_view>()(line);
        auto& slot = slot_of(line, hash);
        if (slot == none) {
            slot = static_cast<std::uint32_t>(lines_.size());
            lines_.push_back({line, hash, {}});
            auto mark = mark_of(line);
            marks_[mark / 64] |= std::uint64_t{1} << mark % 64;
        }
        ++lines_[slot].times[side];
        sides_[side].push_back(slot);
    });
}

// The lines around stand in both texts.
void LineCounter::look_up(std::string_view part) {
    each_line(part, [&](std::string_view line) {
        ++around_;
        auto mark = mark_of(line);
        if ((marks_[mark / 64] >> mark % 64 & 1U) == 0) return;
        auto slot = slot_of(line, std::hash<std::string_view>()(line));
        if (slot == none) return;
        ++lines_[slot].times[0];
        ++lines_[slot].times[1];
    });
}

// The lines of a side that may match.
void LineCounter::keep(std::size_t side) {
    auto many = many_of(sides_[side].size() + around_);
    matches_.clear();
    for (auto id : sides_[side]) {
        auto times = lines_[id].times[1 - side];
        matches_.push_back(times == 0 ? Matches::no : times >= many ? Matches::many : Matches::some);
    }
    kept_[side].clear();
    for (std::size_t i = 0; i < matches_.size(); ++i) {
        bool kept = matches_[i] == Matches::some || (matches_[i] == Matches::many && !is_chance(matches_, i));
        if (kept) kept_[side].push_back(sides_[side][i]);
    }
}

// A line with many matches in a run without any certain one, of which few lines have matches at all: what it matches is chance.
bool LineCounter::is_chance(const std::vector<Matches>& matches, std::size_t line) const {
    constexpr std::size_t window = 100, least = 4;
    std::size_t without = 0, with_many = 0;
    auto is_run = [&](std::size_t at) {
        if (matches[at] == Matches::some) return false;
        ++(matches[at] == Matches::no ? without : with_many);
        return true;
    };
    for (std::size_t n = 1; n <= std::min(line, window) && is_run(line - n);) ++n;
    if (without == 0) return false;
    auto before = without;
    for (std::size_t n = 1; n <= std::min(matches.size() - 1 - line, window) && is_run(line + n);) ++n;
    if (without == before) return false;
    // The line itself counts on either side.
    with_many += 2;
    return with_many * least < with_many + without;
}

// Lines of both sides that stand in no longest common sequence; nullopt where they are many.
std::optional<std::size_t> LineCounter::differences() {
    const auto &a = kept_[0], &b = kept_[1];
    auto a_size = static_cast<std::int32_t>(a.size()), b_size = static_cast<std::int32_t>(b.size());
    // By diagonal: how far into `a` a way with so many differences comes.
    reach_.assign(2 * most_differences + 3, 0);
    auto reach = [&](std::int32_t diagonal) -> std::int32_t& {
        auto place = diagonal + most_differences + 1;
        return reach_[static_cast<std::size_t>(place)];
    };
    auto last = a_size - b_size;
    if (std::abs(last) > most_differences) return std::nullopt;
    for (std::int32_t differences = 0; differences <= most_differences; ++differences) {
        for (auto diagonal = -differences; diagonal <= differences; diagonal += 2) {
            bool down = diagonal == -differences ||
                        (diagonal != differences && reach(diagonal - 1) < reach(diagonal + 1));
            auto x = down ? reach(diagonal + 1) : reach(diagonal - 1) + 1;
            auto y = x - diagonal;
            while (x < a_size && y < b_size &&
                   a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(y)]) {
                ++x;
                ++y;
            }
            reach(diagonal) = x;
            if (diagonal == last && x >= a_size) return static_cast<std::size_t>(differences);
        }
    }
    return std::nullopt;
}

}  // namespace tarn::git
