// Gathers what was collected and commits it: items and check-points together, then what pages are known to be unchanged.
//
// Parents whose list was not read whole keep all their stored items.
// Thread rule: one thread. Errors: those of the data file.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connector/known_pages.h"
#include "connector/schedule.h"
#include "store/raw.h"

namespace tarn::connector {

class Batch {
  public:
    Batch(RawPass& pass, DataFile& data, RawPlace place, KnownPages* known)
        : pass_(&pass), data_(&data), place_(std::move(place)), known_(known) {}

    // `input`: the parent's, "" without one. Value: items taken.
    std::size_t add(Outcome outcome, const std::string& input);
    // Where the stream's own list goes on. Kept only beside items or after a while: a run without news writes nothing.
    void set_point(CheckPoint point);
    void parent_done(const std::string& input, InputState state, bool whole);

    [[nodiscard]] bool due() const;
    Result<> flush(bool with_point);

  private:
    void clear();

    RawPass* pass_;
    DataFile* data_;
    RawPlace place_;
    KnownPages* known_;
    std::vector<RawItem> items_;
    std::optional<CheckPoint> point_;
    std::map<std::string, InputState> whole_, partial_;
    std::size_t bytes_ = 0;
    std::optional<std::chrono::steady_clock::time_point> since_;
};

}  // namespace tarn::connector
