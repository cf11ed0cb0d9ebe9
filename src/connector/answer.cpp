#include "connector/answer.h"

#include <algorithm>
#include <charconv>
#include <mutex>

#include <simdjson.h>

#include "base/text.h"

namespace tarn::connector {
namespace {

namespace od = simdjson::ondemand;

// A parser keeps six times the largest page that it has read: there are as many as pages are read at once, not one for each thread.
class PageParser {
  public:
    PageParser() = default;
    ~PageParser() {
        std::lock_guard lock(mutex);
        unused.push_back(std::move(parser_));
    }
    PageParser(const PageParser&) = delete;
    PageParser& operator=(const PageParser&) = delete;
    od::parser& operator*() { return *parser_; }

  private:
    using Owned = std::unique_ptr<od::parser>;
    static Owned take() {
        std::lock_guard lock(mutex);
        if (unused.empty()) return std::make_unique<od::parser>();
        auto parser = std::move(unused.back());
        unused.pop_back();
        return parser;
    }
    static inline std::mutex mutex;
    static inline std::vector<Owned> unused;
    Owned parser_ = take();
};

Failure unreadable(simdjson::error_code error, const std::string& text) {
    std::string start = valid_utf8(text.substr(0, 120));
    std::ranges::replace_if(
        start, [](unsigned char c) { return c < ' '; }, ' ');
    return fail(ErrorKind::bad_data, std::string("the answer is not the expected JSON (") +
                                         simdjson::error_message(error) + "): " + start);
}

// Text of a scalar; nullopt for null, objects and lists.
std::optional<std::string> scalar_text(od::value value) {
    od::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
    if (type == od::json_type::string) {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
        return std::string(text);
    }
    if (type != od::json_type::number && type != od::json_type::boolean) return std::nullopt;
    return std::string(trimmed(value.raw_json_token()));
}

// A document that is broken inside or cut off may end at any look-up; it must not be asked again.
std::optional<std::string> scalar_at(od::document& document, const std::string& pointer) {
    if (!document.is_alive()) return std::nullopt;
    od::value value;
    if (document.at_pointer(pointer).get(value) != simdjson::SUCCESS) return std::nullopt;
    return scalar_text(value);
}

// As parse_time; a number counts seconds since 1970 or, where that would be beyond the year 5138, milliseconds.
bool read_time(const std::string& text, Millis& time) {
    constexpr Millis seconds_end = 100'000'000'000;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
    if (error != std::errc() || end != text.data() + text.size()) return parse_time(text, time) == Parsed::ok;
    if (time < seconds_end) time *= 1000;
    return true;
}

// The raw text of a value, which is left consumed; simdjson's reaches to the next token.
simdjson::error_code raw_text(od::value value, std::string_view& out) {
    od::json_type type{};
    if (auto error = value.type().get(type)) return error;
    simdjson::error_code error = simdjson::SUCCESS;
    if (type == od::json_type::object) {
        od::object object;
        error = value.get_object().get(object);
        if (error == simdjson::SUCCESS) error = object.raw_json().get(out);
    } else if (type == od::json_type::array) {
        od::array array;
        error = value.get_array().get(array);
        if (error == simdjson::SUCCESS) error = array.raw_json().get(out);
    } else {
        out = value.raw_json_token();
    }
    out = trimmed(out);
    return error;
}

class PageReader {
  public:
    PageReader(PageBody& page, const ReadRules& rules, std::int64_t ordinal)
        : page_(page), rules_(rules), ordinal_(ordinal) {}

    simdjson::error_code read() {
        PageParser parser;
        od::document document;
        page_.text->reserve(page_.text->size() + simdjson::SIMDJSON_PADDING);
        if (auto error = (*parser).iterate(*page_.text).get(document)) return error;
        od::json_type root{};
        if (auto error = document.type().get(root)) return error;
        if (root == od::json_type::null) return simdjson::SUCCESS;
        if (root != od::json_type::object && root != od::json_type::array) {
            add(trimmed(*page_.text));
            return rules_.rows.empty() ? simdjson::SUCCESS : simdjson::NO_SUCH_FIELD;
        }
        for (const auto& pointer : rules_.look_up) page_.values[pointer] = scalar_at(document, pointer);
        if (!document.is_alive()) return simdjson::TAPE_ERROR;
        return read_rows(document);
    }

  private:
    simdjson::error_code read_rows(od::document& document) {
        od::value target;
        if (auto error = document.at_pointer(rules_.rows).get(target)) return error;
        od::json_type type{};
        if (auto error = target.type().get(type)) return error;
        if (type == od::json_type::null) return simdjson::SUCCESS;
        std::string_view text;
        if (type != od::json_type::array || rules_.list_is_item) {
            if (auto error = raw_text(target, text)) return error;
            add(text);
            return simdjson::SUCCESS;
        }
        od::array array;
        if (auto error = target.get_array().get(array)) return error;
        for (auto element : array) {
            od::value value;
            if (auto error = element.get(value)) return error;
            if (auto error = raw_text(value, text)) return error;
            add(text);
        }
        return simdjson::SUCCESS;
    }

    void add(std::string_view text) {
        std::string position = std::to_string(ordinal_) + ":" + std::to_string(page_.count++);
        if (rules_.key.empty() && rules_.keep.empty() && rules_.drop.empty() && rules_.since_field.empty()) {
            page_.items.push_back({text, std::move(position)});
            return;
        }
        // A second parser: the first one stands in the middle of its document.
        thread_local od::parser parser;
        od::document item;
        auto room = static_cast<std::size_t>(page_.text->data() + page_.text->capacity() - text.data());
        bool readable =
            parser.iterate(simdjson::padded_string_view(text.data(), text.size(), room)).get(item) ==
            simdjson::SUCCESS;
        if (readable && (!is_kept(item) || is_dropped(item) || is_old(item))) return;
        std::string key = readable ? key_of(item) : "";
        if (key.empty()) key = (rules_.key.empty() ? "" : "?") + position;
        page_.items.push_back({text, std::move(key)});
    }

    bool is_kept(od::document& item) const {
        for (auto entry = rules_.keep.begin(); entry != rules_.keep.end();) {
            auto value = scalar_at(item, entry->first).value_or("");
            bool matches = false;
            const std::string& pointer = entry->first;
            for (; entry != rules_.keep.end() && entry->first == pointer; ++entry)
                matches = matches || entry->second == value;
            if (!matches) return false;
        }
        return true;
    }

    bool is_dropped(od::document& item) const {
        return std::ranges::any_of(rules_.drop, [&](const auto& entry) {
            return scalar_at(item, entry.first).value_or("") == entry.second;
        });
    }

    // The list ends with the page that has an older item. Newer ones behind it there are taken: not every list is in strict order.
    bool is_old(od::document& item) {
        if (rules_.since_field.empty() || rules_.since == 0) return false;
        Millis time = 0;
        auto text = scalar_at(item, rules_.since_field);
        bool old = text && read_time(*text, time) && time < rules_.since;
        page_.reached_older = page_.reached_older || old;
        return old;
    }

    std::string key_of(od::document& item) const {
        std::string key;
        for (const auto& pointer : rules_.key) {
            auto part = scalar_at(item, pointer);
            if (!part) return {};
            if (&pointer != &rules_.key.front()) key += ':';
            key += *part;
        }
        return key;
    }

    PageBody& page_;
    const ReadRules& rules_;
    std::int64_t ordinal_;
};

}  // namespace

Result<PageBody> read_page(std::string body, const ReadRules& rules, std::int64_t ordinal) {
    PageBody page;
    page.text = std::make_unique<std::string>(std::move(body));
    auto error = PageReader(page, rules, ordinal).read();
    if (error == simdjson::UTF8_ERROR) {
        page = PageBody{.text = std::make_unique<std::string>(valid_utf8(*page.text))};
        error = PageReader(page, rules, ordinal).read();
    }
    if (error != simdjson::SUCCESS) return unreadable(error, *page.text);
    return page;
}

}  // namespace tarn::connector
