// Answers that serve several scopes of one connection: a folder's list says of each of its jobs whether there is news.
//
// Whoever runs several tasks in a row owns one and gives it to all of them; it must outlive them. Only answers of status 200 are kept.
// Thread rule: any thread; of several that want the same answer at once, one asks and the others wait.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/client.h"

namespace tarn::connector {

class SharedAnswers {
  public:
    struct Answer {
        http::Response response;
        bool asked = false;  // the source was asked for it now
    };

    // The answer to `request` as `asker` (a connection) gets it, not older than `age`; `anew`: what is kept proved useless.
    Result<Answer> fetch(http::Client& client, const http::Request& request, const std::string& asker,
                         Millis age, bool anew);

  private:
    struct Kept {
        std::mutex mutex;
        http::Response response;
        Millis at = 0;  // 0: nothing is kept
    };
    std::shared_ptr<Kept> place_of(const std::string& name, Millis age);

    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Kept>> kept_;
};

}  // namespace tarn::connector
