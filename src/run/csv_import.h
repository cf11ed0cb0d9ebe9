// Uploads and downloads of the CSV files that files.yaml declares.
//
// An upload is checked in full before anything is written, and written in one transaction: with an error nothing has changed. The text is
// UTF-8, its first line names the columns; NULL stands for no value, and so does nothing where the column is no text; times may have an offset.
// Thread rule: any thread. Errors: bad_data; the message names the first wrong lines, the place is the form's field or the line.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "run/csv_files.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn::run {

struct CsvUpload {
    const CsvFile* file = nullptr;
    std::map<std::string, std::string> form;  // what is missing is ""
    std::string text;
};

Result<> import_csv(DataFile& data, ControlStore& control, const Schema& schema, const CsvUpload& upload);

// What the file's download selects, as CSV.
Result<std::string> download_csv(DataFile& data, const CsvFile& file);

}  // namespace tarn::run
