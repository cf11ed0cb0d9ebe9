#include "git/blob_pairs.h"

#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "git/parse.h"

namespace tarn::git {
namespace {

constexpr std::size_t largest_blob = std::size_t{8} << 20U;
constexpr std::size_t pairs_ahead = 8;  // over which a blob is kept
constexpr std::size_t no_blob = SIZE_MAX;

class Reader {
  public:
    Reader(const std::vector<BlobPair>& pairs, const TakePair& take) : take_(take) {
        std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> known;  // blob, pair
        auto place_of = [&](const std::string& sha, std::size_t pair) {
            if (sha.empty()) return no_blob;
            auto [found, is_new] = known.try_emplace(sha, blobs_.size(), pair);
            if (!is_new && pair - found->second.second > pairs_ahead) found->second.first = blobs_.size();
            found->second.second = pair;
            auto place = found->second.first;
            if (place == blobs_.size()) {
                blobs_.emplace_back();
                wanted_ += sha + "\n";
            }
            ++blobs_[place].uses;
            return place;
        };
        for (std::size_t i = 0; i < pairs.size(); ++i)
            pairs_.push_back({place_of(pairs[i].before, i), place_of(pairs[i].after, i)});
    }

    [[nodiscard]] std::string& wanted() { return wanted_; }

    // The next of the wanted blobs; nullopt where it is not to be had.
    void put(std::optional<Content> content) {
        if (next_blob_ == blobs_.size()) return;
        blobs_[next_blob_++].content = std::move(content);
        while (next_pair_ < pairs_.size() && is_there(pairs_[next_pair_])) give();
    }

  private:
    struct Blob {
        std::optional<Content> content;
        std::size_t uses = 0;
    };
    using Places = std::array<std::size_t, 2>;

    [[nodiscard]] bool is_there(const Places& pair) const {
        return (pair[0] == no_blob || pair[0] < next_blob_) && (pair[1] == no_blob || pair[1] < next_blob_);
    }

    void give() {
        static const std::optional<Content> nothing = Content{};
        const auto& pair = pairs_[next_pair_];
        auto content_of = [&](std::size_t place) -> const std::optional<Content>& {
            return place == no_blob ? nothing : blobs_[place].content;
        };
        const auto &before = content_of(pair[0]), &after = content_of(pair[1]);
        if (before && after) take_(next_pair_, *before, *after);
        for (auto place : pair) {
            if (place != no_blob && --blobs_[place].uses == 0) blobs_[place].content.reset();
        }
        ++next_pair_;
    }

    const TakePair& take_;
    std::vector<Places> pairs_;
    std::vector<Blob> blobs_;
    std::string wanted_;
    std::size_t next_blob_ = 0, next_pair_ = 0;
};

}  // namespace

bool Content::is_binary() const {
    return std::string_view(bytes).substr(0, Objects::begin_bytes).find('\0') != std::string_view::npos;
}

Result<> read_pairs(Command git, const std::vector<BlobPair>& pairs, const TakePair& take) {
    Reader reader(pairs, take);
    git.arguments = {"cat-file", "--batch", "--buffer"};
    // Larger ones pass git as a stream.
    git.config.emplace_back("core.bigFileThreshold", std::to_string(largest_blob));
    git.input = std::move(reader.wanted());
    if (git.input.empty()) return {};
    Objects objects(largest_blob);
    auto put = [&](const std::string&, std::string_view type, std::string_view bytes) {
        bool is_large = type == "large";
        reader.put(type == "blob" || is_large ? std::optional(Content{std::string(bytes), !is_large})
                                              : std::nullopt);
    };
    // Where git ends at a damaged blob, the pairs from there on are left out.
    TARN_ASSIGN(auto finished, run_git(git, [&](std::string_view piece) {
                    objects.feed(piece, put);
                    return true;
                }));
    constexpr int killed = 128 + 1;
    if (finished.status < killed) return {};
    return fail(ErrorKind::transient, "git was ended by a signal", "cat-file");
}

}  // namespace tarn::git
