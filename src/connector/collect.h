// Collects one stream of one scope: requests, pages, parents, windows, unfinished items; rows to their raw table.
//
// Rows are committed in the order of parents and pages, in batches; a killed or failed collection goes on where it stood. The stream's
// state (_devlake_collector_latest_state) moves only when the stream is complete.
// Errors: those of the client and the store, with the stream and URL path as place; an answer of a status that neither succeeds nor is skipped is
// terminal (401, 403, 404: with what to check) or transient. An answer that is not JSON is transient first, bad_data when it stays so.
// Thread rule: one call per stream at a time; several streams may run at once.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/cancel.h"
#include "connector/connector.h"
#include "connector/shared_answers.h"
#include "http/client.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/raw.h"

namespace tarn::connector {

struct CollectTask {
    const Connector* connector = nullptr;
    const Stream* stream = nullptr;
    std::map<std::string, std::string> options;  // name -> text of the value, for placeholders
    std::string params;                          // raw params text
    std::string endpoint;
    // Fills the $inputs of the stream's selects (parents, open) with literals.
    std::function<Result<std::string>(const std::string& sql)> bind;
    bool full_sync = false;
    Millis time_after = 0;             // 0: none
    Millis now = 0;                    // the time of this run; 0: the clock's
    CancelToken cancel;                // the client's too, or requests under way are waited for
    SharedAnswers* answers = nullptr;  // of the tasks that run one after the other; null: none are shared
    Millis broken_pause = 200;         // before an answer that is not JSON is asked for again; doubles
    std::function<void(std::int64_t items, std::int64_t requests)> progress;
};

struct CollectSummary {
    RawCounts rows;
    std::int64_t requests = 0;
    std::int64_t parents = 0;  // read in this run
    std::int64_t skipped = 0;  // answers of a status that is skipped
    bool complete = false;     // all there is was read
    std::int64_t said = -1;    // items of the lists that were read, by the source; -1: it does not tell
};

Result<CollectSummary> collect(const CollectTask& task, http::Client& client, DataFile& data,
                               ControlStore& control);

}  // namespace tarn::connector
