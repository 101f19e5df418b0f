// A circuit as the kernels read it, with the memory that it lies in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels.hpp"

namespace replank {

using Row = std::vector<std::int64_t>;
using Table = std::vector<Row>;

// What Python says of a program; the layout of the rows is in src/replank/circuits/core_backend.py.
struct Description {
  int n;
  bool has_start;
  Table start;        // (line, letter, slot), by line
  Table steps;        // (kind, first, count, checkpoint)
  Table rotations;    // (x, z, sign, imaginary, slot, mask, value, mask, value, ...)
  Table phases;       // (z, slot)
  Table dense;        // (is_unitary, flips ..., masks ..., values ...)
  std::vector<std::vector<double>> matrices;
  Table projections;  // (mask, value)
  Table strings;      // (x, z, sign, imaginary)
  Row places;         // (origin, then what each bit adds, the least significant first)
  std::vector<bool> per_sample;
  std::vector<double> constants;
  Row row_begins, sources;
  std::vector<double> coefficients;
};

class CompiledProgram {
 public:
  // Throws std::invalid_argument if an index in the description leads out of it.
  explicit CompiledProgram(const Description& description);
  CompiledProgram(const CompiledProgram&) = delete;

  // As kernels want it that hold 2^lane_bits amplitudes of one sample in a vector.
  Program view(int lane_bits) const;

  int n() const { return n_; }
  int n_strings() const { return static_cast<int>(strings_.size()); }
  int n_checkpoints() const { return n_checkpoints_; }
  int largest_feature() const { return largest_feature_; }      // index, -1 if there is none
  int largest_parameter() const { return largest_parameter_; }  // likewise
  bool has_start() const { return has_start_; }

 private:
  struct Groups {
    std::vector<Group> groups;
    std::vector<int> step_begins;
    std::vector<Member> members;
  };

  void check() const;
  Groups group_rotations(int lane_bits, int most_dimensions) const;

  static constexpr int kMostLaneBits = 4;
  int n_, n_checkpoints_ = 0, largest_feature_ = -1, largest_parameter_ = -1;
  bool has_start_;
  std::vector<int> start_begins_;
  std::vector<StartTurn> start_;
  std::vector<Step> steps_;
  std::vector<Rotation> rotations_;
  std::vector<PhaseTerm> phases_;
  std::vector<Dense> dense_;
  std::vector<std::vector<double>> matrices_;
  std::vector<Condition> projections_;
  std::vector<String> strings_;
  std::uint64_t origin_;
  std::vector<std::uint64_t> places_;
  std::vector<unsigned char> per_sample_;
  std::vector<double> constants_;
  std::vector<std::int64_t> row_begins_, sources_;
  std::vector<double> coefficients_;
  std::vector<Groups> forward_, backward_;  // by lane bits
};

}  // namespace replank
