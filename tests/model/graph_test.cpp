#include "model/graph.h"

#include <functional>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A criss-cross: b and c both have a and x as ancestors, d merges them.
const Graph::Edges diamond = {{"b", "a"}, {"c", "a"}, {"c", "x"}, {"d", "b"}, {"d", "c"}, {"e", "d"}};

TEST(Graph, GivesWhatTheBaseDoesNotReachDepthFirst) {
    Graph graph(diamond);
    EXPECT_THAT(graph.difference("e", "b"), ElementsAre("e", "d", "c", "x"));
    EXPECT_THAT(graph.difference("d", "c"), ElementsAre("d", "b"));
    EXPECT_THAT(graph.difference("d", ""), ElementsAre("d", "b", "a", "c", "x"));
}

TEST(Graph, AnOlderEndHasNothingNew) {
    Graph graph(diamond);
    EXPECT_THAT(graph.difference("b", "e"), IsEmpty());
    EXPECT_THAT(graph.difference("d", "d"), IsEmpty());
}

TEST(Graph, UnknownNodesStandAlone) {
    Graph graph(diamond);
    EXPECT_THAT(graph.difference("new", "b"), ElementsAre("new"));
    EXPECT_THAT(graph.difference("b", "new"), ElementsAre("b", "a"));
    EXPECT_THAT(graph.difference("same", "same"), IsEmpty());
    EXPECT_THAT(Graph({}).difference("a", "b"), ElementsAre("a"));
}

TEST(Graph, ForgetsTheDifferenceBefore) {
    Graph graph(diamond);
    auto first = graph.difference("e", "b");
    graph.difference("c", "x");
    EXPECT_EQ(graph.difference("e", "b"), first);
}

TEST(Graph, CyclesEnd) {
    Graph graph({{"a", "b"}, {"b", "c"}, {"c", "a"}, {"d", "a"}, {"e", "e"}});
    EXPECT_THAT(graph.difference("d", "b"), ElementsAre("d"));
    EXPECT_THAT(graph.difference("d", ""), ElementsAre("d", "a", "b", "c"));
    EXPECT_THAT(graph.difference("e", "a"), ElementsAre("e"));
}

TEST(Graph, ALongHistoryNeedsNoDeepStack) {
    constexpr int count = 300'000;
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
    Graph::Edges edges;
    for (int i = 1; i < count; ++i) edges.emplace_back(names[i], names[i - 1]);
    Graph graph(edges);
    EXPECT_EQ(graph.difference(names.back(), "").size(), count);
    // Neighbours, all along the history: quadratic if each one walked to the root.
    std::size_t sum = 0;
    for (int i = 1; i < count; ++i) sum += graph.difference(names[i], names[i - 1]).size();
    EXPECT_EQ(sum, count - 1);
}

// Against the plain definition, on graphs of all shapes.
TEST(Graph, EqualsTheDefinition) {
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) names.push_back(std::to_string(i));
    std::uint32_t state = 1;
    auto random = [&](std::uint32_t below) { return (state = state * 1664525 + 1013904223) / 65536 % below; };
    for (int round = 0; round < 200; ++round) {
        Graph::Edges edges;
        for (std::uint32_t i = 1; i < 40; ++i) {
            for (std::uint32_t n = random(3); n > 0; --n) edges.emplace_back(names[i], names[random(i)]);
        }
        std::function<void(std::string_view, std::set<std::string_view>&)> reach =
            [&](std::string_view node, std::set<std::string_view>& found) {
                if (!found.insert(node).second) return;
                for (const auto& [child, parent] : edges) {
                    if (child == node) reach(parent, found);
                }
            };
        Graph graph(edges);
        const auto& end = names[random(40)];
        const auto& base = names[random(40)];
        std::set<std::string_view> of_end, of_base, want;
        reach(end, of_end);
        reach(base, of_base);
        for (auto node : of_end) {
            if (!of_base.contains(node)) want.insert(node);
        }
        auto got = graph.difference(end, base);
        EXPECT_EQ(std::set(got.begin(), got.end()), want);
        EXPECT_EQ(got.size(), want.size());
    }
}

}  // namespace
}  // namespace tarn::model
