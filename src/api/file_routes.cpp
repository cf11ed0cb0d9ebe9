// CSV files in and out, as files.yaml of a connector or metric declares them.
#include <algorithm>

#include "api/place.h"
#include "api/routes.h"
#include "base/text.h"
#include "run/csv_files.h"
#include "run/csv_import.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

Reply<const run::CsvFile*> file_of(const Services& services, const Call& call, const std::string& method) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    const auto& name = call.path.at("fileName");
    const auto* file = run::csv_files(loaded->connector.folder).find(method, name);
    if (file == nullptr)
        return refuse(404, loaded->connector.name + " has no file '" + name.substr(0, 100) + "'");
    return file;
}

Reply<> import_file(const Services& services, const Call& call, const std::string& method) {
    TARN_ASSIGN(const auto* file, file_of(services, call, method));
    run::CsvUpload upload{.file = file};
    bool given = false;
    for (const auto& part : call.form) {
        given = given || part.name == "file";
        (part.name == "file" ? upload.text : upload.form[part.name]) = part.content;
    }
    if (!given)
        return run::wrong("file", "must be a part of a multipart form (curl -F file=@" + file->name + ")");
    TARN_TRY(run::import_csv(services.home->data(), services.home->control(), services.platform->schema(),
                             upload));
    return envelope(200, "success");
}

Reply<> add_rows(const Services& services, const Call& call) { return import_file(services, call, "POST"); }

Reply<> replace_rows(const Services& services, const Call& call) {
    return import_file(services, call, "PUT");
}

Reply<> download(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* file, file_of(services, call, "PUT"));
    auto example = call.query_text("fake_data");
    if (!example.empty() && example != "true" && example != "false")
        return run::wrong("fake_data", "must be true or false");
    Answer answer{.content_type = "text/csv"};
    answer.headers.emplace("Content-Disposition", "attachment; filename=\"" + file->name + "\"");
    if (example == "true" && !file->sample.empty()) {
        answer.content = file->sample;
        return answer;
    }
    TARN_ASSIGN(answer.content, run::download_csv(services.home->data(), *file));
    return answer;
}

}  // namespace

std::vector<Route> file_routes() {
    const std::string tag = "CSV files";
    return {
        {.method = "POST",
         .pattern = "/plugins/{plugin}/csvfiles/{fileName}",
         .tag = tag,
         .summary = "Imports a CSV file's rows; all or none",
         .handle = add_rows,
         .needs = Needs::uploads,
         .body = "CsvForm",
         .answers = {{200, "Envelope"}},
         .refusals = {404},
         .most_bytes = longest_body},
        {.method = "PUT",
         .pattern = "/plugins/{plugin}/{fileName}",
         .tag = tag,
         .summary = "Imports a CSV file's rows in the place of what was there; all or none",
         .handle = replace_rows,
         .needs = Needs::files,
         .body = "CsvForm",
         .answers = {{200, "Envelope"}},
         .refusals = {404},
         .most_bytes = longest_body},
        {.method = "GET",
         .pattern = "/plugins/{plugin}/{fileName}",
         .tag = tag,
         .summary = "What is there, as the CSV file that can be imported",
         .handle = download,
         .needs = Needs::files,
         .query = {{"fake_data", "string", "true: an example instead"}},
         .answers = {{200, "text/csv"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
