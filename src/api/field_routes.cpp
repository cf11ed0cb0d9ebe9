// Columns that users add to tables of the domain layer.
#include <algorithm>

#include "api/place.h"
#include "api/routes.h"
#include "base/text.h"
#include "run/custom_fields.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Reply<const Table*> table_of(const Services& services, const Call& call) {
    TARN_TRY(connector_of(services, call));
    TARN_ASSIGN(const auto* table,
                run::customizable_table(services.platform->schema(), call.path.at("tableName")));
    return table;
}

Json field_json(const run::CustomField& field) {
    return {{"columnName", field.column},
            {"displayName", field.display_name},
            {"dataType", field.type},
            {"description", field.description},
            {"isCustomizedField", field.column.starts_with("x_")}};
}

Reply<> list_fields(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* table, table_of(services, call));
    TARN_ASSIGN(auto own, run::custom_fields(services.home->control(), table->name));
    Json out = Json::array();
    for (const auto& column : table->columns)
        out.push_back(field_json({table->name, column.name, "", run::type_text(column), ""}));
    for (const auto& field : own) out.push_back(field_json(field));
    return Answer{.body = out};
}

Result<std::string> text_member(const Json& body, const std::string& name) {
    auto found = body.find(name);
    if (found == body.end() || found->is_null()) return std::string();
    if (!found->is_string()) return run::wrong(name, "must be a text");
    return found->get<std::string>();
}

Reply<> add_field(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* table, table_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    run::CustomField field{.table = table->name};
    TARN_ASSIGN(field.column, text_member(body, "columnName"));
    TARN_ASSIGN(field.display_name, text_member(body, "displayName"));
    TARN_ASSIGN(field.type, text_member(body, "dataType"));
    TARN_ASSIGN(field.description, text_member(body, "description"));
    if (field.display_name.empty()) return run::wrong("displayName", "must not be empty");
    TARN_TRY(run::add_custom_field(services.home->data(), services.home->control(),
                                   services.platform->schema(), field));
    return Answer{.body = field_json(field)};
}

Reply<> delete_field(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* table, table_of(services, call));
    TARN_TRY(run::drop_custom_field(services.home->data(), services.home->control(),
                                    services.platform->schema(), table->name, call.path.at("fieldName")));
    return envelope(200, "success");
}

}  // namespace

std::vector<Route> field_routes() {
    const std::string base = "/plugins/{plugin}/{tableName}/fields", tag = "customized fields";
    return {
        {.method = "GET",
         .pattern = base,
         .tag = tag,
         .summary = "Columns of a table of the domain layer, users' own among them",
         .handle = list_fields,
         .needs = Needs::fields,
         .answers = {{200, "CustomField[]"}}},
        {.method = "POST",
         .pattern = base,
         .tag = tag,
         .summary = "Adds a column whose name starts with x_",
         .handle = add_field,
         .needs = Needs::fields,
         .body = "CustomFieldBody",
         .answers = {{200, "CustomField"}}},
        {.method = "DELETE",
         .pattern = base + "/{fieldName}",
         .tag = tag,
         .summary = "Takes such a column away, with what is in it",
         .handle = delete_field,
         .needs = Needs::fields,
         .answers = {{200, "Envelope"}}},
    };
}

}  // namespace tarn::api
