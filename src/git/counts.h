// Added and deleted lines of pairs of blobs, each pair counted once.
//
// A merge repeats the pairs of the branch it brings in, and branches repeat each other's: of a history's changes a third are distinct pairs.
// They are read ordered by path, so that git finds each version's neighbour in its cache, and compared here (line_counter.h). What has no
// sure answer here is put as entries of two made-up trees, and git compares the trees. Two threads share the work, piece by piece.
// Errors: cancelled, terminal (disk). A blob that is missing or damaged is no error: its pairs have no counts.
// Thread rule: one user.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "git/line_counter.h"
#include "git/parse.h"
#include "git/process.h"

namespace tarn::git {

class PairCounts {
  public:
    using Id = std::uint32_t;

    // `scratch`: a bare repository of ours that borrows the objects to compare; the trees are written there.
    PairCounts(std::string scratch, CancelToken cancel);

    // The pair's id until forget(). `path` is where it stands first.
    Id id_of(const RawChange& change, std::uint32_t path);
    // Counts every pair that has none yet. `paths`: by the numbers given to id_of since the last call.
    Result<> count(const std::vector<std::string>& paths);
    // nullopt where a side cannot be read
    [[nodiscard]] std::optional<LineCounts> counts(Id id) const;
    // Lets go of all pairs where they are many. Ids given out are no longer valid then.
    void forget_if_many();

  private:
    struct Side {
        std::string mode, sha;
    };
    struct Pair {
        Side before, after;
    };
    struct Chunk {
        std::vector<Id> ids;
        std::string before, after;  // trees; empty: not made yet
    };
    enum class State : std::uint8_t { waiting, counted, unreadable };
    struct Count {
        std::int32_t additions = 0, deletions = 0;
        State state = State::waiting;
    };

    // The begin of both blobs' ids: 128 bits.
    using Key = std::array<std::uint64_t, 2>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const { return key[0] ^ (key[1] << 1U); }
    };

    Result<> count_pieces(std::atomic<std::size_t>& next);
    Result<> count_piece(const std::vector<Id>& ids, LineCounter& counter);
    void set(Id id, const LineCounts& lines);
    Result<> ask_counts(std::vector<Id> ids);
    Result<> make_trees(std::vector<Chunk>& chunks, std::size_t from);
    Result<std::size_t> compare(std::vector<Chunk>& chunks, std::size_t from);
    void settle(std::vector<Chunk>& chunks, std::size_t failed);
    [[nodiscard]] Command command(std::vector<std::string> arguments) const;

    std::string scratch_;
    CancelToken cancel_;
    std::unordered_map<Key, Id, KeyHash> known_;
    std::vector<Count> counts_;
    std::vector<std::pair<Id, std::uint32_t>> waiting_;  // with the path
    std::vector<Pair> pairs_;                            // of waiting_: ids from first_waiting_ on
    Id first_waiting_ = 0;
};

}  // namespace tarn::git
