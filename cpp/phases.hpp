// Diagonal steps: exp(-i/2 sum_k angle_k (-1)^(p & z_k)). Included by kernels.cpp only.
//
// Phases that all samples share are tabulated once, if the tables are small. Others are added up where they are used; with
// amplitudes in the lanes, for a block of positions at a time by a Walsh-Hadamard transform.
#pragma once

constexpr int kBlockBits = 10;        // positions of a block: 4 or 8 KiB
constexpr std::int64_t kMostTableBytes = 1 << 20;  // of all tables of a thread: the memory must not grow with the depth

inline int count_diagonal_steps(const Program& program) {
  int count = 0;
  for (int s = 0; s < program.n_steps; ++s) {
    count += program.steps[s].kind == kPhases;
  }
  return count;
}

// The transform below over items, which are numbers or vectors.
template <typename Item>
inline void add_and_subtract(Item* items, std::int64_t size) {
  for (std::int64_t half = 1; half < size; half *= 2) {
    for (std::int64_t block = 0; block < size; block += 2 * half) {
      for (std::int64_t i = block; i < block + half; ++i) {
        const Item a = items[i], b = items[i + half];
        items[i] = a + b;
        items[i + half] = a - b;
      }
    }
  }
}

// In place: values[p] becomes sum_z values[z] (-1)^(p & z). The values begin at a vector's boundary.
template <typename T>
void walsh_hadamard(T* values, int bits) {
  const std::int64_t size = std::int64_t{1} << bits;
  if (size < kLanes<T>) {
    add_and_subtract(values, size);
    return;
  }
  auto* vectors = reinterpret_cast<Vector<T>*>(values);
  Vector<T> signs[kLaneBits<T>];
  for (int bit = 0; bit < kLaneBits<T>; ++bit) {
    signs[bit] = lane_signs<T>(std::uint64_t{1} << bit);
  }
  for (std::int64_t v = 0; v < size / kLanes<T>; ++v) {
#pragma GCC unroll 4
    for (int bit = 0; bit < kLaneBits<T>; ++bit) {
      vectors[v] = signs[bit] * vectors[v] + exchange<T>(vectors[v], 1 << bit);
    }
  }
  add_and_subtract(vectors, size / kLanes<T>);
}

inline int block_bits(int n) { return n < kBlockBits ? n : kBlockBits; }

// -1/2 sum_k angle_k (-1)^(p & z_k) at the positions of one block. `angles` are by slot.
template <typename T>
void block_of_angles(const Program& program, const Step& step, const T* angles, bool only_shared, std::int64_t block,
                     T* values) {
  const int bits = block_bits(program.n);
  const std::uint64_t size = std::uint64_t{1} << bits;
  for (std::uint64_t i = 0; i < size; ++i) {
    values[i] = 0;
  }
  for (int k = step.first; k < step.first + step.count; ++k) {
    const PhaseTerm& term = program.phases[k];
    if (only_shared && program.per_sample[term.slot]) {
      continue;
    }
    const T half = T(-0.5) * angles[term.slot];
    values[term.z & (size - 1)] += parity((static_cast<std::uint64_t>(block) << bits) & term.z) ? -half : half;
  }
  walsh_hadamard(values, bits);
}

// Cosines and sines of a block's angles, in turn and by vectors if `by_vectors`, else by positions.
template <typename T>
void cosines_and_sines(const T* angles, std::int64_t size, bool by_vectors, T* table) {
  constexpr int lanes = kLanes<T>;
  for (std::int64_t i = 0; i < size; i += lanes) {
    Vector<T> angle{}, s, c;
    memcpy(&angle, angles + i, sizeof(T) * (size < lanes ? size : lanes));
    sine_and_cosine<T>(angle, s, c);
    if (by_vectors) {
      reinterpret_cast<Vector<T>*>(table)[2 * (i / lanes)] = c;
      reinterpret_cast<Vector<T>*>(table)[2 * (i / lanes) + 1] = s;
      continue;
    }
    for (int lane = 0; lane < lanes && i + lane < size; ++lane) {
      table[2 * (i + lane)] = c[lane];
      table[2 * (i + lane) + 1] = s[lane];
    }
  }
}

// Multiply amplitudes by c + i s.
template <typename T>
inline void multiply(State<T> state, std::int64_t v, Vector<T> c, Vector<T> s) {
  const Vector<T> re = state[2 * v], im = state[2 * v + 1];
  state[2 * v] = c * re - s * im;
  state[2 * v + 1] = c * im + s * re;
}

// Im(conj(lambda) psi): what the derivative of a phase is made of.
template <typename T>
inline Vector<T> turning(State<T> state, State<T> dual, std::int64_t v) {
  return dual[2 * v] * state[2 * v + 1] - dual[2 * v + 1] * state[2 * v];
}

// Apply tabulated phases; or undo them on the state and its dual, and add what their gradients are made of to
// `turnings`, a vector for each one of the state.
template <typename T, bool kInside>
void tabulated_phases(const T* table, State<T> state, State<T> dual, Vector<T>* turnings, std::int64_t from,
                      std::int64_t to) {
  const auto* vectors = reinterpret_cast<const Vector<T>*>(table);
  for (std::int64_t v = from; v < to; ++v) {
    const Vector<T> c = kInside ? vectors[2 * v] : all<T>(table[2 * v]);
    const Vector<T> s = kInside ? vectors[2 * v + 1] : all<T>(table[2 * v + 1]);
    if (dual == nullptr) {
      multiply<T>(state, v, c, s);
    } else {
      turnings[v] += turning<T>(state, dual, v);
      multiply<T>(state, v, c, -s);
      multiply<T>(dual, v, c, -s);
    }
  }
}

// Phases that differ from lane to lane, samples being in the lanes: `angles` and `gradients` are vectors by slot.
template <typename T>
void sampled_phases(const Program& program, const Step& step, const Vector<T>* angles, State<T> state, State<T> dual,
                    Vector<T>* gradients, std::int64_t from, std::int64_t to) {
  for (std::int64_t v = from; v < to; ++v) {
    Vector<T> half{};
    const Vector<T> turned = dual == nullptr ? Vector<T>{} : turning<T>(state, dual, v);
    for (int k = step.first; k < step.first + step.count; ++k) {
      const PhaseTerm& term = program.phases[k];
      if (!program.per_sample[term.slot]) {
        continue;
      }
      const T sign = parity(v & term.z) ? T(-1) : T(1);
      half += sign * angles[term.slot];
      if (dual != nullptr) {
        gradients[term.slot] += sign * turned;
      }
    }
    Vector<T> s, c;
    sine_and_cosine<T>(half * T(-0.5), s, c);
    multiply<T>(state, v, c, dual == nullptr ? s : -s);
    if (dual != nullptr) {
      multiply<T>(dual, v, c, -s);
    }
  }
}

// All phases of a step for one sample, amplitudes being in the lanes, block by block; `room` holds three blocks.
template <typename T>
void phases_by_blocks(const Program& program, const Step& step, const T* angles, State<T> state, State<T> dual,
                      T* gradients, T* room, std::int64_t from, std::int64_t to) {
  const int bits = block_bits(program.n);
  const std::int64_t size = std::int64_t{1} << bits, vectors = size / kLanes<T>;
  T* table = room + size;
  for (std::int64_t block = from; block < to; ++block) {
    block_of_angles(program, step, angles, false, block, room);
    cosines_and_sines(room, size, true, table);
    if (dual != nullptr) {
      for (std::int64_t v = 0; v < vectors; ++v) {
        reinterpret_cast<Vector<T>*>(room)[v] = turning<T>(state, dual, block * vectors + v);
      }
      walsh_hadamard(room, bits);
      for (int k = step.first; k < step.first + step.count; ++k) {
        const PhaseTerm& term = program.phases[k];
        const T one = room[term.z & (size - 1)];
        gradients[term.slot] += parity((static_cast<std::uint64_t>(block) << bits) & term.z) ? -one : one;
      }
    }
    for (std::int64_t v = 0; v < vectors; ++v) {
      const Vector<T> c = reinterpret_cast<Vector<T>*>(table)[2 * v];
      const Vector<T> s = reinterpret_cast<Vector<T>*>(table)[2 * v + 1];
      multiply<T>(state, block * vectors + v, c, dual == nullptr ? s : -s);
      if (dual != nullptr) {
        multiply<T>(dual, block * vectors + v, c, -s);
      }
    }
  }
}
