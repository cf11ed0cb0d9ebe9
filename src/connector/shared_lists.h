// Lists that are the same for all scopes of a connection: what another scope has read lately is taken over in place of asking again.
// Thread rule: any thread. Errors: those of the stores.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "connector/connector.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/raw.h"

namespace tarn::connector {

struct SharedReading {
    std::string params;  // of the scope that read the list
    Millis started = 0;  // 0: nobody did
};

// The latest complete reading that is not older than `Stream::shared`, by another scope of the same connection. None where `params`
// itself has read later: then it is time to ask again.
Result<SharedReading> latest_reading(const Connector& connector, const Stream& stream,
                                     const std::string& params, ControlStore& control);

// Takes the rows of that scope over as a complete list. Value: items; 0 where it holds none of ours, then nothing is done.
Result<std::int64_t> take_over(const SharedReading& reading, const Stream& stream, RawPass& pass,
                               DataFile& data);

// The same below parents: by input, the latest reading of it that is not older than `Stream::shared`, by another scope, later than the own.
struct SharedParent {
    std::string params;
    InputState state;
};
Result<std::map<std::string, SharedParent>> shared_parents(const Connector& connector, const Stream& stream,
                                                           const std::string& stream_name,
                                                           const std::string& params, DataFile& data);
Result<> take_over(const std::string& input, const SharedParent& reading, const Stream& stream, RawPass& pass,
                   DataFile& data);

}  // namespace tarn::connector
