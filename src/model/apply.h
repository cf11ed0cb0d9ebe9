// Brings one model's result into its table (docs/architecture.md, "How a result reaches its table", 2-5).
//
// Works on one connection inside the caller's transaction. The caller has made the scratch result `tarn_u(id, params, "table", ours)`: the origins
// worked on.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/engine.h"

namespace tarn::model {

class Apply {
  public:
    // `scope_has_rows`: false where the target had no row of the scope before the stage, so none can vanish.
    Apply(duck::Connection& connection, const ModelSet& set, const Model& model, std::string stamp,
          ModelCounts& counts, bool scope_has_rows = true);

    // `rows`: a select of the driving rows to work on; `inputs` fill the model's select.
    Result<> run(const std::string& rows, const Inputs& inputs);

    // The select that gives the result in canonical form, and a column tarn_misfit: what is wrong with a row's values, or NULL.
    Result<std::string> result_select(const std::string& rows, const Inputs& inputs);

  private:
    Result<> build(const std::string& rows, const Inputs& inputs);
    Result<> check();
    Result<> cut(const std::string& name, const std::string& is_long, std::int64_t rows);
    Result<> reject(const std::string& reason, const std::string& condition);
    Result<> put_aside(const std::string& reason, const std::string& condition, std::int64_t rows);
    Result<> take_parents();
    Result<> keep_one_per_key();
    Result<std::int64_t> keep(const std::string& name, const std::string& select);
    Result<> keep_result(const std::string& select);
    Result<> keep_only(const std::string& condition);
    Result<> merge_rows();
    Result<> merge_update();
    Result<> note_vanished();
    Result<> compare_known();
    static std::string equal_origin();
    [[nodiscard]] std::string origin_of_later_model() const;
    static std::string kept_by_later_item();
    Result<> write_rows(std::int64_t rows, bool any_known);
    [[nodiscard]] std::string null_key() const;
    [[nodiscard]] std::string on_key(const std::string& left, const std::string& right) const;
    [[nodiscard]] std::string key_list(const std::string& prefix) const;
    [[nodiscard]] std::string target_name() const;

    duck::Connection& connection_;
    const ModelSet& set_;
    const Model& model_;
    const Table& target_;
    std::string stamp_;
    ModelCounts& counts_;
    std::int64_t yielded_ = 0;  // rows of the result as it stands
    std::string owns_;          // filled in
    bool can_vanish_ = true;
    bool origin_ = false;               // the result carries provenance
    std::vector<std::string> columns_;  // of the result, provenance included
    std::vector<std::string> kept_;     // columns of the target that update models own
};

}  // namespace tarn::model
