#include "program.hpp"

#include <algorithm>
#include <stdexcept>

namespace replank {
namespace {

constexpr int kForwardDimensions = 3;   // 8 amplitudes, 16 vectors: half of AVX-512's registers
constexpr int kBackwardDimensions = 2;  // 4 amplitudes of the state and 4 of its dual
constexpr int kMostMembers = 16;

void require(bool holds, const char* what) {
  if (!holds) {
    throw std::invalid_argument(std::string("Program: ") + what);
  }
}

bool even(std::uint64_t bits) { return __builtin_parityll(bits) == 0; }

bool commute(const Rotation& a, const Rotation& b) {
  bool free = even(a.x & b.z) == even(a.z & b.x);
  for (int c = 0; c < a.n_conditions; ++c) {
    free = free && even(a.conditions[c].mask & b.x);
  }
  for (int c = 0; c < b.n_conditions; ++c) {
    free = free && even(b.conditions[c].mask & a.x);
  }
  return free;
}

// Vectors over GF(2), a basis of which is kept in echelon form.
struct Span {
  std::vector<std::uint64_t> basis, reduced;

  std::uint64_t rest(std::uint64_t vector) const {
    for (const std::uint64_t each : reduced) {
      vector = std::min(vector, vector ^ each);
    }
    return vector;
  }

  void add(std::uint64_t vector) {
    const std::uint64_t remainder = rest(vector);
    if (remainder != 0) {
      basis.push_back(vector);
      reduced.push_back(remainder);
    }
  }

  // Which basis vectors add up to a vector of the span.
  int coordinates(std::uint64_t vector) const {
    for (int subset = 0; subset < 1 << basis.size(); ++subset) {
      std::uint64_t sum = 0;
      for (std::size_t d = 0; d < basis.size(); ++d) {
        sum ^= (subset >> d & 1) != 0 ? basis[d] : 0;
      }
      if (sum == vector) {
        return subset;
      }
    }
    throw std::logic_error("Program: a flip lies outside its group.");
  }
};

int top_bit(std::uint64_t bits) { return 63 - __builtin_clzll(bits); }

}  // namespace

CompiledProgram::CompiledProgram(const Description& d)
    : n_(d.n), has_start_(d.has_start), matrices_(d.matrices), per_sample_(d.per_sample.begin(), d.per_sample.end()),
      constants_(d.constants), row_begins_(d.row_begins), sources_(d.sources), coefficients_(d.coefficients) {
  require(n_ >= 1 && n_ <= 40, "there must be 1 to 40 qubits.");
  require(static_cast<int>(d.places.size()) == n_ + 1, "there must be one place for each qubit, and the origin.");
  origin_ = static_cast<std::uint64_t>(d.places[0]);
  places_.assign(d.places.begin() + 1, d.places.end());
  start_begins_.assign(n_ + 1, 0);
  for (const Row& row : d.start) {
    require(row.size() == 3 && row[0] >= 0 && row[0] < n_ && row[1] >= 0 && row[1] < 3, "a start turn must be on a line.");
    start_.push_back({static_cast<int>(row[1]), static_cast<int>(row[2])});
    for (int line = static_cast<int>(row[0]); line < n_; ++line) {
      ++start_begins_[line + 1];
    }
  }
  for (const Row& row : d.steps) {
    require(row.size() == 4, "a step has four numbers.");
    steps_.push_back({static_cast<int>(row[0]), static_cast<int>(row[1]), static_cast<int>(row[2]),
                      static_cast<int>(row[3])});
    n_checkpoints_ += row[3] >= 0;
  }
  for (const Row& row : d.rotations) {
    require(row.size() >= 5 && row.size() % 2 == 1 && row.size() <= 5 + 2 * kMostConditions,
            "a rotation has at most 8 conditions.");
    Rotation rotation{};
    rotation.x = row[0];
    rotation.z = row[1];
    rotation.weight = static_cast<double>(row[2]);
    rotation.imaginary = static_cast<int>(row[3]);
    rotation.slot = static_cast<int>(row[4]);
    for (std::size_t at = 5; at < row.size(); at += 2) {
      rotation.conditions[rotation.n_conditions++] = {static_cast<std::uint64_t>(row[at]),
                                                      static_cast<std::uint64_t>(row[at + 1])};
    }
    rotations_.push_back(rotation);
  }
  for (const Row& row : d.phases) {
    require(row.size() == 2, "a phase has a mask and a slot.");
    phases_.push_back({static_cast<std::uint64_t>(row[0]), static_cast<int>(row[1])});
  }
  require(d.dense.size() == matrices_.size(), "there must be one matrix for each dense step.");
  for (std::size_t i = 0; i < d.dense.size(); ++i) {
    const Row& row = d.dense[i];
    const int k = static_cast<int>(row.size() - 1) / 3;
    require(row.size() % 3 == 1 && k >= 1 && k <= kMostDense && matrices_[i].size() == std::size_t{2} << (2 * k),
            "a matrix is on 1 to 4 qubits.");
    Dense dense{};
    dense.k = k;
    dense.is_unitary = static_cast<int>(row[0]);
    for (int q = 0; q < k; ++q) {
      dense.flips[q] = row[1 + q];
      dense.reads[q] = {static_cast<std::uint64_t>(row[1 + k + q]), static_cast<std::uint64_t>(row[1 + 2 * k + q])};
    }
    dense.matrix = matrices_[i].data();
    dense_.push_back(dense);
  }
  for (const Row& row : d.projections) {
    require(row.size() == 2, "a projection has a mask and a value.");
    projections_.push_back({static_cast<std::uint64_t>(row[0]), static_cast<std::uint64_t>(row[1])});
  }
  for (const Row& row : d.strings) {
    require(row.size() == 4, "a string has four numbers.");
    strings_.push_back({static_cast<std::uint64_t>(row[0]), static_cast<std::uint64_t>(row[1]),
                        static_cast<double>(row[2]), static_cast<int>(row[3])});
  }
  check();
  for (const std::int64_t source : sources_) {
    largest_parameter_ = std::max(largest_parameter_, static_cast<int>(source));
    largest_feature_ = std::max(largest_feature_, static_cast<int>(-source - 1));
  }
  for (int bits = 0; bits <= kMostLaneBits; ++bits) {
    forward_.push_back(group_rotations(bits, kForwardDimensions));
    backward_.push_back(group_rotations(bits, kBackwardDimensions));
  }
}

// That no index leads out of its table and no mask out of the state.
void CompiledProgram::check() const {
  const auto n_slots = static_cast<std::int64_t>(constants_.size());
  const std::uint64_t size = std::uint64_t{1} << n_;
  const auto slot_exists = [&](int slot) { require(slot >= 0 && slot < n_slots, "a slot does not exist."); };
  const auto fits = [&](std::uint64_t mask) { require(mask < size, "a mask has more bits than there are qubits."); };
  require(per_sample_.size() == constants_.size() && row_begins_.size() == constants_.size() + 1 &&
              sources_.size() == coefficients_.size() && row_begins_.front() == 0 &&
              row_begins_.back() == static_cast<std::int64_t>(sources_.size()) &&
              std::is_sorted(row_begins_.begin(), row_begins_.end()),
          "the table of angles does not fit together.");
  for (const std::int64_t source : sources_) {
    require(source >= INT32_MIN && source <= INT32_MAX, "a source does not exist.");
  }
  const std::size_t counts[] = {phases_.size(), rotations_.size(), dense_.size(), projections_.size()};
  int checkpoints = 0;
  for (const Step& step : steps_) {
    require(step.kind >= 0 && step.kind < 4 && step.first >= 0 && step.count >= 1 &&
                static_cast<std::size_t>(step.first) + step.count <= counts[step.kind],
            "a step leads out of its table.");
    require(step.checkpoint < 0 || step.checkpoint == checkpoints++, "checkpoints must be numbered in order.");
  }
  fits(origin_);
  for (const std::uint64_t place : places_) fits(place);
  for (const StartTurn& turn : start_) slot_exists(turn.slot);
  for (const PhaseTerm& term : phases_) fits(term.z), slot_exists(term.slot);
  for (const Condition& condition : projections_) fits(condition.mask), require(condition.value < 2, "a bit is 0 or 1.");
  for (const String& string : strings_) fits(string.x | string.z);
  for (const Rotation& rotation : rotations_) {
    fits(rotation.x | rotation.z), slot_exists(rotation.slot);
    require(rotation.x != 0 || rotation.n_conditions > 0, "a rotation flips something.");
    for (int c = 0; c < rotation.n_conditions; ++c) {
      fits(rotation.conditions[c].mask), require(rotation.conditions[c].value < 2, "a bit is 0 or 1.");
    }
  }
  for (const Dense& dense : dense_) {
    for (int q = 0; q < dense.k; ++q) {
      fits(dense.flips[q] | dense.reads[q].mask), require(dense.reads[q].value < 2, "a bit is 0 or 1.");
    }
  }
}

CompiledProgram::Groups CompiledProgram::group_rotations(int lane_bits, int most_dimensions) const {
  Groups made;
  for (const Step& step : steps_) {
    made.step_begins.push_back(static_cast<int>(made.groups.size()));
    if (step.kind != kRotations) {
      continue;
    }
    std::vector<int> left;
    for (int r = step.first; r < step.first + step.count; ++r) {
      left.push_back(r);
    }
    while (!left.empty()) {
      Span span;
      std::vector<int> taken, passed;
      for (const int r : left) {
        const Rotation& rotation = rotations_[r];
        const bool alone = rotation.n_conditions > 0 || (!taken.empty() && rotations_[taken[0]].n_conditions > 0);
        const std::uint64_t flips = rotation.x >> lane_bits;
        const bool fits = taken.empty() || (!alone && static_cast<int>(taken.size()) < kMostMembers &&
                                            (span.rest(flips) == 0 ||
                                             static_cast<int>(span.basis.size()) < most_dimensions));
        const bool reaches = std::all_of(passed.begin(), passed.end(),
                                         [&](int other) { return commute(rotation, rotations_[other]); });
        if (fits && reaches) {
          taken.push_back(r);
          span.add(flips);
        } else {
          passed.push_back(r);
        }
      }
      Group group{};
      group.dimensions = static_cast<int>(span.basis.size());
      group.first = static_cast<int>(made.members.size());
      group.count = static_cast<int>(taken.size());
      for (int dimension = 0; dimension < group.dimensions; ++dimension) {
        group.basis[dimension] = span.basis[dimension];
        group.pivots[dimension] = top_bit(span.reduced[dimension]);
      }
      std::sort(group.pivots, group.pivots + group.dimensions);
      for (const int r : taken) {
        made.members.push_back({r, span.coordinates(rotations_[r].x >> lane_bits)});
      }
      made.groups.push_back(group);
      left = passed;
    }
  }
  made.step_begins.push_back(static_cast<int>(made.groups.size()));
  return made;
}

Program CompiledProgram::view(int lane_bits) const {
  const Groups& forward = forward_.at(lane_bits);
  const Groups& backward = backward_.at(lane_bits);
  Program program{};
  program.n = n_;
  program.n_slots = static_cast<int>(constants_.size());
  program.n_steps = static_cast<int>(steps_.size());
  program.n_rotations = static_cast<int>(rotations_.size());
  program.n_checkpoints = n_checkpoints_;
  program.n_strings = static_cast<int>(strings_.size());
  program.per_sample = per_sample_.data();
  program.constants = constants_.data();
  program.row_begins = row_begins_.data();
  program.sources = sources_.data();
  program.coefficients = coefficients_.data();
  program.has_start = has_start_;
  program.start_begins = start_begins_.data();
  program.start = start_.data();
  program.steps = steps_.data();
  program.rotations = rotations_.data();
  program.phases = phases_.data();
  program.dense = dense_.data();
  program.projections = projections_.data();
  program.strings = strings_.data();
  program.origin = origin_;
  program.places = places_.data();
  program.forward = {forward.groups.data(), forward.step_begins.data(), forward.members.data()};
  program.backward = {backward.groups.data(), backward.step_begins.data(), backward.members.data()};
  return program;
}

}  // namespace replank
