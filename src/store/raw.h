// Raw rows: how collected items reach their raw table (docs/architecture.md, "Raw rows").
//
// A RawPass is one reading of a stream for one scope. Batches are committed as they come, each with its check-point, in one
// transaction of the data file. Equal payloads write nothing. finish() forgets the check-points and, for what was read
// completely, deletes items that were not seen (their origins go to _tarn_gone). A raw table belongs to one stream: of the same
// params all rows are that stream's. Rows with a null `_tarn_item` are never touched.
//
// `_tarn_item` is the item key, below a parent the input key, a newline and the item key; `_tarn_key` is its XXH3 hash, by which
// items are found (the text decides where two have the same).
// Thread rule: one pass, one thread at a time. Errors: those of the data file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/control.h"
#include "store/data_file.h"

namespace tarn {

struct RawItem {
    std::string input_key;  // canonical JSON of the parent's key columns; "" without a parent
    std::string item_key;   // text of the item's key fields, or page and position
    std::string data;       // the item's JSON as the source sent it
    std::string url;
    std::string input;  // JSON of the parent's columns; "" without a parent (stored as NULL)
};

// The name of an item within a raw table's params (`_tarn_item`), and the hash of a name (`_tarn_key`).
std::string raw_item_name(const std::string& input_key, const std::string& item_key);
std::int64_t raw_item_hash(std::string_view name);

// Of this process: what a pass did before a crash is not in it. Items given twice in one batch count once.
struct RawCounts {
    std::int64_t seen = 0, added = 0, changed = 0, equal = 0, gone = 0;
};

// What a pass remembers per (input, window): where to go on after a crash.
struct CheckPoint {
    std::string input_key;
    std::string position;  // opaque to the store: page number or cursor, as JSON
    bool done = false;     // this input was read to its end
};

// State of one parent: when it was read last and in which version.
struct InputState {
    std::string version;
    Millis collected_at = 0;
};

class RawPass {
  public:
    // Goes on with an unfinished pass of the same stream and scope, or starts one: `started_at` is the stored start then.
    // A pass that another data file began is dropped, too: what it has met is not known here.
    // `fingerprint`: text of what the pass depends on (mode, since, path, query); an unfinished pass with another one is dropped.
    static Result<RawPass> open(DataFile& data, ControlStore& control, const std::string& stream,
                                const std::string& raw_table, const std::string& params,
                                const std::string& fingerprint, Millis now);

    [[nodiscard]] Millis started_at() const { return started_at_; }
    [[nodiscard]] bool resumed() const { return resumed_; }
    [[nodiscard]] const std::map<std::string, CheckPoint>& check_points() const { return check_points_; }
    // States of the parents read by earlier passes (and by this one before a crash).
    Result<std::map<std::string, InputState>> inputs();

    // Adds items (at most some thousand: all are in memory and in one transaction) and sets check-points; `finished` are parents now read to their end, with their state.
    Result<> write(const std::vector<RawItem>& items, const std::vector<CheckPoint>& points,
                   const std::map<std::string, InputState>& finished);

    // `complete`: the whole list was read, so items of this (stream, params) that the pass did not see are deleted.
    // Otherwise items are deleted only below the parents that were read to their end in this pass.
    Result<RawCounts> finish(bool complete);

    // Items of (table, params) whose parent (by input key) is named go, their origins are noted: for parents that are gone.
    Result<std::int64_t> forget_inputs(const std::vector<std::string>& input_keys);

    [[nodiscard]] const RawCounts& counts() const { return counts_; }

  private:
    RawPass(DataFile& data, ControlStore& control) : data_(&data), control_(&control) {}
    Result<> begin(duck::Connection& connection, const std::string& fingerprint, Millis now);
    Result<> resume(duck::Connection& connection);
    Result<> forget(duck::Connection& connection) const;
    Result<> remember(duck::Connection& connection, const std::vector<CheckPoint>& points,
                      const std::map<std::string, InputState>& finished) const;
    Result<std::int64_t> remove(duck::Connection& connection, const std::string& condition) const;
    [[nodiscard]] std::string scope() const;

    DataFile* data_;
    ControlStore* control_;
    std::string stream_, raw_table_, params_;
    std::int64_t pass_id_ = 0;
    Millis started_at_ = 0;
    bool resumed_ = false;
    std::map<std::string, CheckPoint> check_points_;
    RawCounts counts_;
};

// For a data file that has lost what unfinished passes had seen: they start anew, with the parents they had finished.
Result<> forget_unfinished(DataFile& data);

}  // namespace tarn
