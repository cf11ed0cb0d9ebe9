// Pipelines, blueprints and the store in numbers, for GET /metrics (base/measurements.h).
// Thread rule: any thread. Errors: those of the control store.
#pragma once

#include "base/measurements.h"
#include "base/result.h"
#include "run/home.h"

namespace tarn::run {

Result<> measure_runs(const Home& home, MeasurementText& out);
void measure_store(const Home& home, MeasurementText& out);

}  // namespace tarn::run
