// Matrices on up to four qubits, and projections. Included by kernels.cpp only.
//
// (M psi)_p = sum_f M[b(p), b(p) ^ f] psi_(p ^ x_f), where b(p) are the bits that p holds of the qubits and x_f is what
// flips the bits f of them. With amplitudes in the lanes, entries differ from lane to lane.
#pragma once

constexpr int kMostFlips = 1 << kMostDense;

template <typename T>
struct PreparedDense {
  int n_flips;                       // 2^k
  std::uint64_t reads[kMostDense];   // over vectors
  std::uint64_t offsets[kMostFlips];  // what each f flips, over vectors
  int exchanged[kMostFlips];         // and inside them
  int n_pivots;
  int pivots[kMostDense];
  std::uint64_t members[kMostFlips];  // the vectors that the flips connect
  int n_members;
  int member_of[kMostFlips][kMostFlips];  // the member that f takes each one to
  Vector<T> entries[kMostFlips][kMostFlips][2];  // by the bits that a vector holds, and f
};

// Entries of the matrix, or of its adjoint.
template <typename T, bool kInside>
void prepare_dense(const Dense& dense, bool adjoint, PreparedDense<T>& made) {
  constexpr int bits = kInside ? kLaneBits<T> : 0;
  const std::uint64_t inside = (1u << bits) - 1;
  const int k = dense.k, size = 1 << k;
  made.n_flips = size;
  std::uint64_t lane_reads[kMostDense];
  for (int q = 0; q < k; ++q) {
    made.reads[q] = dense.reads[q].mask >> bits;
    lane_reads[q] = dense.reads[q].mask & inside;
  }
  for (int f = 0; f < size; ++f) {
    std::uint64_t mask = 0;
    for (int q = 0; q < k; ++q) {
      mask ^= (f >> (k - 1 - q) & 1) ? dense.flips[q] : 0;
    }
    made.offsets[f] = mask >> bits;
    made.exchanged[f] = static_cast<int>(mask & inside);
  }
  for (int held = 0; held < size; ++held) {
    for (int f = 0; f < size; ++f) {
      for (int lane = 0; lane < kLanes<T>; ++lane) {
        int row = held;
        for (int q = 0; q < k; ++q) {
          const int bit = parity(lane & lane_reads[q]) ^ static_cast<int>(dense.reads[q].value ^ 1);
          row ^= bit << (k - 1 - q);
        }
        const int column = row ^ f;
        const double* entry = dense.matrix + 2 * (adjoint ? column * size + row : row * size + column);
        made.entries[held][f][0][lane] = static_cast<T>(entry[0]);
        made.entries[held][f][1][lane] = static_cast<T>(adjoint ? -entry[1] : entry[1]);
      }
    }
  }
  // a basis of the offsets, by elimination
  std::uint64_t basis[kMostDense], reduced[kMostDense];
  made.n_pivots = 0;
  for (int q = 0; q < k; ++q) {
    std::uint64_t rest = made.offsets[1 << (k - 1 - q)];
    for (int d = 0; d < made.n_pivots; ++d) {
      rest = (rest >> made.pivots[d] & 1) ? rest ^ reduced[d] : rest;
    }
    if (rest != 0) {
      basis[made.n_pivots] = made.offsets[1 << (k - 1 - q)];
      reduced[made.n_pivots] = rest;
      made.pivots[made.n_pivots++] = 63 - __builtin_clzll(rest);
    }
  }
  made.n_members = 1 << made.n_pivots;
  for (int m = 0; m < made.n_members; ++m) {
    made.members[m] = 0;
    for (int d = 0; d < made.n_pivots; ++d) {
      made.members[m] ^= (m >> d & 1) ? basis[d] : 0;
    }
  }
  for (int f = 0; f < size; ++f) {
    int shift = 0;
    while (made.members[shift] != made.offsets[f]) {
      ++shift;
    }
    for (int m = 0; m < made.n_members; ++m) {
      made.member_of[f][m] = m ^ shift;
    }
  }
  for (int a = 0; a < made.n_pivots; ++a) {
    for (int b = a + 1; b < made.n_pivots; ++b) {
      if (made.pivots[b] < made.pivots[a]) {
        const int swap = made.pivots[a];
        made.pivots[a] = made.pivots[b];
        made.pivots[b] = swap;
      }
    }
  }
}

template <typename T, bool kInside>
void apply_dense(const PreparedDense<T>& dense, int k, State<T> state, std::int64_t from, std::int64_t to) {
  for (std::int64_t i = from; i < to; ++i) {
    std::uint64_t base = i;
    for (int d = 0; d < dense.n_pivots; ++d) {
      const std::uint64_t low = (std::uint64_t{1} << dense.pivots[d]) - 1;
      base = ((base & ~low) << 1) | (base & low);
    }
    Vector<T> re[kMostFlips], im[kMostFlips];
    for (int m = 0; m < dense.n_members; ++m) {
      re[m] = state[2 * (base ^ dense.members[m])];
      im[m] = state[2 * (base ^ dense.members[m]) + 1];
    }
    for (int m = 0; m < dense.n_members; ++m) {
      const std::uint64_t v = base ^ dense.members[m];
      int held = 0;
      for (int q = 0; q < k; ++q) {
        held |= parity(v & dense.reads[q]) << (k - 1 - q);
      }
      Vector<T> sum_re{}, sum_im{};
      for (int f = 0; f < dense.n_flips; ++f) {
        const Vector<T> from_re = partner<T, kInside>(re[dense.member_of[f][m]], dense.exchanged[f]);
        const Vector<T> from_im = partner<T, kInside>(im[dense.member_of[f][m]], dense.exchanged[f]);
        const Vector<T>* entry = dense.entries[held][f];
        sum_re += entry[0] * from_re - entry[1] * from_im;
        sum_im += entry[0] * from_im + entry[1] * from_re;
      }
      state[2 * v] = sum_re;
      state[2 * v + 1] = sum_im;
    }
  }
}

template <typename T, bool kInside>
void project(const Condition& condition, State<T> state, std::int64_t from, std::int64_t to) {
  const Conditions<T> conditions = make_conditions<T, kInside>(&condition, 1);
  for (std::int64_t v = from; v < to; ++v) {
    const Vector<T> on = where<T>(conditions, v);
    state[2 * v] *= on;
    state[2 * v + 1] *= on;
  }
}
