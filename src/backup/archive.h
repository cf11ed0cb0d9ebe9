// A backup: one file of tables and their rows, packed, that tells whether it is whole.
//
// Eight bytes, then frames: a head in the clear (format, what it is, how it is sealed), for each table its description, its rows
// (store/server/rows_text.h; those of row() in MySQL's form) and their number and checksum, at the end the list of all tables. A frame has a checksum over
// itself and its number; with a passphrase all but the head are sealed (backup/seal.h). A file is written beside its name and gets it when all
// is on the disk: what has the name, and an end, is whole. Memory: a few times the largest frame, which is one row or 4 MB.
// Thread rule: one thread at a time. Errors, with the file as place: terminal: cannot be written or read; bad_data: damaged, cut off, another
// format; terminal: another passphrase.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "backup/seal.h"
#include "base/result.h"
#include "store/server/connection.h"
#include "store/server/rows_text.h"

namespace tarn::backup {

struct Counts {
    std::int64_t tables = 0, rows = 0, bytes = 0;  // bytes: of the file
};

class ArchiveWriter {
  public:
    // `what`: the kind of backup, for whoever restores it. "" as passphrase: not sealed. terminal: a file of the name is there.
    static Result<std::unique_ptr<ArchiveWriter>> create(const std::string& path, const std::string& what,
                                                         const std::string& passphrase);
    ~ArchiveWriter();  // what is not finished is removed
    ArchiveWriter(const ArchiveWriter&) = delete;
    ArchiveWriter& operator=(const ArchiveWriter&) = delete;

    // `table`: its "name", and what the kind of backup needs.
    Result<> begin_table(nlohmann::json table);
    Result<> add_rows(std::string_view rows);  // whole rows
    // The fields of the row being written; then end_row().
    [[nodiscard]] server::RowsText& row() { return pending_; }
    Result<> end_row();
    Result<> end_table();
    Result<Counts> finish();

  private:
    explicit ArchiveWriter(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
    Result<> put_head(const std::string& what, const std::string& passphrase);
    Result<> put(std::uint32_t kind, std::string_view text);
    Result<> put_bytes(std::string_view bytes);
    [[nodiscard]] Failure cannot_write() const;

    std::string path_, part_, context_;
    int file_ = -1;
    std::optional<Seal> seal_;
    std::uint64_t frames_ = 0, checksum_ = 0;
    server::RowsText pending_{server::Engine::mysql};
    nlohmann::json table_, manifest_ = nlohmann::json::array();
    std::int64_t table_rows_ = 0;
    Counts counts_;
};

struct Part {
    enum class Kind { table, rows, end_of_table, end };
    Kind kind = Kind::end;
    nlohmann::json
        about;  // of a table what begin_table() got; of an end "rows"; of the end "tables": name and rows of each
    std::string rows;
};

class ArchiveReader {
  public:
    // `what`: the kind that it must be; "": any.
    static Result<std::unique_ptr<ArchiveReader>> open(const std::string& path, const std::string& what,
                                                       const std::string& passphrase);
    ~ArchiveReader();
    ArchiveReader(const ArchiveReader&) = delete;
    ArchiveReader& operator=(const ArchiveReader&) = delete;

    [[nodiscard]] const nlohmann::json& head() const { return head_; }
    [[nodiscard]] std::string kind() const { return head_.value("what", ""); }
    Result<> require_kind(const std::string& what) const;
    // The next part, proven as far as it goes. After the end there is none.
    Result<Part> next();
    Result<> rewind();
    // All through, from the beginning to the end of the file, then back. Value: the list of tables.
    Result<nlohmann::json> check();

  private:
    struct Frame {
        std::uint32_t kind = 0;
        std::string text;
    };
    explicit ArchiveReader(std::string path) : path_(std::move(path)) {}
    Result<> read_head(const std::string& what, const std::string& passphrase);
    Result<Frame> frame();
    Result<std::string> bytes(std::size_t count);
    Result<Part> part_of(Frame frame);
    Result<> check_table(const nlohmann::json& end) const;
    [[nodiscard]] Failure damaged(const std::string& how) const;

    std::string path_, context_;
    int file_ = -1;
    std::uint64_t size_ = 0, at_ = 0, first_ = 0, frames_ = 0, checksum_ = 0;
    std::int64_t table_rows_ = 0;
    bool in_table_ = false;
    std::optional<Seal> seal_;
    nlohmann::json head_, table_, seen_ = nlohmann::json::array();
};

}  // namespace tarn::backup
