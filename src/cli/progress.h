// Shows how far a task is: one line that is written anew on a terminal, else a line a subtask.
#pragma once

#include <set>
#include <string>

#include "base/time.h"
#include "run/task.h"

namespace tarn::cli {

// Thread rule: one call at a time.
class ProgressLine {
  public:
    ProgressLine();
    void show(const run::Progress& progress);
    // Clears the line.
    void end();

  private:
    void show_line(const run::Progress& progress);
    bool terminal_;
    bool shown_ = false;
    std::size_t done_ = 0;
    Millis drawn_ = 0;
    std::set<std::string> told_;
};

}  // namespace tarn::cli
