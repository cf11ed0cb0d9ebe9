#include "run/csv_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/text.h"
#include "connector/yaml_block.h"

namespace tarn::run {
namespace {

using connector::Keys;
using connector::Problems;
using connector::read_block;

void read_form(Problems& problems, const YAML::Node& node, CsvFile& out) {
    std::vector<std::pair<std::string, std::string>> entries;
    connector::read_ordered(problems, node, entries);
    for (const auto& [name, kind] : entries) {
        if (kind != "text" && kind != "flag") problems.add(node, "form: " + name + " must be text or flag");
        out.form.push_back({name, kind == "flag"});
    }
}

void read_targets(Problems& problems, const YAML::Node& node, CsvFile& out) {
    static const Keys<CsvTarget> keys = {
        {"copies", connector::flag(&CsvTarget::copies)},     {"set", connector::ordered(&CsvTarget::set)},
        {"given", connector::ordered(&CsvTarget::given)},    {"select", connector::text(&CsvTarget::select)},
        {"replaces", connector::text(&CsvTarget::replaces)},
    };
    if (!node.IsMap()) {
        problems.add(node, "tables must be a map of tables");
        return;
    }
    for (const auto& entry : node) {
        CsvTarget target;
        target.table = entry.first.Scalar();
        read_block(problems, entry.second, "table '" + target.table + "'", keys, target);
        if (target.select.empty() && !target.copies && target.set.empty() && target.replaces.empty())
            problems.add(entry.first, "table '" + target.table + "' needs copies, set, select or replaces");
        out.targets.push_back(std::move(target));
    }
}

const Keys<CsvFile>& file_keys() {
    static const Keys<CsvFile> keys = {
        {"method", connector::text(&CsvFile::method), true},
        {"import", connector::text(&CsvFile::import)},
        {"form", read_form},
        {"needs", connector::texts(&CsvFile::needs)},
        {"columns", connector::texts(&CsvFile::columns)},
        {"like", connector::text(&CsvFile::like)},
        {"refuses", connector::ordered(&CsvFile::refuses)},
        {"tables", read_targets},
        {"download", connector::text(&CsvFile::download)},
        {"sample", connector::text(&CsvFile::sample)},
    };
    return keys;
}

Result<CsvFiles> read_files(const std::string& folder) {
    std::string path = folder + "/files.yaml", text;
    CsvFiles out;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return out;
    if (!read_file(path, text)) return fail(ErrorKind::bad_data, "cannot be read", path);
    Problems problems(path);
    try {
        YAML::Node root = YAML::Load(text);
        if (!root.IsMap()) problems.add(path, "must be a map of files");
        for (const auto& entry : root) {
            CsvFile file;
            file.name = entry.first.Scalar();
            file.place = problems.place(entry.first);
            read_block(problems, entry.second, "file '" + file.name + "'", file_keys(), file);
            if (file.method != "POST" && file.method != "PUT")
                problems.add(entry.first, "method must be POST or PUT");
            out.files.push_back(std::move(file));
        }
    } catch (const YAML::Exception& error) {
        problems.add(path + ":" + std::to_string(error.mark.line + 1), "not YAML: " + error.msg);
    }
    TARN_TRY(problems.result());
    return out;
}

const Result<CsvFiles>& kept(const std::string& folder) {
    static std::mutex mutex;
    static std::map<std::string, Result<CsvFiles>> all;
    std::lock_guard lock(mutex);
    auto found = all.find(folder);
    if (found == all.end()) found = all.emplace(folder, read_files(folder)).first;
    return found->second;
}

}  // namespace

bool CsvFile::has_flag(const std::string& flag) const {
    return std::ranges::any_of(form, [&](const auto& field) { return field.flag && field.name == flag; });
}

const CsvFile* CsvFiles::find(const std::string& method, const std::string& name) const {
    auto found = std::ranges::find_if(
        files, [&](const auto& file) { return file.method == method && file.name == name; });
    return found == files.end() ? nullptr : &*found;
}

const CsvFile* CsvFiles::by_import(const std::string& import) const {
    auto found = std::ranges::find(files, import, &CsvFile::import);
    return found == files.end() ? nullptr : &*found;
}

bool CsvFiles::any_method(const std::string& method) const {
    return std::ranges::any_of(files, [&](const auto& file) { return file.method == method; });
}

const CsvFiles& csv_files(const std::string& folder) {
    static const CsvFiles none;
    const auto& read = kept(folder);
    return read ? *read : none;
}

Result<> check_csv_files(const std::string& folder) {
    const auto& read = kept(folder);
    if (!read) return fail(read.error());
    return {};
}

}  // namespace tarn::run
