// Runs models: "How a result reaches its table" of docs/architecture.md.
//
// run_stage runs the given models (in a legal order) for one scope in one transaction of the data file, then writes their states. A failure leaves
// data and states as they were. Running it again repeats nothing that is already there.
// Errors: bad_data (an input such as a regex is wrong), terminal (disk, memory), cancelled, bug; place is the model's file.
// Thread rule: any thread; stages run one after the other on the data file's writer.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "model/model_set.h"
#include "store/control.h"
#include "store/data_file.h"

namespace tarn::model {

struct ModelCounts {
    std::int64_t worked = 0;  // origins worked on
    std::int64_t added = 0, changed = 0, deleted = 0;
    std::int64_t rejected = 0;  // items put aside
    std::int64_t cut = 0;       // texts cut at their column's length
    bool full = false, skipped = false;
};

struct ScopeRun {
    Inputs inputs;       // every input that the models name, as literals; "params" among them
    std::string params;  // the scope's raw params text
    bool full = false;
    CancelToken cancel;
    std::function<void(const Model&, const ModelCounts&)> progress;
};

using StageCounts = std::map<std::string, ModelCounts>;  // by model id

Result<StageCounts> run_stage(DataFile& data, ControlStore& control, const ModelSet& set,
                              const std::vector<const Model*>& models, const ScopeRun& run);

}  // namespace tarn::model
