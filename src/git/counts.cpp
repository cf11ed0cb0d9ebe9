#include "git/counts.h"

#include <algorithm>
#include <charconv>
#include <future>

#include <fmt/format.h>

#include "git/blob_pairs.h"

namespace tarn::git {
namespace {

constexpr std::size_t chunk_pairs = 500;
constexpr std::size_t pairs_kept = 200'000;
constexpr std::size_t piece_pairs = 3000, threads = 2;
constexpr std::string_view nothing = "000000";

constexpr std::string_view submodule = "160000";

// Of 16 digits.
std::uint64_t begin_of(std::string_view sha) {
    constexpr std::size_t digits = 16;
    std::uint64_t value = 0;
    std::from_chars(sha.data(), sha.data() + std::min(sha.size(), digits), value, 16);
    return value;
}

std::string_view type_of(const std::string& mode) { return mode == submodule ? "commit" : "blob"; }

}  // namespace

PairCounts::PairCounts(std::string scratch, CancelToken cancel)
    : scratch_(std::move(scratch)), cancel_(std::move(cancel)) {}

PairCounts::Id PairCounts::id_of(const RawChange& change, std::uint32_t path) {
    Key key = {begin_of(change.old_sha), begin_of(change.new_sha)};
    auto [place, is_new] = known_.emplace(key, static_cast<Id>(counts_.size()));
    if (!is_new) return place->second;
    counts_.emplace_back();
    waiting_.emplace_back(place->second, path);
    pairs_.push_back({{std::string(change.old_mode), std::string(change.old_sha)},
                      {std::string(change.new_mode), std::string(change.new_sha)}});
    return place->second;
}

Result<> PairCounts::count(const std::vector<std::string>& paths) {
    std::ranges::stable_sort(waiting_, [&](const auto& a, const auto& b) {
        return a.second != b.second && paths[a.second] < paths[b.second];
    });
    std::atomic<std::size_t> next = 0;
    std::vector<std::future<Result<>>> running;
    for (std::size_t thread = 0; thread < threads; ++thread)
        running.push_back(std::async(std::launch::async, [&] { return count_pieces(next); }));
    Result<> outcome;
    for (auto& thread : running) {
        auto done = thread.get();
        if (!done && outcome) outcome = std::move(done);
    }
    waiting_.clear();
    pairs_.clear();
    first_waiting_ = static_cast<Id>(counts_.size());
    return outcome;
}

std::optional<LineCounts> PairCounts::counts(Id id) const {
    const auto& count = counts_[id];
    if (count.state != State::counted) return std::nullopt;
    return LineCounts{count.additions, count.deletions};
}

void PairCounts::forget_if_many() {
    if (counts_.size() < pairs_kept) return;
    known_.clear();
    counts_.clear();
    first_waiting_ = 0;
}

Command PairCounts::command(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = std::move(arguments);
    command.environment = {{"GIT_DIR", scratch_}};
    command.cancel = cancel_;
    return command;
}

// Takes pieces until none is left.
Result<> PairCounts::count_pieces(std::atomic<std::size_t>& next) {
    LineCounter counter;
    while (true) {
        auto begin = next.fetch_add(piece_pairs);
        if (begin >= waiting_.size()) return {};
        std::vector<Id> ids;
        for (auto i = begin; i < std::min(begin + piece_pairs, waiting_.size()); ++i)
            ids.push_back(waiting_[i].first);
        TARN_TRY(count_piece(ids, counter));
    }
}

Result<> PairCounts::count_piece(const std::vector<Id>& ids, LineCounter& counter) {
    std::vector<Id> read;
    std::vector<BlobPair> blobs;
    for (auto id : ids) {
        const auto& [before, after] = pairs_[id - first_waiting_];
        if (before.mode == submodule || after.mode == submodule) continue;
        read.push_back(id);
        blobs.push_back({before.mode == nothing ? "" : before.sha, after.mode == nothing ? "" : after.sha});
    }
    auto compare = [&](std::size_t i, const Content& before, const Content& after) {
        std::optional<LineCounts> lines;
        if (before.is_binary() || after.is_binary()) {
            lines = LineCounts{};
        } else if (before.is_whole && after.is_whole) {
            lines = counter.count(before.bytes, after.bytes);
        }
        if (lines) set(read[i], *lines);
    };
    TARN_TRY(read_pairs(command({}), blobs, compare));
    std::vector<Id> left;
    std::ranges::copy_if(ids, std::back_inserter(left),
                         [&](Id id) { return counts_[id].state == State::waiting; });
    return left.empty() ? Result<>() : ask_counts(std::move(left));
}

void PairCounts::set(Id id, const LineCounts& lines) {
    counts_[id] = {static_cast<std::int32_t>(lines.additions), static_cast<std::int32_t>(lines.deletions),
                   State::counted};
}

// What git cannot read ends it at a chunk: the chunk is halved until the pair is found.
Result<> PairCounts::ask_counts(std::vector<Id> ids) {
    std::vector<Chunk> chunks;
    for (std::size_t at = 0; at < ids.size(); at += chunk_pairs) {
        auto end = std::min(at + chunk_pairs, ids.size());
        chunks.push_back(
            {{ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(end)},
             "",
             ""});
    }
    for (std::size_t from = 0; from < chunks.size();) {
        TARN_TRY(make_trees(chunks, from));
        TARN_ASSIGN(from, compare(chunks, from));
        if (from == chunks.size()) break;
        settle(chunks, from);
    }
    return {};
}

// The failed chunk becomes two, or a pair that has no counts.
void PairCounts::settle(std::vector<Chunk>& chunks, std::size_t failed) {
    auto ids = chunks[failed].ids;
    auto place = chunks.begin() + static_cast<std::ptrdiff_t>(failed);
    if (ids.size() == 1) {
        counts_[ids[0]].state = State::unreadable;
        place->ids.clear();
        place->before = place->after = "";
        return;
    }
    auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
    *place = {{ids.begin(), middle}, "", ""};
    chunks.insert(place + 1, Chunk{{middle, ids.end()}, "", ""});
}

Result<> PairCounts::make_trees(std::vector<Chunk>& chunks, std::size_t from) {
    auto make = command({"mktree", "--missing", "--batch"});
    std::vector<std::string*> made;
    for (std::size_t i = from; i < chunks.size(); ++i) {
        if (!chunks[i].before.empty()) continue;
        for (auto side : {&Pair::before, &Pair::after}) {
            const auto& ids = chunks[i].ids;
            for (std::size_t n = 0; n < ids.size(); ++n) {
                const auto& entry = pairs_[ids[n] - first_waiting_].*side;
                if (entry.mode == nothing) continue;
                make.input += fmt::format("{} {} {}\t{:06}\n", entry.mode, type_of(entry.mode), entry.sha, n);
            }
            make.input += '\n';
        }
        made.push_back(&chunks[i].before);
        made.push_back(&chunks[i].after);
    }
    if (made.empty()) return {};
    TARN_ASSIGN(auto printed, ask_git(make));
    std::size_t next = 0;
    Records lines('\n');
    lines.feed(printed, [&](std::string_view line) {
        if (next < made.size()) *made[next++] = std::string(line);
        return true;
    });
    if (next < made.size()) return fail(ErrorKind::bug, "git made too few trees", scratch_);
    return {};
}

// Value: the chunk at which git failed; their number where it did not.
Result<std::size_t> PairCounts::compare(std::vector<Chunk>& chunks, std::size_t from) {
    auto diff = command({"diff-tree", "--stdin", "-r", "--numstat", "-z", "--no-renames"});
    std::vector<std::size_t> asked;
    for (std::size_t i = from; i < chunks.size(); ++i) {
        if (chunks[i].before == chunks[i].after) {
            for (auto id : chunks[i].ids) counts_[id].state = State::counted;
            continue;
        }
        diff.input += chunks[i].before + " " + chunks[i].after + "\n";
        asked.push_back(i);
    }
    std::size_t heads = 0;
    Records records('\0');
    auto take = [&](std::string_view record) {
        // "tree tree\n" stands before the first record of a chunk.
        if (auto head = record.find('\n'); head != std::string_view::npos) {
            ++heads;
            record.remove_prefix(head + 1);
        }
        auto counted = parse_numstat(record);
        std::size_t n = 0;
        if (!counted || heads == 0) return true;
        std::from_chars(counted->name.data(), counted->name.data() + counted->name.size(), n);
        const auto& ids = chunks[asked[heads - 1]].ids;
        if (n >= ids.size()) return true;
        set(ids[n], {counted->additions, counted->deletions});
        return true;
    };
    if (asked.empty()) return chunks.size();
    TARN_ASSIGN(auto finished,
                run_git(diff, [&](std::string_view piece) { return records.feed(piece, take); }));
    if (finished.good()) return chunks.size();
    constexpr int killed = 128 + 1;
    if (finished.status >= killed)
        return fail(ErrorKind::transient, fmt::format("git ended by signal {}", finished.status - 128),
                    "diff-tree");
    // A chunk's records are printed together, so the next one failed.
    return asked[std::min(heads, asked.size() - 1)];
}

}  // namespace tarn::git
