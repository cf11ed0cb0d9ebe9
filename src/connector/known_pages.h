// Pages that the source can tell to be unchanged: their ETags, the keys of their items and where the list went on (table _tarn_pages).
//
// Thread rule: etag() and recall() from any thread while nothing is remembered or saved by another than the owner; they see what load() found.
// Errors: those of the data file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connector/pages.h"
#include "connector/stored_items.h"
#include "store/data_file.h"
#include "store/raw.h"

namespace tarn::connector {

struct KnownPage {
    std::vector<RawItem> items;
    Followers followers;
};

class KnownPages {
  public:
    // `anew`: nothing is known, all pages are read.
    static Result<KnownPages> load(DataFile& data, RawPlace place, bool anew);

    [[nodiscard]] std::string etag(const std::string& request) const;  // "" where not known
    // nullopt where an item of the page is no longer in the raw table.
    [[nodiscard]] Result<std::optional<KnownPage>> recall(const std::string& request) const;

    void remember(const std::string& request, const std::string& etag, const Followers& followers,
                  const std::vector<RawItem>& items);
    // After the items themselves: a page counts as known only when its items are there.
    Result<> save();

  private:
    KnownPages(DataFile& data, RawPlace place) : data_(&data), place_(std::move(place)) {}

    struct Entry {
        std::string etag, followers, items;
    };
    DataFile* data_;
    RawPlace place_;
    std::map<std::string, std::string> etags_;
    std::map<std::string, Entry> fresh_;
};

}  // namespace tarn::connector
