// GET /metrics
#include "api/routes.h"
#include "api/served.h"
#include "run/measure_runs.h"

namespace tarn::api {
namespace {

Reply<> metrics(const Services& services, const Call&) {
    MeasurementText out;
    measure_process(out);
    out.begin("tarn_build_info", "gauge", "The program's version.");
    out.value({{"version", TARN_VERSION}}, std::int64_t{1});
    TARN_TRY(run::measure_runs(*services.home, out));
    run::measure_store(*services.home, out);
    services.pipelines->measure(out);
    services.served->measure(out);
    return Answer{.content_type = "text/plain; version=0.0.4; charset=utf-8", .content = out.text()};
}

}  // namespace

std::vector<Route> measurement_routes() {
    return {{.method = "GET",
             .pattern = "/metrics",
             .tag = "probes",
             .summary = "Measurements, as Prometheus reads them",
             .handle = metrics,
             .answers = {{200, "text/plain"}}}};
}

}  // namespace tarn::api
