// Transformation rules that stand in blueprints, as v0.12 to v0.14 kept them, become scope configs.
//
// A task of a plan whose options have rules, or whose scope has them in settings of the first form, gets the number of a scope config in their
// place. Equal rules of one connection are one config, named after the blueprint. Rules of plugins that are not there stay where they are.
// Can be killed and run again. Thread rule: one at a time. Errors: those of the connection and the cipher.
#pragma once

#include "base/result.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {

// "rows": how many tasks get a scope config; "notes": what is in rules that no scope config can hold.
Result<Due> rules_due(Context& context);
Result<> bring_rules(Context& context);

}  // namespace tarn::upgrade
