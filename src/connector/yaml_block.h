// Reads YAML blocks by tables of their known keys.
//
// A table lists each legal key of a block with the function that reads its value. What is not in the table is an error that lists what is;
// errors are gathered, so that a file's mistakes come all at once.
// Thread rule: one file, one thread. yaml-cpp may throw from here: load_connector catches it.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "connector/connector.h"

namespace tarn::connector {

class Problems {
  public:
    explicit Problems(std::string file) : file_(std::move(file)) {}

    [[nodiscard]] std::string place(const YAML::Node& node) const;
    void add(const YAML::Node& node, const std::string& message) { add(place(node), message); }
    void add(const std::string& place, const std::string& message);
    [[nodiscard]] const std::string& file() const { return file_; }
    // All problems as one bad_data error, a line each.
    [[nodiscard]] Result<> result() const;

  private:
    std::string file_;
    std::vector<std::string> lines_;
};

template <class T>
using Read = std::function<void(Problems&, const YAML::Node&, T&)>;

template <class T>
struct Key {
    std::string_view name;
    Read<T> read;
    bool required = false;
};

template <class T>
using Keys = std::vector<Key<T>>;

// Values. Each reports what it cannot use and then leaves `out` alone.
bool read_text(Problems& problems, const YAML::Node& node, std::string& out);
bool read_number(Problems& problems, const YAML::Node& node, std::int64_t& out);
bool read_flag(Problems& problems, const YAML::Node& node, bool& out);
void read_duration(Problems& problems, const YAML::Node& node, Millis& out);
void read_texts(Problems& problems, const YAML::Node& node,
                std::vector<std::string>& out);  // a list or one value
void read_statuses(Problems& problems, const YAML::Node& node, std::vector<int>& out);
// A map of texts in the file's order; a list as value repeats the name.
void read_ordered(Problems& problems, const YAML::Node& node, Ordered& out);
void read_shape(Problems& problems, const YAML::Node& node, model::Shape& out);
std::string json_text(const YAML::Node& node);

template <class T>
void read_block(Problems& problems, const YAML::Node& node, const std::string& block, const Keys<T>& keys,
                T& out) {
    if (!node.IsMap()) {
        problems.add(node, block + " must be a map");
        return;
    }
    std::vector<std::string> legal;
    for (const auto& key : keys) legal.emplace_back(key.name);
    std::set<std::string, std::less<>> seen;
    for (const auto& entry : node) {
        const std::string& name = entry.first.Scalar();
        const Key<T>* known = nullptr;
        for (const auto& key : keys) {
            if (key.name == name) known = &key;
        }
        if (known == nullptr) {
            problems.add(entry.first,
                         fmt::format("{}: unknown key '{}'; legal: {}", block, name, join(legal, ", ")));
        } else if (!seen.insert(name).second) {
            problems.add(entry.first, fmt::format("{}: '{}' stands here twice", block, name));
        } else {
            known->read(problems, entry.second, out);
        }
    }
    for (const auto& key : keys) {
        if (key.required && !seen.contains(key.name)) {
            problems.add(node, fmt::format("{} needs '{}'", block, key.name));
        }
    }
}

// Readers of one member, for the tables.
template <class T>
Read<T> text(std::string T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_text(problems, node, out.*member);
    };
}

template <class T, class Number>
Read<T> number(Number T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        std::int64_t value = 0;
        if (read_number(problems, node, value)) out.*member = static_cast<Number>(value);
    };
}

template <class T>
Read<T> flag(bool T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_flag(problems, node, out.*member);
    };
}

template <class T>
Read<T> duration(Millis T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_duration(problems, node, out.*member);
    };
}

template <class T>
Read<T> texts(std::vector<std::string> T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_texts(problems, node, out.*member);
    };
}

template <class T>
Read<T> statuses(std::vector<int> T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_statuses(problems, node, out.*member);
    };
}

template <class T>
Read<T> ordered(Ordered T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_ordered(problems, node, out.*member);
    };
}

template <class T>
Read<T> shape(model::Shape T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        read_shape(problems, node, out.*member);
    };
}

}  // namespace tarn::connector
