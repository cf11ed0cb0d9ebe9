// Columns that users add to tables of the domain layer: names start with x_, rows of _tool_customized_fields remember them.
//
// A column is in the data file as long as its row is there; restore_custom_fields() puts back what a new or older data file lacks.
// Thread rule: any thread; not inside a write job. Errors: bad_data with the field's name as the API has it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn::run {

struct CustomField {
    std::string table, column, display_name;
    std::string type;  // varchar(255), text, bigint, float (kept as double) or timestamp
    std::string description;
};

// bad_data where users may not add columns to it.
Result<const Table*> customizable_table(const Schema& schema, const std::string& name);

Result<std::vector<CustomField>> custom_fields(ControlStore& control, const std::string& table);
// All of them, by table.
Result<std::map<std::string, std::vector<Column>>> custom_columns(ControlStore& control);
Result<> add_custom_field(DataFile& data, ControlStore& control, const Schema& schema,
                          const CustomField& field);
// Takes the column and what is in it away; nothing where it is not there.
Result<> drop_custom_field(DataFile& data, ControlStore& control, const Schema& schema,
                           const std::string& table, const std::string& column);
Result<> restore_custom_fields(DataFile& data, ControlStore& control, const Schema& schema);

// The declared table with its custom columns behind.
Result<Table> with_custom_fields(ControlStore& control, const Table& table);
// The type of a column as the API writes it.
std::string type_text(const Column& column);

}  // namespace tarn::run
