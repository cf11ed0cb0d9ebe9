#include "author/scaffold.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace tarn::author {
namespace {

namespace fs = std::filesystem;

bool is_name(const std::string& text) {
    auto legal = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_'; };
    return !text.empty() && std::islower(static_cast<unsigned char>(text.front())) != 0 &&
           std::ranges::all_of(text, legal);
}

// my_tracker -> MyTracker
std::string camel_case(const std::string& name) {
    std::string out;
    for (const auto& word : split(name, '_')) {
        out += static_cast<char>(std::toupper(static_cast<unsigned char>(word.front())));
        out += word.substr(1);
    }
    return out;
}

std::string renamed(const std::string& text, const std::string& name) {
    return replaced(replaced(text, "sample", name), "Sample", camel_case(name));
}

Result<> write_file(const fs::path& path, const std::string& text) {
    std::error_code code;
    fs::create_directories(path.parent_path(), code);
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (code || !out)
        return fail(ErrorKind::terminal, "cannot be written", path.string(),
                    "Check the rights of the folder.");
    return {};
}

}  // namespace

Result<std::vector<std::string>> new_connector(const std::string& share, const std::string& parent,
                                               const std::string& name,
                                               const std::vector<std::string>& taken) {
    if (!is_name(name)) {
        return fail(ErrorKind::bad_data, "'" + name + "' is no connector's name", {},
                    "Use small letters, digits and _, a letter first: it becomes a part of table names.");
    }
    if (contains(taken, name))
        return fail(ErrorKind::bad_data, "there is a connector '" + name + "' already", {},
                    "Choose another name.");
    fs::path folder = fs::path(parent) / name;
    fs::path sample = fs::path(share) / "templates" / "sample";
    std::error_code code;
    if (fs::exists(folder, code))
        return fail(ErrorKind::terminal, "exists already", folder.string(), "Choose another name or folder.");
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(sample, code)) {
        if (!entry.is_regular_file()) continue;
        std::string text;
        if (!read_file(entry.path().string(), text))
            return fail(ErrorKind::terminal, "cannot be read", entry.path().string());
        fs::path file = folder / renamed(entry.path().lexically_relative(sample).string(), name);
        TARN_TRY(write_file(file, renamed(text, name)));
        files.push_back(file.string());
    }
    if (files.empty())
        return fail(ErrorKind::terminal, "is not there", sample.string(),
                    "Set TARN_SHARE to the folder that holds templates/.");
    std::ranges::sort(files);
    return files;
}

}  // namespace tarn::author
