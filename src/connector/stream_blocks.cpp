#include "base/text.h"
#include "connector/blocks.h"

namespace tarn::connector {
namespace {

// A pointer within an item may be written without its first slash.
void slashed(std::string& pointer) {
    if (!pointer.empty() && pointer.front() != '/') pointer.insert(0, "/");
}

Read<Stream> pointers(std::vector<std::string> Stream::*member) {
    return [member](Problems& problems, const YAML::Node& node, Stream& out) {
        read_texts(problems, node, out.*member);
        for (auto& pointer : out.*member) slashed(pointer);
    };
}

template <class T>
Read<T> pointer(std::string T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        if (read_text(problems, node, out.*member)) slashed(out.*member);
    };
}

template <class T>
Read<T> date(Millis T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        std::string word;
        if (read_text(problems, node, word) && parse_time(word, out.*member) != Parsed::ok) {
            problems.add(node, "expected a time, as 2018-01-01");
        }
    };
}

const Keys<Since>& since_keys() {
    static const Keys<Since> keys = {
        {"query", text(&Since::query)},    {"format", text(&Since::format)},
        {"field", pointer(&Since::field)}, {"overlap", duration(&Since::overlap)},
        {"start", date(&Since::start)},    {"zone", text(&Since::zone)},
    };
    return keys;
}

const Keys<Window>& window_keys() {
    static const Keys<Window> keys = {
        {"query", text(&Window::query)},         {"format", text(&Window::format)},
        {"total", text(&Window::total), true},   {"cap", number(&Window::cap), true},
        {"start", date(&Window::start), true},   {"too_many", statuses(&Window::too_many)},
        {"overlap", duration(&Window::overlap)},
    };
    return keys;
}

const Keys<Open>& open_keys() {
    static const Keys<Open> keys = {
        {"select", text(&Open::select), true},
        {"path", text(&Open::path), true},
        {"query", ordered(&Open::query)},
        {"rows", pointer(&Open::rows)},
    };
    return keys;
}

template <class T>
Read<Stream> optional_block(std::optional<T> Stream::*member, const char* name, const Keys<T>& (*keys)()) {
    return [member, name, keys](Problems& problems, const YAML::Node& node, Stream& out) {
        read_block(problems, node, name, keys(), (out.*member).emplace());
    };
}

void read_page(Problems& problems, const YAML::Node& node, Stream& out) {
    read_block(problems, node, "page", page_keys(), out.page);
}

Read<Stream> values_of_pointers(Ordered Stream::*member) {
    return [member](Problems& problems, const YAML::Node& node, Stream& out) {
        read_ordered(problems, node, out.*member);
        for (auto& entry : out.*member) slashed(entry.first);
    };
}

void read_body(Problems&, const YAML::Node& node, Stream& out) {
    out.body = node.IsScalar() ? node.Scalar() : json_text(node);
}

}  // namespace

const Keys<Page>& page_keys() {
    static const Keys<Page> keys = {
        {"kind", text(&Page::kind), true},
        {"param", text(&Page::param)},
        {"size_param", text(&Page::size_param)},
        {"size", number(&Page::size)},
        {"start", number(&Page::start)},
        {"total", text(&Page::total)},
        {"unit", text(&Page::unit)},
        {"more", text(&Page::more)},
        {"next", text(&Page::next)},
    };
    return keys;
}

const Keys<Stream>& stream_keys() {
    static const Keys<Stream> keys = {
        {"subtask", text(&Stream::subtask), true},
        {"raw", text(&Stream::raw), true},
        {"method", text(&Stream::method)},
        {"path", text(&Stream::path), true},
        {"query", ordered(&Stream::query)},
        {"headers", ordered(&Stream::headers)},
        {"body", read_body},
        {"page", read_page},
        {"rows", pointer(&Stream::rows)},
        {"key", pointers(&Stream::key)},
        {"item", shape(&Stream::item), true},
        {"keep", values_of_pointers(&Stream::keep)},
        {"drop", values_of_pointers(&Stream::drop)},
        {"parents", text(&Stream::parents)},
        {"input", shape(&Stream::input)},
        {"basis", text(&Stream::basis)},
        {"shared", duration(&Stream::shared)},
        {"forget", flag(&Stream::forget)},
        {"since", optional_block(&Stream::since, "since", since_keys)},
        {"window", optional_block(&Stream::window, "window", window_keys)},
        {"open", optional_block(&Stream::open, "open", open_keys)},
        {"refresh", duration(&Stream::refresh)},
        {"skip", statuses(&Stream::skip)},
        {"etag", flag(&Stream::conditional)},
        {"once", duration(&Stream::once)},
        {"parallel", number(&Stream::parallel)},
    };
    return keys;
}

}  // namespace tarn::connector
