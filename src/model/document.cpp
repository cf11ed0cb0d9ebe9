#include "model/document.h"

#include <map>

#include <nlohmann/json.hpp>

namespace tarn::model {
namespace {

using Json = nlohmann::json;

// What stands around a node, around each child of it, and between its children.
struct Layout {
    std::string_view before, after, child_before, child_after, between;
};

const Layout& layout_of(std::string_view type) {
    static const std::map<std::string_view, Layout> layouts = {
        {"paragraph", {"", "\n", "", "", ""}},    {"heading", {"", "\n", "", "", ""}},
        {"bulletList", {"", "", "• ", "\n", ""}}, {"orderedList", {"", "", "• ", "\n", ""}},
        {"tableRow", {"", "\n", "", "", " | "}},  {"codeBlock", {"```\n", "\n```\n", "", "", ""}},
        {"blockquote", {"> ", "\n", "", "", ""}},
    };
    static const Layout plain;
    auto found = layouts.find(type);
    return found == layouts.end() ? plain : found->second;
}

const Json& member(const Json& node, const char* name) {
    static const Json none;
    auto found = node.find(name);
    return found == node.end() ? none : *found;
}

void append_text(const Json& text, std::string& out) {
    if (text.is_string()) out += text.get_ref<const std::string&>();
}

void append_node(const Json& node, int depth, std::string& out) {
    constexpr int deepest = 500;
    if (!node.is_object() || depth > deepest) return;
    const Json& type_node = member(node, "type");
    std::string type = type_node.is_string() ? type_node.get<std::string>() : "";
    if (type == "text") return append_text(member(node, "text"), out);
    if (type == "hardBreak") {
        out += '\n';
        return;
    }
    const Json& attributes = member(node, "attrs");
    if ((type == "mention" || type == "inlineCard") && attributes.is_object() && attributes.contains("text"))
        return append_text(attributes["text"], out);
    const Layout& layout = layout_of(type);
    out += layout.before;
    bool first = true;
    static const Json nothing = Json::array();
    const Json& content = member(node, "content");
    // A reference on both sides: else each level would copy all below it.
    for (const auto& child : content.is_array() ? content : nothing) {
        if (!first) out += layout.between;
        first = false;
        out += layout.child_before;
        append_node(child, depth + 1, out);
        out += layout.child_after;
    }
    out += layout.after;
}

}  // namespace

std::string document_text(std::string_view json) {
    Json root = Json::parse(json, nullptr, false);
    if (!root.is_object()) return std::string(json);
    std::string out;
    append_node(root, 0, out);
    return out;
}

}  // namespace tarn::model
