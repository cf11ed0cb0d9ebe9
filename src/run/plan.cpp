#include "run/plan.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tarn::run {
Result<Plan> Plan::make(const LoadedConnector& connector, const std::vector<std::string>& subtasks) {
    Plan plan;
    plan.set_ = &connector.models;
    for (const auto& stream : connector.connector.streams) {
        if (contains(subtasks, stream.subtask)) plan.streams_.push_back(&stream);
    }
    std::vector<model::Model> chosen;
    for (const auto& model : connector.models.models()) {
        if (!contains(subtasks, model.subtask)) continue;
        plan.models_.push_back(&model);
        chosen.push_back(model);
    }
    std::size_t streams = plan.streams_.size();
    std::size_t count = streams + plan.models_.size();
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (const auto& [a, b] : model::model_edges(chosen)) edges.emplace_back(streams + a, streams + b);
    for (std::size_t s = 0; s < streams; ++s) {
        constexpr std::array<const char*, 3> selects = {".parents", ".basis", ".zone"};
        std::vector<std::string> parents;
        for (const char* select : selects) {
            auto more = connector.models.reads_of_select(plan.streams_[s]->name + select);
            parents.insert(parents.end(), more.begin(), more.end());
        }
        for (std::size_t m = 0; m < plan.models_.size(); ++m) {
            // A stream sees what it filled itself as the last run left it.
            bool own = contains(plan.models_[m]->reads, plan.streams_[s]->raw);
            if (own) edges.emplace_back(s, streams + m);
            for (const char* select : selects) {
                if (!own && connector.models.feeds_select(*plan.models_[m], plan.streams_[s]->name + select))
                    edges.emplace_back(streams + m, s);
            }
        }
        for (std::size_t other = 0; other < streams; ++other) {
            if (other != s && contains(parents, plan.streams_[other]->raw)) edges.emplace_back(other, s);
        }
    }
    if (auto order = model::topological(count, edges); !order) {
        std::vector<std::string> names;
        for (std::size_t node : order.error())
            names.push_back(node < streams ? "stream " + plan.streams_[node]->name
                                           : plan.models_[node - streams]->file);
        return fail(ErrorKind::bad_data, "these wait for each other: " + join(names, ", "),
                    connector.connector.folder);
    }
    plan.before_.resize(count);
    plan.done_.resize(count, false);
    for (const auto& [before, after] : edges) plan.before_[after].push_back(before);
    return plan;
}

bool Plan::ready(std::size_t node) const {
    return !done_[node] &&
           std::ranges::all_of(before_[node], [this](std::size_t before) { return done_[before]; });
}

std::vector<const connector::Stream*> Plan::take_streams() {
    std::vector<std::size_t> nodes;
    for (std::size_t node = 0; node < streams_.size(); ++node) {
        if (ready(node)) nodes.push_back(node);
    }
    std::vector<const connector::Stream*> found;
    for (std::size_t node : nodes) {
        done_[node] = true;
        found.push_back(streams_[node]);
    }
    return found;
}

std::vector<const model::Model*> Plan::take_models() {
    std::vector<const model::Model*> found;
    for (bool more = true; more;) {
        more = false;
        for (std::size_t node = streams_.size(); node < done_.size(); ++node) {
            if (!ready(node)) continue;
            done_[node] = true;
            found.push_back(models_[node - streams_.size()]);
            more = true;
        }
    }
    return found;
}

std::vector<const model::Model*> Plan::own_feeders(const connector::Stream& stream) const {
    std::vector<const model::Model*> found;
    for (const auto* model : models_) {
        bool feeds = std::ranges::any_of(
            std::array{".parents", ".basis", ".zone", ".open"},
            [&](const char* select) { return set_->feeds_select(*model, stream.name + select); });
        if (feeds && contains(model->reads, stream.raw)) found.push_back(model);
    }
    return found;
}

bool Plan::finished() const {
    return std::ranges::all_of(done_, [](bool done) { return done; });
}

}  // namespace tarn::run
