// What is measured, and the dual state that the gradients of measured values begin with. Included by kernels.cpp only.
//
// The dual is half the gradient with respect to the state: for L = sum_k g_k <psi|O_k|psi> it is sum_k g_k O_k psi, so
// that dL = 2 Re <dual|dpsi>.
#pragma once

// A string as a readout needs it.
template <typename T>
struct PreparedString {
  std::uint64_t x, z;  // over vectors
  int exchanged, imaginary;
  Vector<T> weight;  // with the signs of the lanes
};

template <typename T, bool kInside>
PreparedString<T> prepare_string(const String& string) {
  constexpr int bits = kInside ? kLaneBits<T> : 0;
  const std::uint64_t inside = (1u << bits) - 1;
  return {string.x >> bits, string.z >> bits, static_cast<int>(string.x & inside), string.imaginary,
          static_cast<T>(string.weight) * lane_signs<T>(string.z & inside)};
}

constexpr int kAtOnce = 8;

// Re <psi|P psi> of strings of Z, up to kAtOnce of them in one go, in the lanes of `values`.
template <typename T>
void expect_diagonal(const PreparedString<T>* strings, int count, State<T> state, Vector<T>* values, std::int64_t from,
                     std::int64_t to) {
  const Vector<T> signs[2] = {all<T>(1), all<T>(-1)};
  Vector<T> sums[kAtOnce] = {};
  std::uint64_t masks[kAtOnce] = {};
  for (int t = 0; t < count; ++t) {
    masks[t] = strings[t].z;
  }
  for (std::int64_t v = from; v < to; ++v) {
    const Vector<T> probability = state[2 * v] * state[2 * v] + state[2 * v + 1] * state[2 * v + 1];
#pragma GCC unroll 8
    for (int t = 0; t < kAtOnce; ++t) {
      sums[t] += signs[parity(v & masks[t])] * probability;
    }
  }
  for (int t = 0; t < count; ++t) {
    values[t] = sums[t] * strings[t].weight;
  }
}

// The same of any one string.
template <typename T, bool kInside>
Vector<T> expect(const PreparedString<T>& string, State<T> state, std::int64_t from, std::int64_t to) {
  const Vector<T> signs[2] = {all<T>(1), all<T>(-1)};
  Vector<T> sum{};
  for (std::int64_t v = from; v < to; ++v) {
    const std::int64_t other = v ^ string.x;
    const Vector<T> re = partner<T, kInside>(state[2 * other], string.exchanged);
    const Vector<T> im = partner<T, kInside>(state[2 * other + 1], string.exchanged);
    const Vector<T> one = string.imaginary ? state[2 * v] * re + state[2 * v + 1] * im
                                           : state[2 * v] * im - state[2 * v + 1] * re;
    sum += signs[parity(v & string.z)] * one;
  }
  return sum * string.weight;
}

// dual += sum_k gradients_k P_k psi for strings of Z, up to kAtOnce of them; `gradients` have the strings' weights.
template <typename T>
void seed_diagonal(const PreparedString<T>* strings, int count, const Vector<T>* gradients, State<T> state,
                   State<T> dual, std::int64_t from, std::int64_t to) {
  Vector<T> signed_gradients[kAtOnce][2] = {};
  std::uint64_t masks[kAtOnce] = {};
  for (int t = 0; t < count; ++t) {
    masks[t] = strings[t].z;
    signed_gradients[t][0] = gradients[t];
    signed_gradients[t][1] = -gradients[t];
  }
  for (std::int64_t v = from; v < to; ++v) {
    Vector<T> factor{};
#pragma GCC unroll 8
    for (int t = 0; t < kAtOnce; ++t) {
      factor += signed_gradients[t][parity(v & masks[t])];
    }
    dual[2 * v] += factor * state[2 * v];
    dual[2 * v + 1] += factor * state[2 * v + 1];
  }
}

// The same for any one string.
template <typename T, bool kInside>
void seed_string(const PreparedString<T>& string, Vector<T> gradient, State<T> state, State<T> dual, std::int64_t from,
                 std::int64_t to) {
  const Vector<T> signed_gradients[2] = {gradient, -gradient};
  for (std::int64_t v = from; v < to; ++v) {
    const Vector<T> factor = signed_gradients[parity(v & string.z)];
    const std::int64_t other = v ^ string.x;
    const Vector<T> re = partner<T, kInside>(state[2 * other], string.exchanged);
    const Vector<T> im = partner<T, kInside>(state[2 * other + 1], string.exchanged);
    dual[2 * v] += factor * (string.imaginary ? re : im);
    dual[2 * v + 1] += factor * (string.imaginary ? im : -re);
  }
}

// The position of basis state `index`.
inline std::uint64_t place(const Program& program, std::uint64_t index) {
  std::uint64_t position = program.origin;
  for (int bit = 0; bit < program.n; ++bit) {
    position ^= (index >> bit & 1) ? program.places[bit] : 0;
  }
  return position;
}

// Calls visit(index, position) for the basis states i ^ (i >> 1), i in [from, to): each differs from the last in one bit.
template <typename Visit>
inline void for_each_state(const Program& program, std::int64_t from, std::int64_t to, Visit visit) {
  std::uint64_t index = from ^ (from >> 1), position = place(program, index);
  for (std::int64_t i = from; i < to; ++i) {
    visit(index, position);
    const int bit = __builtin_ctzll(static_cast<std::uint64_t>(i) + 1);
    index ^= std::uint64_t{1} << bit;
    position ^= bit < program.n ? program.places[bit] : 0;
  }
}
