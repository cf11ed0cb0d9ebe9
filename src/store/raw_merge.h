// The merge of one batch of collected items into a raw table, for RawPass alone. Thread rule: the data file's writer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/control.h"
#include "store/duck.h"
#include "store/raw.h"

namespace tarn {

// SQL: the input key in `_tarn_item` of the relation `alias`.
std::string input_key_of(const std::string& alias);

// Takes `count` ids that were never used before; value: the first.
Result<std::int64_t> take_ids(duck::Connection& connection, const std::string& sequence, std::int64_t count);
// Puts a raw table's sequence above the ids that are in the table.
Result<> raise_sequence(duck::Connection& connection, const std::string& raw_table);

class RawMerge {
  public:
    RawMerge(const std::string& table, const std::string& params, std::int64_t pass_id,
             const std::vector<RawItem>& items);
    Result<> run(duck::Connection& connection, ControlStore& control);
    [[nodiscard]] const RawCounts& counts() const { return counts_; }

  private:
    enum class Fate { added, changed, equal };
    struct Row {
        const RawItem* item = nullptr;
        std::string name;
        std::string repaired;  // the payload, where the item's is not UTF-8
        std::int64_t key = 0, hash = 0;
        Fate fate = Fate::added;
        std::int64_t id = 0;
        duck::Text created_at;  // ms, of a changed row
        [[nodiscard]] const std::string& data() const { return repaired.empty() ? item->data : repaired; }
    };
    struct Suspect {
        std::size_t row;
        std::int64_t id;
    };

    Result<> find(duck::Connection& connection);
    Result<> find_changed(duck::Connection& connection, const std::vector<Suspect>& suspects);
    Result<> give_ids(duck::Connection& connection);
    Result<> store(duck::Connection& connection, Millis stamp) const;
    Result<> note_seen(duck::Connection& connection) const;
    void count();

    const std::string& table_;
    const std::string& params_;
    std::int64_t pass_id_;
    std::vector<Row> rows_;
    RawCounts counts_;
};

}  // namespace tarn
