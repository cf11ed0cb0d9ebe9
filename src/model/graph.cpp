#include "model/graph.h"

#include <algorithm>
#include <queue>
#include <unordered_set>

namespace tarn::model {
namespace {

constexpr std::uint8_t of_end = 1, of_base = 2;
constexpr std::uint32_t unknown = 0, open = UINT32_MAX;  // heights while they are being found

}  // namespace

Graph::Node Graph::node(std::string_view name) {
    auto [found, added] = ids_.emplace(name, static_cast<Node>(names_.size()));
    if (added) names_.push_back(name);
    return found->second;
}

Graph::Graph(const Edges& edges) {
    std::vector<std::pair<Node, Node>> numbered;
    numbered.reserve(edges.size());
    for (const auto& [child, parent] : edges) {
        Node from = node(child);
        numbered.emplace_back(from, node(parent));
    }
    std::ranges::stable_sort(numbered, {}, &std::pair<Node, Node>::first);
    first_.assign(names_.size() + 1, 0);
    for (const auto& [child, parent] : numbered) {
        ++first_[child + 1];
        parents_.push_back(parent);
    }
    for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    marks_.assign(names_.size(), 0);
    set_heights();
}

void Graph::set_heights() {
    heights_.assign(names_.size(), unknown);
    std::vector<std::pair<Node, std::uint32_t>> path;
    for (Node start = 0; start < names_.size() && !cyclic_; ++start) settle(start, path);
}

// Heights of a node and all above it. `path` holds nodes and the place of the parent that is next; histories are too deep for recursion.
void Graph::settle(Node node, std::vector<std::pair<Node, std::uint32_t>>& path) {
    if (heights_[node] != unknown) return;
    path.assign(1, {node, first_[node]});
    heights_[node] = open;
    while (!path.empty()) {
        auto& [at, next] = path.back();
        if (next < first_[at + 1]) {
            Node parent = parents_[next++];
            if (heights_[parent] == open) {
                cyclic_ = true;
                return;
            }
            if (heights_[parent] != unknown) continue;
            heights_[parent] = open;
            path.emplace_back(parent, first_[parent]);
            continue;
        }
        std::uint32_t height = 0;
        for (std::uint32_t i = first_[at]; i < first_[at + 1]; ++i)
            height = std::max(height, heights_[parents_[i]]);
        heights_[at] = height + 1;
        path.pop_back();
    }
}

void Graph::mark_all(Node base) {
    std::vector<Node> waiting = {base};
    while (!waiting.empty()) {
        Node at = waiting.back();
        waiting.pop_back();
        if (marks_[at] != 0) continue;
        marks_[at] = of_base;
        marked_.push_back(at);
        for (std::uint32_t i = first_[at]; i < first_[at + 1]; ++i) waiting.push_back(parents_[i]);
    }
}

// Children come before their parents, so that a node's marks are complete when its turn comes.
void Graph::mark_by_height(Node end, Node base) {
    auto lower = [this](Node a, Node b) { return heights_[a] < heights_[b]; };
    std::priority_queue<Node, std::vector<Node>, decltype(lower)> waiting(lower);
    std::size_t undecided = 0;  // waiting nodes that the base is not known to reach
    auto reach = [&](Node node, std::uint8_t marks) {
        std::uint8_t before = marks_[node];
        marks_[node] |= marks;
        if (before == 0) {
            marked_.push_back(node);
            waiting.push(node);
            if (marks == of_end) ++undecided;
        } else if (before == of_end && (marks & of_base) != 0) {
            --undecided;
        }
    };
    reach(base, of_base);
    reach(end, of_end);
    while (undecided > 0) {
        Node at = waiting.top();
        waiting.pop();
        if (marks_[at] == of_end) --undecided;
        for (std::uint32_t i = first_[at]; i < first_[at + 1]; ++i) reach(parents_[i], marks_[at]);
    }
}

std::vector<std::string_view> Graph::collect(Node end) const {
    std::vector<std::string_view> found;
    std::vector<Node> waiting = {end};
    std::unordered_set<Node> visited;
    while (!waiting.empty()) {
        Node at = waiting.back();
        waiting.pop_back();
        if ((marks_[at] & of_base) != 0 || !visited.insert(at).second) continue;
        found.push_back(names_[at]);
        for (std::uint32_t i = first_[at + 1]; i > first_[at]; --i) waiting.push_back(parents_[i - 1]);
    }
    return found;
}

std::vector<std::string_view> Graph::difference(std::string_view end, std::string_view base) {
    if (end == base) return {};
    auto from = ids_.find(end);
    if (from == ids_.end()) return {end};
    auto known = ids_.find(base);
    if (known != ids_.end()) {
        if (cyclic_) {
            mark_all(known->second);
        } else {
            mark_by_height(from->second, known->second);
        }
    }
    auto found = collect(from->second);
    for (Node node : marked_) marks_[node] = 0;
    marked_.clear();
    return found;
}

}  // namespace tarn::model
