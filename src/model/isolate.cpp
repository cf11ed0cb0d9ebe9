#include "model/isolate.h"

#include "model/apply.h"
#include "model/driver.h"

namespace tarn::model {
namespace {

class Halving {
  public:
    Halving(duck::Connection& connection, const ModelSet& set, const Model& model, std::string condition,
            const Inputs& inputs)
        : connection_(connection),
          set_(set),
          model_(model),
          condition_(std::move(condition)),
          inputs_(inputs) {}

    std::vector<BadItem> bad;

    Result<> search(const std::vector<std::string>& ids, std::size_t from, std::size_t to) {
        TARN_ASSIGN(auto reason, reason_of(ids[from], ids[to - 1]));
        if (reason.empty()) return {};
        if (to - from == 1) {
            bad.push_back({ids[from], reason});
            return {};
        }
        std::size_t middle = from + (to - from) / 2;
        TARN_TRY(search(ids, from, middle));
        return search(ids, middle, to);
    }

  private:
    // "" where the select works for these rows.
    Result<std::string> reason_of(const std::string& first, const std::string& last) {
        std::string id = model_.alias + ".id";
        TARN_ASSIGN(std::string rows,
                    driver_rows(model_, set_.around(),
                                condition_ + " and " + id + " between " + first + " and " + last));
        TARN_ASSIGN(std::string filled,
                    substitute("select * from (" + rows + ") where bad is null", inputs_));
        ModelCounts counts;
        TARN_ASSIGN(std::string select,
                    Apply(connection_, set_, model_, "2000-01-01", counts).result_select(filled, inputs_));
        auto tried = connection_.run("create or replace temp table tarn_probe as " + select);
        if (tried) return std::string();
        if (tried.error().kind != ErrorKind::bad_data) return fail(tried.error());
        return tried.error().message;
    }

    duck::Connection& connection_;
    const ModelSet& set_;
    const Model& model_;
    std::string condition_;
    const Inputs& inputs_;
};

}  // namespace

Result<std::vector<BadItem>> find_bad_items(duck::Connection& connection, const ModelSet& set,
                                            const Model& model, const std::string& condition,
                                            const Inputs& inputs) {
    TARN_ASSIGN(std::string sql, substitute("select id from main.\"" + model.driver + "\" " + model.alias +
                                                " where " + condition + " order by id",
                                            inputs));
    std::vector<std::string> ids;
    TARN_TRY(connection.each(
        sql, [&](const std::vector<duck::Text>& row) { ids.push_back(row[0].value_or("0")); }));
    if (ids.empty()) return std::vector<BadItem>{};
    Halving halving(connection, set, model, condition, inputs);
    TARN_TRY(halving.search(ids, 0, ids.size()));
    if (halving.bad.size() == ids.size() && ids.size() > 1)
        return fail(ErrorKind::bad_data, halving.bad.front().reason, model.file);
    return std::move(halving.bad);
}

}  // namespace tarn::model
