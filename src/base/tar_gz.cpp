#include "base/tar_gz.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>
#include <zlib.h>

#include "base/time.h"

namespace tarn {
namespace {

constexpr std::size_t block = 512;

// Offsets and lengths of the fields of a ustar header.
std::string header_of(const TarFile& file) {
    std::string header(block, '\0');
    auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    put(0, file.name.substr(0, 99));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", file.content.size()));
    put(136, fmt::format("{:011o}", now_millis() / 1000));
    put(148, "        ");  // counts as blanks in its own sum
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    unsigned sum = 0;
    for (char c : header) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum));
    header[154] = '\0';
    return header;
}

Result<std::string> gzip(std::string& text) {
    z_stream stream{};
    constexpr int gzip_format = 15 + 16, usual_memory = 8;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_format, usual_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return fail(ErrorKind::bug, "zlib does not start");
    std::string out;
    std::array<char, 1U << 16U> buffer{};
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    int state = Z_OK;
    while (state == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
        state = deflate(&stream, Z_FINISH);
        out.append(buffer.data(), buffer.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    if (state != Z_STREAM_END) return fail(ErrorKind::bug, "zlib does not end");
    return out;
}

}  // namespace

Result<std::string> tar_gz(const std::vector<TarFile>& files) {
    std::string tar;
    for (const auto& file : files) {
        tar += header_of(file) + file.content;
        tar.append((block - file.content.size() % block) % block, '\0');
    }
    tar.append(2 * block, '\0');
    return gzip(tar);
}

}  // namespace tarn
