// Rotations about Pauli strings, several in one pass over the state. Included by kernels.cpp only.
//
// A pass loads the 2^R vectors that the group's flips connect, turns them by all rotations of the group, and stores them.
// With amplitudes in the lanes (kInside), a flip may also exchange lanes, and signs differ between them.
#pragma once

// A state: real and imaginary parts in turn.
template <typename T>
using State = Vector<T>*;

// cos(angle/2), then +sin(angle/2) weight and -sin(angle/2) weight with the signs of the lanes.
template <typename T>
struct Coefficients {
  Vector<T> cosine, sine[2];
};

// A rotation as a pass needs it.
template <typename T>
struct Turned {
  const Coefficients<T>* coefficients;
  std::uint64_t z;      // over vectors
  unsigned negative;    // bit m: the sign of member m is opposite to that of the first
  int flips;            // which member is the partner
  int exchanged;        // lanes
  int imaginary;
  int rotation;
};

constexpr int kMostInPass = 16;

template <typename T>
struct Pass {
  int dimensions, count;
  std::uint64_t offsets[8];
  int pivots[3];
  Turned<T> turns[kMostInPass];
};

template <typename T, bool kInside>
inline Pass<T> make_pass(const Program& program, const Grouping& grouping, const Group& group,
                         const Coefficients<T>* const* coefficients) {
  constexpr int bits = kInside ? kLaneBits<T> : 0;
  Pass<T> pass;
  pass.dimensions = group.dimensions;
  pass.count = group.count;
  for (int d = 0; d < group.dimensions; ++d) {
    pass.pivots[d] = group.pivots[d];
  }
  for (int m = 0; m < 1 << group.dimensions; ++m) {
    pass.offsets[m] = 0;
    for (int d = 0; d < group.dimensions; ++d) {
      pass.offsets[m] ^= (m >> d & 1) ? group.basis[d] : 0;
    }
  }
  for (int k = 0; k < group.count; ++k) {
    const Member& member = grouping.members[group.first + k];
    const Rotation& rotation = program.rotations[member.rotation];
    Turned<T>& turned = pass.turns[k];
    turned.coefficients = coefficients[member.rotation];
    turned.z = rotation.z >> bits;
    turned.negative = 0;
    for (int m = 0; m < 1 << group.dimensions; ++m) {
      turned.negative |= static_cast<unsigned>(parity(pass.offsets[m] & turned.z)) << m;
    }
    turned.flips = member.flips;
    turned.exchanged = static_cast<int>(rotation.x & ((1u << bits) - 1));
    turned.imaginary = rotation.imaginary;
    turned.rotation = member.rotation;
  }
  return pass;
}

// The i-th position in which all pivots are 0.
template <int R>
inline std::uint64_t spread(std::uint64_t i, const int* pivots) {
#pragma GCC unroll 3
  for (int d = 0; d < R; ++d) {
    const std::uint64_t low = (std::uint64_t{1} << pivots[d]) - 1;
    i = ((i & ~low) << 1) | (i & low);
  }
  return i;
}

template <typename T, bool kInside>
inline Vector<T> partner(Vector<T> vector, int exchanged) {
  if constexpr (kInside) {
    return exchanged ? exchange<T>(vector, exchanged) : vector;
  }
  return vector;
}

// One amplitude's turn: cos psi - sin psi_other, or cos psi - i sin psi_other.
template <typename T, bool kImaginary>
inline void turn_one(Vector<T>& re, Vector<T>& im, Vector<T> cosine, Vector<T> sine, Vector<T> other_re,
                     Vector<T> other_im) {
  if constexpr (kImaginary) {
    re = cosine * re + sine * other_im;
    im = cosine * im - sine * other_re;
  } else {
    re = cosine * re - sine * other_re;
    im = cosine * im - sine * other_im;
  }
}

// Turn members a and a ^ F of a group, for all a.
template <typename T, bool kInside, int R, int F, bool kImaginary>
inline __attribute__((always_inline)) void turn(Vector<T> (&re)[1 << R], Vector<T> (&im)[1 << R],
                                                const Turned<T>& turned, int sign) {
  const Coefficients<T>& coefficient = *turned.coefficients;
#pragma GCC unroll 8
  for (int a = 0; a < 1 << R; ++a) {
    const int b = a ^ F;
    if (a > b) {
      continue;
    }
    const Vector<T> old_re = re[a], old_im = im[a];
    turn_one<T, kImaginary>(re[a], im[a], coefficient.cosine, coefficient.sine[sign ^ (turned.negative >> a & 1)],
                            partner<T, kInside>(re[b], turned.exchanged), partner<T, kInside>(im[b], turned.exchanged));
    if constexpr (F != 0) {
      turn_one<T, kImaginary>(re[b], im[b], coefficient.cosine, coefficient.sine[sign ^ (turned.negative >> b & 1)],
                              partner<T, kInside>(old_re, turned.exchanged),
                              partner<T, kInside>(old_im, turned.exchanged));
    }
  }
}

// sum_p sign_p Re(conj(lambda_p) (psi_(p^x) or -i psi_(p^x))) over a group's members, up to the sign of the first.
template <typename T, bool kInside, int R, int F, bool kImaginary>
inline __attribute__((always_inline)) Vector<T> overlap(const Vector<T> (&re)[1 << R], const Vector<T> (&im)[1 << R],
                                                        const Vector<T> (&dual_re)[1 << R],
                                                        const Vector<T> (&dual_im)[1 << R], const Turned<T>& turned,
                                                        const Vector<T> (&signs)[2]) {
  Vector<T> total{};
#pragma GCC unroll 8
  for (int a = 0; a < 1 << R; ++a) {
    const Vector<T> from_re = partner<T, kInside>(re[a ^ F], turned.exchanged);
    const Vector<T> from_im = partner<T, kInside>(im[a ^ F], turned.exchanged);
    const Vector<T> one =
        kImaginary ? dual_re[a] * from_im - dual_im[a] * from_re : dual_re[a] * from_re + dual_im[a] * from_im;
    total += signs[turned.negative >> a & 1] * one;
  }
  return total;
}

// Carry out `call` with the constants F and kImaginary of a rotation, so that no branch keeps products and sums apart. (A
// macro: captured by a lambda, the amplitudes would live in memory.)
#define REPLANK_WITH_CONSTANTS(turned, call)                                \
  switch (2 * (turned).flips + (turned).imaginary) {                        \
    REPLANK_CASES(R >= 0, 0, call)                                          \
    REPLANK_CASES(R >= 1, 1, call)                                          \
    REPLANK_CASES(R >= 2, 2, call)                                          \
    REPLANK_CASES(R >= 2, 3, call)                                          \
    REPLANK_CASES(R >= 3, 4, call)                                          \
    REPLANK_CASES(R >= 3, 5, call)                                          \
    REPLANK_CASES(R >= 3, 6, call)                                          \
    REPLANK_CASES(R >= 3, 7, call)                                          \
  }
#define REPLANK_CASES(exists, flips, call) \
  REPLANK_CASE(exists, flips, false, call) \
  REPLANK_CASE(exists, flips, true, call)
#define REPLANK_CASE(exists, flips, imaginary, call) \
  case 2 * (flips) + (imaginary):                    \
    if constexpr (exists) {                          \
      constexpr int F = flips;                       \
      constexpr bool kImaginary = imaginary;         \
      call;                                          \
    }                                                \
    break;

template <typename T, bool kInside, int R>
void pass_forward(const Pass<T>& pass, State<T> state, std::int64_t from, std::int64_t to) {
  for (std::int64_t i = from; i < to; ++i) {
    const std::uint64_t base = spread<R>(i, pass.pivots);
    Vector<T> re[1 << R], im[1 << R];
#pragma GCC unroll 8
    for (int m = 0; m < 1 << R; ++m) {
      re[m] = state[2 * (base ^ pass.offsets[m])];
      im[m] = state[2 * (base ^ pass.offsets[m]) + 1];
    }
    for (int k = 0; k < pass.count; ++k) {
      const Turned<T>& turned = pass.turns[k];
      const int sign = parity(base & turned.z);
      REPLANK_WITH_CONSTANTS(turned, (turn<T, kInside, R, F, kImaginary>(re, im, turned, sign)))
    }
#pragma GCC unroll 8
    for (int m = 0; m < 1 << R; ++m) {
      state[2 * (base ^ pass.offsets[m])] = re[m];
      state[2 * (base ^ pass.offsets[m]) + 1] = im[m];
    }
  }
}

// Undo the rotations on the state and on the dual, and add up their gradients, those of rotation k to gradients[k].
template <typename T, bool kInside, int R>
void pass_backward(const Pass<T>& pass, State<T> state, State<T> dual, Vector<T>* gradients, std::int64_t from,
                   std::int64_t to) {
  const Vector<T> signs[2] = {all<T>(1), all<T>(-1)};
  for (std::int64_t i = from; i < to; ++i) {
    const std::uint64_t base = spread<R>(i, pass.pivots);
    Vector<T> re[1 << R], im[1 << R], dual_re[1 << R], dual_im[1 << R];
#pragma GCC unroll 8
    for (int m = 0; m < 1 << R; ++m) {
      const std::uint64_t v = base ^ pass.offsets[m];
      re[m] = state[2 * v];
      im[m] = state[2 * v + 1];
      dual_re[m] = dual[2 * v];
      dual_im[m] = dual[2 * v + 1];
    }
    for (int k = pass.count - 1; k >= 0; --k) {
      const Turned<T>& turned = pass.turns[k];
      const int sign = parity(base & turned.z);
      REPLANK_WITH_CONSTANTS(turned, {
        gradients[k] += signs[sign] * (overlap<T, kInside, R, F, kImaginary>(re, im, dual_re, dual_im, turned, signs));
        (turn<T, kInside, R, F, kImaginary>(re, im, turned, sign ^ 1));
        (turn<T, kInside, R, F, kImaginary>(dual_re, dual_im, turned, sign ^ 1));
      })
    }
#pragma GCC unroll 8
    for (int m = 0; m < 1 << R; ++m) {
      const std::uint64_t v = base ^ pass.offsets[m];
      state[2 * v] = re[m];
      state[2 * v + 1] = im[m];
      dual[2 * v] = dual_re[m];
      dual[2 * v + 1] = dual_im[m];
    }
  }
}

#undef REPLANK_WITH_CONSTANTS
#undef REPLANK_CASES
#undef REPLANK_CASE

// Conditions as a pass needs them.
template <typename T>
struct Conditions {
  int count;
  std::uint64_t masks[kMostConditions];  // over vectors
  std::uint64_t values[kMostConditions];
  Vector<T> lanes[kMostConditions][2];  // 1 in the lanes where it holds, for either parity outside
};

template <typename T, bool kInside>
Conditions<T> make_conditions(const Condition* conditions, int count) {
  constexpr int bits = kInside ? kLaneBits<T> : 0;
  Conditions<T> made;
  made.count = count;
  for (int c = 0; c < count; ++c) {
    made.masks[c] = conditions[c].mask >> bits;
    made.values[c] = conditions[c].value;
    const Vector<T> signs = lane_signs<T>(conditions[c].mask & ((1u << bits) - 1));
    made.lanes[c][0] = (all<T>(1) + signs) * T(0.5);
    made.lanes[c][1] = (all<T>(1) - signs) * T(0.5);
  }
  return made;
}

// In which lanes of vector v all conditions hold: 1 or 0.
template <typename T>
inline Vector<T> where(const Conditions<T>& conditions, std::uint64_t v) {
  Vector<T> on = all<T>(1);
  for (int c = 0; c < conditions.count; ++c) {
    on *= conditions.lanes[c][parity(v & conditions.masks[c]) ^ conditions.values[c]];
  }
  return on;
}

// A rotation under conditions, by itself; undone, with its gradient, if there is a dual.
template <typename T, bool kInside>
void conditional(const Rotation& rotation, const Coefficients<T>& coefficient, State<T> state, State<T> dual,
                 Vector<T>& gradient, std::int64_t from, std::int64_t to) {
  constexpr int bits = kInside ? kLaneBits<T> : 0;
  const Conditions<T> conditions = make_conditions<T, kInside>(rotation.conditions, rotation.n_conditions);
  const std::uint64_t flipped = rotation.x >> bits, z = rotation.z >> bits;
  const int exchanged = static_cast<int>(rotation.x & ((1u << bits) - 1));
  const std::uint64_t pivot = flipped ? std::uint64_t{1} << (63 - __builtin_clzll(flipped)) : 0;
  const int n_members = pivot ? 2 : 1;
  const Vector<T> signs[2] = {all<T>(1), all<T>(-1)};
  for (std::int64_t i = from; i < to; ++i) {
    const std::uint64_t pair[2] = {static_cast<std::uint64_t>(i), i ^ flipped};
    if (pair[0] & pivot) {
      continue;
    }
    Vector<T> on[2], cosine[2];
    for (int m = 0; m < n_members; ++m) {
      on[m] = where<T>(conditions, pair[m]);
      cosine[m] = all<T>(1) + on[m] * (coefficient.cosine - all<T>(1));
    }
    if (!kInside && on[0][0] == 0) {
      continue;  // the same for both: no condition reads what is flipped
    }
    for (State<T> which = state; which != nullptr; which = which == state ? dual : nullptr) {
      Vector<T> re[2], im[2];
      for (int m = 0; m < n_members; ++m) {
        re[m] = which[2 * pair[m]];
        im[m] = which[2 * pair[m] + 1];
      }
      for (int m = 0; m < n_members; ++m) {
        const int sign = parity(pair[m] & z);
        const Vector<T> from_re = partner<T, kInside>(re[n_members - 1 - m], exchanged);
        const Vector<T> from_im = partner<T, kInside>(im[n_members - 1 - m], exchanged);
        if (dual != nullptr && which == state) {
          const Vector<T> dual_re = dual[2 * pair[m]], dual_im = dual[2 * pair[m] + 1];
          const Vector<T> one = rotation.imaginary ? dual_re * from_im - dual_im * from_re
                                                   : dual_re * from_re + dual_im * from_im;
          gradient += on[m] * signs[sign] * one;
        }
        const Vector<T> sine = on[m] * coefficient.sine[sign ^ (dual != nullptr)];
        which[2 * pair[m]] = cosine[m] * re[m] + (rotation.imaginary ? sine * from_im : -sine * from_re);
        which[2 * pair[m] + 1] = cosine[m] * im[m] - sine * (rotation.imaginary ? from_re : from_im);
      }
    }
  }
}
