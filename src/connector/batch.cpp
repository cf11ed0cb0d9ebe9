#include "connector/batch.h"

#include "base/text.h"

namespace tarn::connector {
namespace {

constexpr std::size_t most_items = 2000;
constexpr std::size_t most_bytes = std::size_t{8} << 20U;
constexpr std::chrono::seconds longest{2};

}  // namespace

std::size_t Batch::add(Outcome outcome, const std::string& input) {
    std::vector<RawItem> items = std::move(outcome.known);
    items.reserve(items.size() + outcome.body.items.size());
    for (auto& item : outcome.body.items) {
        items.push_back({input, std::move(item.key), std::string(item.data), outcome.url, input});
    }
    if (known_ != nullptr && !outcome.etag.empty())
        known_->remember(outcome.request, outcome.etag, outcome.followers, items);
    if (!items.empty() && !since_) since_ = std::chrono::steady_clock::now();
    for (auto& item : items) {
        bytes_ += item.data.size() + item.url.size() + 2 * input.size();
        items_.push_back(std::move(item));
    }
    return items.size();
}

void Batch::set_point(CheckPoint point) {
    if (!since_) since_ = std::chrono::steady_clock::now();
    point_ = std::move(point);
}

void Batch::parent_done(const std::string& input, InputState state, bool whole) {
    if (!since_) since_ = std::chrono::steady_clock::now();
    (whole ? whole_ : partial_)[input] = std::move(state);
}

bool Batch::due() const {
    if (items_.size() >= most_items || bytes_ >= most_bytes || whole_.size() + partial_.size() >= most_items)
        return true;
    return since_ && std::chrono::steady_clock::now() - *since_ >= longest;
}

Result<> Batch::flush(bool with_point) {
    std::vector<CheckPoint> points;
    if (point_ && (with_point || !items_.empty())) points.push_back(*point_);
    if (!items_.empty() || !points.empty() || !whole_.empty()) TARN_TRY(pass_->write(items_, points, whole_));
    if (!partial_.empty()) {
        std::vector<std::string> inputs;
        for (const auto& [input, state] : partial_) inputs.push_back(input);
        TARN_ASSIGN(auto kept, stored_below(*data_, place_, inputs));
        for (; kept.size() > most_items; kept.resize(kept.size() - most_items)) {
            TARN_TRY(pass_->write({kept.end() - most_items, kept.end()}, {}, {}));
        }
        TARN_TRY(pass_->write(kept, {}, partial_));
    }
    if (known_ != nullptr) TARN_TRY(known_->save());
    clear();
    return {};
}

void Batch::clear() {
    items_.clear();
    point_.reset();
    whole_.clear();
    partial_.clear();
    bytes_ = 0;
    since_.reset();
}

}  // namespace tarn::connector
