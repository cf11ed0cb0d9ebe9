// Functions of the SQL vocabulary that walk graphs.
//
//   graph_difference(children, parents, ends, bases) -> list of structs (pair, node, n): for each pair (ends[i], bases[i]), counted from 1, the nodes
//   that can be reached from the end, over edges from children[j] to parents[j], but not from the base, numbered from 1, depth first, parents in the
//   order of their names: the order of the edges does not matter. The lists hold no NULL; of lists of unequal length the rest is left out.
#pragma once

#include "base/result.h"
#include "store/duck.h"

namespace tarn::model {

Result<> register_graph_functions(duck::Connection& connection);

}  // namespace tarn::model
