#include "author/recorder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>

#include "author/scrub.h"
#include "author/stage.h"
#include "base/text.h"
#include "base/time.h"

namespace tarn::author {
namespace {

namespace fs = std::filesystem;
using connector::Connector;
using Json = nlohmann::json;

std::string variable_of(const connector::Field& field) {
    std::string name = "RECORD_" + field.column;
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return name;
}

// The connection's fields from the environment; what its auth method cannot do without has to be there.
Result<Json> fields_of(const Connector& connector, const Recording& recording) {
    Json fields = Json::object();
    for (const auto& field : connector.connection.fields) {
        std::string value = recording.environment(variable_of(field));
        if (!value.empty()) fields[field.name] = value;
        if (value.empty() && field.name == "endpoint") fields[field.name] = field.default_value;
    }
    std::vector<std::string> known;
    for (const auto& field : connector.connection.fields) known.push_back(variable_of(field));
    auto needed = [&](const std::string& name) {
        return !fields.contains(name) ||
               (fields[name].is_string() && fields[name].get_ref<const std::string&>().empty());
    };
    std::vector<std::string> missing;
    for (const auto& field : connector.connection.fields) {
        bool first_secret = false;
        if (!connector.connection.auth.empty() && !fields.contains("authMethod")) {
            for (const auto& [setting, name] : connector.connection.auth.front().settings)
                first_secret =
                    first_secret || (name == field.name && setting != "name" && setting != "prefix" &&
                                     setting != "path" && setting != "expires");
        }
        bool must = first_secret || (field.required && field.name != "name") || field.name == "endpoint";
        if (must && needed(field.name)) missing.push_back(variable_of(field));
    }
    if (missing.empty()) return fields;
    return fail(ErrorKind::bad_data, "not set: " + join(missing, ", "), "environment",
                "The connection's fields come from " + join(known, ", ") + ".");
}

std::vector<std::string> secrets_of(const Connector& connector, const Json& fields) {
    std::vector<std::string> secrets;
    for (const auto& field : connector.connection.fields) {
        if (field.kind != "secret" || !fields.contains(field.name)) continue;
        for (const auto& secret : split(fields[field.name].get<std::string>(), ','))
            secrets.push_back(secret);
        secrets.push_back(fields[field.name].get<std::string>());
    }
    return secrets;
}

// Headers that the declaration reads; others may tell more than they should.
std::set<std::string> headers_of(const Connector& connector) {
    std::set<std::string> names = {"link", "etag"};
    for (const auto& stream : connector.streams) {
        for (const auto& name : {stream.page.total, stream.page.more, stream.page.next}) {
            if (!name.empty() && name.front() != '/') names.insert(lower(name));
        }
        if (stream.window && !stream.window->total.starts_with('/'))
            names.insert(lower(stream.window->total));
    }
    return names;
}

// "projects/7/tasks?page=2" -> "projects-7-tasks"
std::string slug(const std::string& target) {
    std::string out;
    for (char c : target.substr(0, target.find('?'))) {
        bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (kept) out += c;
        if (!kept && !out.empty() && out.back() != '-') out += '-';
    }
    while (out.ends_with('-')) out.pop_back();
    return out.empty() ? "root" : out.substr(0, 60);
}

std::string one_line(const std::string& body) {
    auto json = nlohmann::ordered_json::parse(body, nullptr, false);
    return json.is_discarded() ? replaced(body, "\n", " ") : json.dump();
}

Result<> write_file(const std::string& path, const std::string& text) {
    std::error_code code;
    fs::create_directories(fs::path(path).parent_path(), code);
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (code || !out)
        return fail(ErrorKind::terminal, "cannot be written", path, "Check the rights of the folder.");
    return {};
}

std::vector<Answer> scrubbed_answers(const Connector& connector, std::vector<Answer> answers,
                                     const std::string& endpoint, Scrubber& scrubber) {
    for (const auto& answer : answers) scrubber.learn(answer.response.body);
    auto kept = headers_of(connector);
    for (auto& answer : answers) {
        answer.target = scrubber.target(target_of(answer.target, endpoint));
        if (!answer.request_body.empty()) answer.request_body = one_line(scrubber.body(answer.request_body));
        answer.response.body = scrubber.body(answer.response.body);
        std::erase_if(answer.response.headers,
                      [&](const auto& header) { return !kept.contains(header.first); });
        for (auto& [name, value] : answer.response.headers) value = scrubber.text(value);
    }
    std::ranges::sort(answers, [](const Answer& a, const Answer& b) {
        return std::pair(a.target, a.request_body) < std::pair(b.target, b.request_body);
    });
    return answers;
}

Result<> write_case(const Case& test, const std::vector<Answer>& answers) {
    TARN_TRY(write_file(test.folder + "/case.yaml", format_case(test)));
    std::map<std::string, int> names;
    for (const auto& answer : answers) {
        std::string name = slug(answer.target);
        int number = ++names[name];
        if (number > 1) name += "-" + std::to_string(number);
        TARN_TRY(write_file(test.runs.front().answers + "/" + name + ".http", format_answer(answer)));
    }
    return {};
}

Case planned_case(const Connector& connector, const Recording& recording) {
    constexpr Millis second = 1000;
    Case test;
    test.name = recording.name;
    test.folder = connector.folder + "/tests/" + recording.name;
    test.about = "recorded";
    test.scope = recording.scope;
    test.fetch = !connector.scope.fetch_path.empty();
    test.subtasks = recording.subtasks;
    Run run;
    run.now = now_millis() / second * second;
    run.time_after = recording.time_after;
    run.answers = run_folder(test.folder, "answers", 1);
    test.runs.push_back(run);
    return test;
}

}  // namespace

Result<http::Response> Recorder::fetch(http::Request request) {
    Answer answer;
    answer.method = request.method;
    answer.target = request.url;
    answer.request_body = request.body;
    TARN_ASSIGN(answer.response, source_.fetch(std::move(request)));
    std::lock_guard lock(mutex_);
    answers_.push_back(answer);
    return answer.response;
}

std::vector<Answer> Recorder::answers() const {
    std::lock_guard lock(mutex_);
    std::vector<Answer> out;
    for (const auto& answer : answers_) {
        auto same = [&](const Answer& other) {
            return other.target == answer.target && other.request_body == answer.request_body;
        };
        std::erase_if(out, same);
        out.push_back(answer);
    }
    return out;
}

Result<std::string> record(const run::Platform& platform, const Recording& recording) {
    const Connector& connector = platform.connectors().front()->connector;
    Case test = planned_case(connector, recording);
    if (recording.name.find_first_of("/\\") != std::string::npos || recording.name.starts_with('.'))
        return fail(ErrorKind::bad_data, "'" + recording.name + "' is no test's name", "--record");
    if (fs::exists(test.folder))
        return fail(ErrorKind::terminal, "exists already", test.folder,
                    "Remove it, or record under another name.");
    TARN_ASSIGN(auto fields, fields_of(connector, recording));
    TARN_ASSIGN(auto stage, Stage::open(platform));
    TARN_TRY(stage->connect(fields));
    TARN_ASSIGN(auto client, run::open_connection(connector, stage->connection(), recording.environment,
                                                  recording.cancel));
    Recorder recorder(*client);
    TARN_TRY(stage->add_scope(test, recorder));
    TARN_TRY(stage->run(test, test.runs.front(), recorder, recording.cancel));

    std::string endpoint = stage->connection().text("endpoint");
    Scrubber scrubber(endpoint, secrets_of(connector, fields));
    auto answers = scrubbed_answers(connector, recorder.answers(), endpoint, scrubber);
    test.scope = scrubber.values(test.scope);
    std::string base = target_of(endpoint, "none");
    if (base != "/") test.connection["endpoint"] = std::string(recorded_endpoint) + base.substr(1);
    TARN_TRY(write_case(test, answers));
    return test.folder;
}

}  // namespace tarn::author
