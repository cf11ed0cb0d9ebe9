// Measurements, and how they are told in Prometheus' text format (version 0.0.4).
//
// Names end in their unit (`_seconds`, `_bytes`) and, of what only grows, in `_total`. A label's value is an id, a state, or a name that the
// program or a connector declares; never a URL, a message or a name that a user gives: their number stays bounded and no secret gets out.
// Thread rule: plain values; who shares them locks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn {

// How often something took how long.
class Durations {
  public:
    // `bounds`: upper ends of the classes in seconds, growing.
    explicit Durations(std::vector<double> bounds)
        : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
    void add(double seconds);

  private:
    friend class MeasurementText;
    std::vector<double> bounds_;
    std::vector<std::int64_t> counts_;  // one class more, for what took longer
    double sum_ = 0;
};

class MeasurementText {
  public:
    using Labels = std::vector<std::pair<std::string_view, std::string>>;

    // Begins a measurement; its values follow. `type`: counter, gauge or histogram.
    void begin(std::string_view name, std::string_view type, std::string_view help);
    void value(const Labels& labels, double value);
    void value(const Labels& labels, std::int64_t value);
    void durations(const Labels& labels, const Durations& durations);
    // A measurement of one value.
    template <class T>
    void one(std::string_view name, std::string_view type, std::string_view help, T number) {
        begin(name, type, help);
        value({}, number);
    }

    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    void line(std::string_view suffix, const Labels& labels, const std::string& number);
    std::string name_, text_;
};

// This process: memory, processor, open files, start.
void measure_process(MeasurementText& out);

}  // namespace tarn
