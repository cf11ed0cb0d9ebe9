#include "connector/shared_answers.h"

namespace tarn::connector {

std::shared_ptr<SharedAnswers::Kept> SharedAnswers::place_of(const std::string& name, Millis age) {
    std::lock_guard lock(mutex_);
    auto& kept = kept_[name];
    if (kept) return kept;
    // A new one is the occasion to let the old ones go.
    Millis oldest = now_millis() - age;
    std::erase_if(kept_, [&](const auto& entry) {
        return entry.second && entry.second.use_count() == 1 && entry.second->at < oldest;
    });
    return kept_[name] = std::make_shared<Kept>();
}

Result<SharedAnswers::Answer> SharedAnswers::fetch(http::Client& client, const http::Request& request,
                                                   const std::string& asker, Millis age, bool anew) {
    std::string name = asker + " " + request.url;
    for (const auto& [header, value] : request.headers) name += "\n" + header + ": " + value;
    auto kept = place_of(name, age);
    std::lock_guard lock(kept->mutex);
    if (!anew && kept->at != 0 && now_millis() - kept->at < age) return Answer{kept->response, false};
    Millis at = now_millis();
    TARN_ASSIGN(auto response, client.fetch(request));
    if (response.status == 200) {
        kept->response = response;
        kept->at = at;
    }
    return Answer{std::move(response), true};
}

}  // namespace tarn::connector
