// A box of a row-major shape, or any rows of a table, as runs of consecutive
// stream indices.

#ifndef TF_VSINIT_CC_STREAM_BOX_H_
#define TF_VSINIT_CC_STREAM_BOX_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cc/stream/rows.h"

namespace tf_vsinit {

// Elements that are consecutive both in the stream and in the box.
struct Run {
  uint64_t first;  // stream index
  uint64_t count;
};

// The box [begin, begin + size) of a shape, or listed rows of a table. A
// position is the row-major number of an element within the box.
class Box {
 public:
  // begin and size have the rank of shape and lie inside it. The element counts
  // of shape and box fit int64.
  Box(const std::vector<int64_t>& shape, const std::vector<int64_t>& begin,
      const std::vector<int64_t>& size) {
    uint64_t stride = 1;
    bool whole_so_far = true;
    // From the last axis up, an axis joins the run if the box takes the whole
    // of every later axis.
    for (size_t axis = shape.size(); axis-- > 0;) {
      const uint64_t extent = static_cast<uint64_t>(size[axis]);
      offset_ += static_cast<uint64_t>(begin[axis]) * stride;
      count_ *= extent;
      if (whole_so_far) {
        run_length_ *= extent;
        whole_so_far = size[axis] == shape[axis];
      } else if (extent != 1) {
        outer_.push_back({extent, stride});
      }
      stride *= static_cast<uint64_t>(shape[axis]);
    }
  }

  // The rows of a list, one after the other, of a table whose rows have
  // `row_size` elements, at least one. Every row is a run. The box reads the
  // list, which is not empty, while it is used.
  Box(const Rows& rows, int64_t row_size)
      : count_(static_cast<uint64_t>(rows.count * row_size)),
        run_length_(static_cast<uint64_t>(row_size)),
        outer_{{static_cast<uint64_t>(rows.count),
                static_cast<uint64_t>(row_size)}},
        rows_(rows) {}

  // An axis outside the runs. Neighbouring runs along it are `stride` elements
  // of the full shape apart.
  struct Axis {
    uint64_t extent;
    uint64_t stride;
  };

  // The number of elements in the box.
  uint64_t count() const { return count_; }

  // The number of elements in each run.
  uint64_t run_length() const { return run_length_; }

  // The stream index of the first element.
  uint64_t offset() const { return offset_; }

  // The axes outside the runs, innermost first. No extent is 1. If the rows are
  // listed, there is one axis of any extent: its coordinate numbers the entries
  // of the list.
  const std::vector<Axis>& outer_axes() const { return outer_; }

  // The listed rows. Without `integers` if the box lists none.
  const Rows& rows() const { return rows_; }

  // Visits the runs in order.
  class Cursor {
   public:
    // Starts at `position`, which is below box.count(). Keeps a reference to
    // the box.
    Cursor(const Box& box, uint64_t position)
        : box_(box), coordinates_(box.outer_.size()) {
      const uint64_t within = position % box.run_length_;
      uint64_t row = position / box.run_length_;
      start_ = box.offset_;
      for (size_t i = 0; i < coordinates_.size(); ++i) {
        const Axis& axis = box.outer_[i];
        coordinates_[i] = row % axis.extent;
        row /= axis.extent;
        start_ += box_.OnAxis(coordinates_[i]) * axis.stride;
      }
      run_ = {start_ + within, box.run_length_ - within};
    }

    // The rest of the current run.
    const Run& run() const { return run_; }

    // Moves on by `count` elements, at most to the end of the run. The next run
    // follows there, and the first run follows the last.
    void Advance(uint64_t count) {
      run_.first += count;
      run_.count -= count;
      if (run_.count == 0) NextRun();
    }

   private:
    void NextRun() {
      if (box_.IsListed()) {
        NextRow();
      } else {
        IncrementCoordinates();
      }
      run_ = {start_, box_.run_length_};
    }

    void NextRow() {
      if (++coordinates_[0] == box_.outer_[0].extent) coordinates_[0] = 0;
      start_ = box_.OnAxis(coordinates_[0]) * box_.outer_[0].stride;
    }

    // Increments the outer coordinates, without divisions.
    void IncrementCoordinates() {
      for (size_t i = 0; i < coordinates_.size(); ++i) {
        const Axis& axis = box_.outer_[i];
        start_ += axis.stride;
        if (++coordinates_[i] < axis.extent) break;
        start_ -= axis.extent * axis.stride;
        coordinates_[i] = 0;
      }
    }

    const Box& box_;
    std::vector<uint64_t> coordinates_;  // innermost first
    uint64_t start_;                     // first index of the current run
    Run run_;
  };

  // The run from `position` to its end.
  Run RunAt(uint64_t position) const { return Cursor(*this, position).run(); }

 private:
  bool IsListed() const { return rows_.integers != nullptr; }

  // How many strides a coordinate of an outer axis is from the first element.
  uint64_t OnAxis(uint64_t coordinate) const {
    return IsListed() ? rows_.At(coordinate) : coordinate;
  }

  uint64_t offset_ = 0;
  uint64_t count_ = 1;
  uint64_t run_length_ = 1;
  std::vector<Axis> outer_;
  Rows rows_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_BOX_H_
