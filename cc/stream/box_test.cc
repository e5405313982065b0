// Boxes: every box of small shapes, element by element, and boxes of huge
// shapes.

#include "cc/stream/box.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tf_vsinit {
namespace {

using Vector = std::vector<int64_t>;

// The stream indices of a box, found by visiting all elements of the shape.
std::vector<uint64_t> IndicesByCounting(const Vector& shape,
                                        const Vector& begin,
                                        const Vector& size) {
  int64_t total = 1;
  for (int64_t extent : shape) total *= extent;
  std::vector<uint64_t> indices;
  for (int64_t index = 0; index < total; ++index) {
    bool inside = true;
    int64_t rest = index;
    for (size_t axis = shape.size(); axis-- > 0;) {
      const int64_t at = rest % shape[axis];
      rest /= shape[axis];
      inside = inside && at >= begin[axis] && at < begin[axis] + size[axis];
    }
    if (inside) indices.push_back(static_cast<uint64_t>(index));
  }
  return indices;
}

// Checks the run from every position of the box against the indices.
void CheckBox(const Vector& shape, const Vector& begin, const Vector& size) {
  const auto want = IndicesByCounting(shape, begin, size);
  const Box box(shape, begin, size);
  ASSERT_EQ(box.count(), want.size());
  for (uint64_t position = 0; position < want.size(); ++position) {
    const Run run = box.RunAt(position);
    ASSERT_GE(run.count, 1u);
    ASSERT_LE(run.count, box.run_length());
    ASSERT_LE(position + run.count, want.size());
    for (uint64_t i = 0; i < run.count; ++i) {
      ASSERT_EQ(run.first + i, want[position + i]);
    }
  }
}

// Calls CheckBox for every begin and size along `axis` and the axes after it.
void CheckBoxes(const Vector& shape, size_t axis, Vector* begin, Vector* size) {
  if (axis == shape.size()) return CheckBox(shape, *begin, *size);
  for ((*begin)[axis] = 0; (*begin)[axis] <= shape[axis]; ++(*begin)[axis]) {
    for ((*size)[axis] = 0; (*size)[axis] <= shape[axis] - (*begin)[axis];
         ++(*size)[axis]) {
      CheckBoxes(shape, axis + 1, begin, size);
    }
  }
}

TEST(BoxTest, EveryBoxOfSmallShapesHasTheRightElements) {
  for (const Vector& shape :
       {Vector{}, Vector{5}, Vector{1}, Vector{0}, Vector{3, 4}, Vector{4, 0},
        Vector{3, 1, 4}, Vector{2, 3, 4}, Vector{2, 3, 1, 3}}) {
    Vector begin(shape.size()), size(shape.size());
    CheckBoxes(shape, 0, &begin, &size);
  }
}

TEST(BoxTest, JoinsWholeAxesIntoOneRun) {
  EXPECT_EQ(Box({4, 5, 6}, {0, 0, 0}, {4, 5, 6}).run_length(), 120u);
  EXPECT_EQ(Box({4, 5, 6}, {1, 0, 0}, {2, 5, 6}).run_length(), 60u);
  EXPECT_EQ(Box({4, 5, 6}, {1, 2, 0}, {2, 2, 6}).run_length(), 12u);
  EXPECT_EQ(Box({4, 5, 6}, {1, 2, 3}, {2, 2, 2}).run_length(), 2u);
}

TEST(BoxTest, CursorVisitsTheRunsInOrder) {
  const Box box({4, 5, 6, 3}, {1, 1, 2, 0}, {3, 3, 1, 2});
  for (uint64_t step : {1u, 2u}) {
    Box::Cursor cursor(box, 0);
    for (uint64_t position = 0; position < box.count(); position += step) {
      EXPECT_EQ(cursor.run().first, box.RunAt(position).first);
      EXPECT_EQ(cursor.run().count, box.RunAt(position).count);
      cursor.Advance(step);
    }
    EXPECT_EQ(cursor.run().first, box.RunAt(0).first) << "after the last run";
  }
}

template <typename Integer>
void CheckRows(const std::vector<Integer>& numbers, uint64_t row_size) {
  const Rows rows{numbers.data(), sizeof(Integer) == 8,
                  static_cast<int64_t>(numbers.size())};
  const Box box(rows, static_cast<int64_t>(row_size));
  ASSERT_EQ(box.count(), numbers.size() * row_size);
  Box::Cursor cursor(box, 0);
  for (uint64_t position = 0; position < box.count(); ++position) {
    const uint64_t column = position % row_size;
    const uint64_t row = static_cast<uint64_t>(numbers[position / row_size]);
    for (const Run& run : {box.RunAt(position), cursor.run()}) {
      EXPECT_EQ(run.first, row * row_size + column);
      EXPECT_EQ(run.count, row_size - column);
    }
    cursor.Advance(1);
  }
  EXPECT_EQ(cursor.run().first, box.RunAt(0).first) << "after the last run";
}

TEST(BoxTest, ListedRowsAreRunsInTheOrderOfTheList) {
  for (uint64_t row_size : {1, 2, 3, 64}) {
    CheckRows<int32_t>({5, 0, 5, 5, 2147483647, 1}, row_size);
    CheckRows<int64_t>({5, 0, (int64_t{1} << 57) - 2, 5, 6}, row_size);
    CheckRows<int64_t>({7}, row_size);
  }
}

TEST(BoxTest, ReachesTheEndOfTheLargestShape) {
  const int64_t rows = int64_t{1} << 31, columns = (int64_t{1} << 32) - 1;
  const Box box({rows, columns}, {rows - 2, columns - 3}, {2, 3});
  EXPECT_EQ(box.count(), 6u);
  const uint64_t total = static_cast<uint64_t>(rows) * columns;
  EXPECT_EQ(box.RunAt(0).first, total - columns - 3);
  EXPECT_EQ(box.RunAt(4).first, total - 2);
  EXPECT_EQ(box.RunAt(4).count, 2u);
}

}  // namespace
}  // namespace tf_vsinit
