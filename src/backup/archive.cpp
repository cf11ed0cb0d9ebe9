#include "backup/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/time.h"

namespace tarn::backup {
namespace {

using Json = nlohmann::json;

constexpr std::string_view magic = "TARNBKP\n";
constexpr int format = 1;
constexpr int level = 3;
constexpr std::size_t chunk_bytes = 4'000'000;
constexpr std::size_t most_bytes = 0xF0000000;  // of a frame

// Kinds of frames; the numbers are the format's.
constexpr std::uint32_t head_frame = 1, table_frame = 2, rows_frame = 3, end_of_table_frame = 4,
                        end_frame = 5;

struct FrameHead {
    std::uint32_t kind, stored, unpacked, unused;
    std::uint64_t checksum;
};

std::uint64_t checksum_of(std::uint64_t number, FrameHead head, std::string_view body) {
    head.checksum = XXH3_64bits_withSeed(body.data(), body.size(), number);
    return XXH3_64bits_withSeed(&head, sizeof head, number);
}

// Of a table's rows, chunk by chunk.
std::uint64_t chained(std::uint64_t before, std::string_view rows) {
    return XXH3_64bits_withSeed(rows.data(), rows.size(), before);
}

std::string context_of(std::string_view head, std::uint32_t kind) {
    return std::string(head) + std::to_string(kind);
}

std::int64_t rows_in(std::string_view rows) { return std::ranges::count(rows, '\n'); }

}  // namespace

// ---- writing

Failure ArchiveWriter::cannot_write() const {
    return fail(ErrorKind::terminal, std::string("the backup cannot be written: ") + std::strerror(errno),
                path_, "Make room on the disk, check the folder's rights, and try again.");
}

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::create(const std::string& path, const std::string& what,
                                                             const std::string& passphrase) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored))
        return fail(ErrorKind::terminal, "a file of this name is there", path, "Name another one.");
    std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(path));
    writer->file_ =
        ::open(writer->part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (writer->file_ < 0) return writer->cannot_write();
    TARN_TRY(writer->put_head(what, passphrase));
    return writer;
}

ArchiveWriter::~ArchiveWriter() {
    if (file_ < 0) return;
    ::close(file_);
    ::unlink(part_.c_str());
}

Result<> ArchiveWriter::put_head(const std::string& what, const std::string& passphrase) {
    Json head = {{"format", format},
                 {"what", what},
                 {"version", TARN_VERSION},
                 {"made_at", format_millis(now_millis())}};
    std::optional<Seal> seal;
    if (!passphrase.empty()) {
        TARN_ASSIGN(head["sealed"], Seal::new_parameters());
        TARN_ASSIGN(seal, Seal::make(passphrase, head["sealed"]));
    }
    TARN_TRY(put_bytes(magic));
    context_ = head.dump();
    TARN_TRY(put(head_frame, context_));
    seal_ = seal;
    return {};
}

Result<> ArchiveWriter::put_bytes(std::string_view bytes) {
    counts_.bytes += static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
        auto written = ::write(file_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return cannot_write();
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<> ArchiveWriter::put(std::uint32_t kind, std::string_view text) {
    if (text.size() > most_bytes)
        return fail(ErrorKind::bad_data, "a row is larger than a backup can hold", path_);
    std::string body(ZSTD_compressBound(text.size()), '\0');
    auto size = ZSTD_compress(body.data(), body.size(), text.data(), text.size(), level);
    if (ZSTD_isError(size) != 0) return fail(ErrorKind::terminal, "memory is short", path_);
    body.resize(size);
    if (seal_) {
        TARN_ASSIGN(body, seal_->close(frames_, context_of(context_, kind), body));
    }
    FrameHead head{kind, static_cast<std::uint32_t>(body.size()), static_cast<std::uint32_t>(text.size()), 0,
                   0};
    head.checksum = checksum_of(frames_, head, body);
    ++frames_;
    TARN_TRY(put_bytes({reinterpret_cast<const char*>(&head), sizeof head}));
    return put_bytes(body);
}

Result<> ArchiveWriter::begin_table(Json table) {
    table_ = std::move(table);
    table_rows_ = 0;
    checksum_ = 0;
    return put(table_frame, table_.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<> ArchiveWriter::add_rows(std::string_view rows) {
    table_rows_ += rows_in(rows);
    checksum_ = chained(checksum_, rows);
    return put(rows_frame, rows);
}

Result<> ArchiveWriter::end_row() {
    pending_.end_row();
    if (pending_.size() < chunk_bytes) return {};
    auto added = add_rows(pending_.rows());
    pending_.clear();
    return added;
}

Result<> ArchiveWriter::end_table() {
    if (!pending_.empty()) TARN_TRY(add_rows(pending_.rows()));
    pending_.clear();
    Json end = {{"rows", table_rows_}, {"checksum", checksum_}};
    manifest_.push_back({{"name", table_["name"]}, {"rows", table_rows_}, {"checksum", checksum_}});
    ++counts_.tables;
    counts_.rows += table_rows_;
    return put(end_of_table_frame, end.dump());
}

// The name is given last, to what is on the disk.
Result<Counts> ArchiveWriter::finish() {
    TARN_TRY(put(end_frame, Json({{"tables", manifest_}}).dump()));
    if (::fsync(file_) != 0) return cannot_write();
    if (::rename(part_.c_str(), path_.c_str()) != 0) return cannot_write();
    ::close(file_);
    file_ = -1;
    auto folder = std::filesystem::path(path_).parent_path().string();
    int opened = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = opened >= 0 && ::fsync(opened) == 0;
    if (opened >= 0) ::close(opened);
    if (!synced) return cannot_write();
    return counts_;
}

// ---- reading

Failure ArchiveReader::damaged(const std::string& how) const {
    return fail(ErrorKind::bad_data,
                table_.is_object() && in_table_
                    ? fmt::format("the backup {}, in the rows of {}", how, table_["name"].dump())
                    : "the backup " + how,
                fmt::format("{}, byte {}", path_, at_), "Use another copy of it.");
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(const std::string& path, const std::string& what,
                                                           const std::string& passphrase) {
    std::unique_ptr<ArchiveReader> reader(new ArchiveReader(path));
    reader->file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (reader->file_ < 0 || ::fstat(reader->file_, &about) != 0 || !S_ISREG(about.st_mode))
        return fail(ErrorKind::terminal, "there is no backup here, or it cannot be read", path,
                    "Name the file of a backup.");
    reader->size_ = static_cast<std::uint64_t>(about.st_size);
    TARN_TRY(reader->read_head(what, passphrase));
    return reader;
}

ArchiveReader::~ArchiveReader() {
    if (file_ >= 0) ::close(file_);
}

Result<> ArchiveReader::read_head(const std::string& what, const std::string& passphrase) {
    auto start = bytes(std::min<std::size_t>(magic.size(), size_));
    if (!start) return fail(start.error());
    if (*start != magic)
        return fail(ErrorKind::bad_data, "is no backup of Tarn's", path_, "Name the file of a backup.");
    TARN_ASSIGN(auto head, frame());
    head_ = Json::parse(head.text, nullptr, false);
    if (head.kind != head_frame || !head_.is_object()) return damaged("has no head");
    if (head_.value("format", 0) != format)
        return fail(ErrorKind::bad_data,
                    fmt::format("is a backup of format {}, made by version {}", head_.value("format", 0),
                                head_.value("version", "?")),
                    path_, "Use the version of Tarn that made it, or a newer one.");
    if (!what.empty()) TARN_TRY(require_kind(what));
    context_ = head.text;
    first_ = at_;
    if (!head_.contains("sealed")) return {};
    if (passphrase.empty())
        return fail(ErrorKind::terminal, "the backup is encrypted, and no passphrase is given", path_,
                    "Set TARN_BACKUP_PASSPHRASE to the one that it was made with.");
    TARN_ASSIGN(seal_, Seal::make(passphrase, head_["sealed"]));
    return {};
}

Result<> ArchiveReader::require_kind(const std::string& what) const {
    if (kind() == what) return {};
    return fail(ErrorKind::bad_data, "is a backup of another kind: " + kind(), path_,
                "What `tarn backup` made is for `tarn restore`, what `tarn upgrade` made for `tarn "
                "upgrade rollback`.");
}

Result<std::string> ArchiveReader::bytes(std::size_t count) {
    if (count > size_ - at_) return damaged("ends too early: it was cut off");
    std::string out(count, '\0');
    for (std::size_t done = 0; done < count;) {
        auto got = ::pread(file_, out.data() + done, count - done, static_cast<off_t>(at_ + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            return fail(ErrorKind::terminal,
                        std::string("the backup cannot be read: ") +
                            (got < 0 ? std::strerror(errno) : "it became shorter"),
                        path_);
        done += static_cast<std::size_t>(got);
    }
    at_ += count;
    return out;
}

Result<ArchiveReader::Frame> ArchiveReader::frame() {
    TARN_ASSIGN(auto start, bytes(sizeof(FrameHead)));
    FrameHead head{};
    std::memcpy(&head, start.data(), sizeof head);
    TARN_ASSIGN(auto body, bytes(head.stored));
    if (checksum_of(frames_, head, body) != head.checksum) {
        at_ -= body.size() + sizeof head;
        return damaged("is damaged");
    }
    if (seal_) {
        auto opened = seal_->open(frames_, context_of(context_, head.kind), body);
        if (!opened && frames_ == 1)
            return fail(ErrorKind::terminal, "the passphrase does not open the backup", path_,
                        "Give the one that it was made with.");
        if (!opened) return damaged("is damaged");
        body = std::move(*opened);
    }
    ++frames_;
    Frame frame{head.kind, std::string(head.unpacked, '\0')};
    auto size = ZSTD_decompress(frame.text.data(), frame.text.size(), body.data(), body.size());
    if (ZSTD_isError(size) != 0 || size != frame.text.size()) return damaged("is damaged");
    return frame;
}

Result<> ArchiveReader::rewind() {
    at_ = first_;
    frames_ = 1;
    in_table_ = false;
    seen_ = Json::array();
    return {};
}

Result<> ArchiveReader::check_table(const Json& end) const {
    if (end.value("rows", std::int64_t{-1}) == table_rows_ &&
        end.value("checksum", std::uint64_t{0}) == checksum_)
        return {};
    return damaged("has other rows than it should have");
}

Result<Part> ArchiveReader::part_of(Frame frame) {
    Part part;
    if (frame.kind == rows_frame) {
        if (!in_table_) return damaged("is damaged: rows of no table");
        table_rows_ += rows_in(frame.text);
        checksum_ = chained(checksum_, frame.text);
        part.kind = Part::Kind::rows;
        part.rows = std::move(frame.text);
        return part;
    }
    part.about = Json::parse(frame.text, nullptr, false);
    if (!part.about.is_object()) return damaged("is damaged");
    if (frame.kind == table_frame && !in_table_) {
        part.kind = Part::Kind::table;
        table_ = part.about;
        in_table_ = true;
        table_rows_ = 0;
        checksum_ = 0;
    } else if (frame.kind == end_of_table_frame && in_table_) {
        part.kind = Part::Kind::end_of_table;
        TARN_TRY(check_table(part.about));
        in_table_ = false;
        seen_.push_back({{"name", table_["name"]}, {"rows", table_rows_}, {"checksum", checksum_}});
    } else if (frame.kind == end_frame && !in_table_) {
        if (part.about["tables"] != seen_) return damaged("has other tables than it should have");
        if (at_ != size_) return damaged("goes on behind its end");
    } else {
        return damaged("is damaged");
    }
    return part;
}

Result<Part> ArchiveReader::next() {
    TARN_ASSIGN(auto next, frame());
    return part_of(std::move(next));
}

Result<Json> ArchiveReader::check() {
    TARN_TRY(rewind());
    while (true) {
        TARN_ASSIGN(auto part, next());
        if (part.kind != Part::Kind::end) continue;
        TARN_TRY(rewind());
        return part.about["tables"];
    }
}

}  // namespace tarn::backup
