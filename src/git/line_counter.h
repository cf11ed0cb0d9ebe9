// Added and deleted lines between two texts, the numbers of `git diff --numstat`, which are not always the fewest possible.
//
// git's rules are followed (Myers' algorithm, default settings): equal lines at the begin and the end are set apart; a line that the
// other text repeats often is no match where it stands amid lines that the other text lacks. From 500 differences on git guesses:
// such texts have no answer here.
// Thread rule: one user. Memory: some 30 bytes a line that lies between the first and the last difference.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tarn::git {

struct LineCounts {
    std::int64_t additions = 0, deletions = 0;
};

class LineCounter {
  public:
    std::optional<LineCounts> count(std::string_view before, std::string_view after);

  private:
    static constexpr std::uint32_t none = 0xffffffff;
    using Ids = std::vector<std::uint32_t>;

    // A distinct line of the parts that differ.
    struct Line {
        std::string_view text;
        std::size_t hash = 0;
        std::array<std::uint32_t, 2> times = {};  // in each whole text
    };
    enum class Matches : std::uint8_t { no, some, many };

    void clear(std::size_t most_lines);
    std::uint32_t& slot_of(std::string_view line, std::size_t hash);
    void read(std::string_view part, std::size_t side);
    void look_up(std::string_view part);
    void keep(std::size_t side);
    [[nodiscard]] bool is_chance(const std::vector<Matches>& matches, std::size_t line) const;
    std::optional<std::size_t> differences();

    std::vector<Line> lines_;
    std::vector<std::uint32_t> slots_;  // hash table of places in lines_
    std::array<std::uint64_t, 64> marks_ = {};
    std::array<Ids, 2> sides_, kept_;
    std::size_t around_ = 0;  // lines that both texts have before and behind
    std::vector<Matches> matches_;
    std::vector<std::int32_t> reach_;
};

}  // namespace tarn::git
