// A directed graph of named nodes, child to parents, and what can be reached from one node but not from another.
//
// Memory is linear in nodes and edges. A difference visits little more than the nodes of its result and as many on the other side: nodes are taken by
// their height above the roots, and the walk ends when all that are left can be reached from the base. A graph with a cycle, which has no heights, is
// answered by walking all ancestors of the base.
// Thread rule: one user at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tarn::model {

class Graph {
  public:
    using Edges = std::vector<std::pair<std::string_view, std::string_view>>;  // child, parent

    // The names must outlive the graph.
    explicit Graph(const Edges& edges);

    // Nodes reachable from `end` and not from `base`, depth first, parents in the order of the edges. An `end` that no edge names is a node without
    // parents, such a `base` reaches nothing but itself.
    std::vector<std::string_view> difference(std::string_view end, std::string_view base);

  private:
    using Node = std::uint32_t;

    Node node(std::string_view name);
    void set_heights();
    void settle(Node node, std::vector<std::pair<Node, std::uint32_t>>& path);
    void mark_all(Node base);
    void mark_by_height(Node end, Node base);
    [[nodiscard]] std::vector<std::string_view> collect(Node end) const;

    std::unordered_map<std::string_view, Node> ids_;
    std::vector<std::string_view> names_;
    std::vector<std::uint32_t> first_;  // of a node's parents in parents_; one more at the end
    std::vector<Node> parents_;
    std::vector<std::uint32_t> heights_;
    std::vector<std::uint8_t> marks_;  // of the running difference
    std::vector<Node> marked_;         // nodes to unmark
    bool cyclic_ = false;
};

}  // namespace tarn::model
