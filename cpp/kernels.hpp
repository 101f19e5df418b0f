// What a kernel is to the rest of the core: a plain function over plain data.
//
// kernels.cpp includes this file and is compiled once for each instruction set, so that nothing with inline code of its
// own (the standard library's containers, say) may be included here: see kernels.cpp.
#pragma once

#include <cstdint>

namespace replank {

constexpr int kMostConditions = 8;
constexpr int kMostDense = 4;  // qubits of a matrix

// Holds at positions p where the parity of p & mask is `value`.
struct Condition {
  std::uint64_t mask;
  std::uint64_t value;
};

// exp(-i angle/2 P), P = sign i^n_y X^x Z^z, where all conditions hold. With s = sin(angle/2) and the sign (-1)^(p & z),
//   n_y odd:   psi_p -> cos psi_p -   s weight (-1)^(p & z) psi_(p^x)
//   n_y even:  psi_p -> cos psi_p - i s weight (-1)^(p & z) psi_(p^x)
struct Rotation {
  std::uint64_t x, z;
  double weight;
  int imaginary;  // n_y is even
  int slot;
  int n_conditions;
  Condition conditions[kMostConditions];
};

// One term of a diagonal step: exp(-i angle/2 (-1)^(p & z)).
struct PhaseTerm {
  std::uint64_t z;
  int slot;
};

// A matrix on k qubits, given by what flips and what reads each of them, the most significant first.
struct Dense {
  int k;
  int is_unitary;
  std::uint64_t flips[kMostDense];
  Condition reads[kMostDense];
  const double* matrix;  // 2^k x 2^k, real and imaginary parts in turn
};

// A Pauli string to be measured, as in Rotation.
struct String {
  std::uint64_t x, z;
  double weight;
  int imaginary;
};

// One of a line's own turns before it meets others: X, Y, Z = 0, 1, 2.
struct StartTurn {
  int letter;
  int slot;
};

enum StepKind { kPhases, kRotations, kDense, kProjection };

struct Step {
  int kind;
  int first;       // of its rotations, terms, matrices or conditions
  int count;
  int checkpoint;  // which copy of the state is kept, for a step that can't be undone; -1 otherwise
};

// Rotations that are done in one pass over the state: their flips, without the bits that lie inside a vector, span at
// most three dimensions.
struct Group {
  int dimensions;
  std::uint64_t basis[3];
  int pivots[3];  // ascending; together with them every position is reached once
  int first;      // of its members
  int count;
};

struct Member {
  int rotation;
  int flips;  // which of the basis are flipped, as bits
};

// The rotations of all steps in groups, for one number of bits inside a vector.
struct Grouping {
  const Group* groups;
  const int* step_begins;  // n_steps + 1
  const Member* members;
};

enum Output { kExpectations, kProbabilities, kState };

struct Program {
  int n;  // qubits
  int n_slots, n_steps, n_rotations, n_checkpoints, n_strings;
  const unsigned char* per_sample;  // slots that differ from sample to sample
  const double* constants;
  const std::int64_t* row_begins;  // of each slot's terms: constant + sum coefficient * source
  const std::int64_t* sources;     // parameter k, or feature -k - 1
  const double* coefficients;
  int has_start;
  const int* start_begins;  // n + 1
  const StartTurn* start;
  const Step* steps;
  const Rotation* rotations;
  const PhaseTerm* phases;
  const Dense* dense;
  const Condition* projections;
  const String* strings;
  std::uint64_t origin;         // position of the basis state 0...0
  const std::uint64_t* places;  // n: what bit j of a basis state (0 the least significant) adds to its position
  Grouping forward, backward;   // for the layout in use
};

// What to compute. Arrays are contiguous; strides between groups are 0 where all groups share the data.
template <typename T>
struct Call {
  std::int64_t n_groups, batch, n_features, n_parameters;
  const T* features;  // (groups, batch, n_features)
  std::int64_t feature_stride;
  const T* parameters;  // (groups, n_parameters)
  std::int64_t parameter_stride;
  const T* initial;  // (groups, batch, 2^n, 2) in the order of basis states, or null
  std::int64_t initial_stride;
  int output;
  T* out;              // (groups, batch, strings), (groups, batch, 2^n) or (groups, batch, 2^n, 2)
  T* saved;            // the states at the end and at the checkpoints, or null
  const T* grad_out;   // like out
  T* grad_features;    // (groups, batch, n_features)
  T* grad_parameters;  // (groups, n_parameters)
  T* grad_initial;     // (groups, batch, 2^n, 2), or null
  int amplitude_lanes;  // a vector holds amplitudes of one sample, not one amplitude of several samples
  int threads;
};

enum Failure { kNone, kNoMemory, kNotFinite };

// The kernels of one instruction set. The circuit kernels return a Failure; if there is one, nothing can be said of what
// they have written.
struct KernelTable {
  const char* isa;
  int lanes_f32, lanes_f64;

  // Fused multiply-adds and nothing else, in as many independent chains as the registers hold. `*seed` in (0, 1) is the
  // factor, and receives what was computed. Returns the number of floating-point operations.
  std::uint64_t (*fma_f32)(std::uint64_t rounds, float* seed);
  std::uint64_t (*fma_f64)(std::uint64_t rounds, double* seed);

  int (*forward_f32)(const Program&, const Call<float>&);
  int (*forward_f64)(const Program&, const Call<double>&);
  int (*backward_f32)(const Program&, const Call<float>&);
  int (*backward_f64)(const Program&, const Call<double>&);
};

namespace avx512 {
const KernelTable& table();
}
namespace avx2 {
const KernelTable& table();
}
namespace baseline {
const KernelTable& table();
}

}  // namespace replank
