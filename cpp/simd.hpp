// Vectors of one register, and the few functions of them that the kernels need. Included by kernels.cpp only, inside
// its unnamed namespace.
#pragma once

// One register. Wider vectors are legal and split by the compiler, but GCC 12 then keeps those that live across a loop's
// iterations on the stack: (measured) ten times slower on AVX2.
#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <typename T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t integer __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t integer __attribute__((vector_size(kVectorBytes)));
};
template <typename T>
using Vector = typename VectorOf<T>::type;
template <typename T>
using Integers = typename VectorOf<T>::integer;

template <typename T>
constexpr int kLanes = kVectorBytes / sizeof(T);

template <typename T>
constexpr int kLaneBits = __builtin_ctz(kLanes<T>);

template <typename T>
inline Vector<T> all(T value) {
  return Vector<T>{} + value;
}

inline int parity(std::uint64_t bits) { return __builtin_parityll(bits); }

template <typename T>
inline Integers<T> lane_numbers() {
  Integers<T> numbers{};
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    numbers[lane] = lane;
  }
  return numbers;
}

// Lane l of the result is lane l ^ mask.
template <typename T>
inline Vector<T> exchange(Vector<T> vector, int mask) {
  return __builtin_shuffle(vector, lane_numbers<T>() ^ (Integers<T>{} + mask));
}

template <typename T>
inline T sum_of_lanes(Vector<T> vector) {
#pragma GCC unroll 4
  for (int bit = 1; bit < kLanes<T>; bit *= 2) {
    vector += exchange<T>(vector, bit);
  }
  return vector[0];
}

// +1 or -1 in each lane: the parity of lane & mask.
template <typename T>
inline Vector<T> lane_signs(std::uint64_t mask) {
  Vector<T> signs{};
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    signs[lane] = parity(lane & mask) ? T(-1) : T(1);
  }
  return signs;
}

// Pi/2 in three parts, the first two with so few bits that their products with a quadrant's number are exact.
template <typename T>
struct HalfPi;
template <>
struct HalfPi<float> {
  static constexpr float parts[3] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.4442d2p-24f};
  static constexpr float rounder = 0x1.8p23f, largest = 8192;
};
template <>
struct HalfPi<double> {
  static constexpr double parts[3] = {0x1.921fb58p+0, -0x1.dde974p-27, 0x1.1a62633145c07p-54};
  static constexpr double rounder = 0x1.8p52, largest = 1e7;
};

// Taylor's polynomials on [-pi/4, pi/4], up to the last digit of the type.
template <typename T>
inline void taylor(Vector<T> r, Vector<T>& sine, Vector<T>& cosine) {
  constexpr int kTerms = sizeof(T) == 4 ? 5 : 9;
  const Vector<T> square = r * r;
  Vector<T> s{}, c{};
  double factorial = 1;  // (2 k)!
  for (int k = 1; k <= 2 * kTerms - 2; ++k) {
    factorial *= k;
  }
#pragma GCC unroll 9
  for (int k = kTerms - 1; k >= 0; --k) {
    const double sign = k % 2 ? -1 : 1;
    c = c * square + all<T>(static_cast<T>(sign / factorial));
    s = s * square + all<T>(static_cast<T>(sign / (factorial * (2 * k + 1))));
    if (k > 0) {
      factorial /= (2.0 * k) * (2.0 * k - 1);
    }
  }
  sine = r * s;
  cosine = c;
}

template <typename T>
inline void sine_and_cosine(Vector<T> angle, Vector<T>& sine, Vector<T>& cosine) {
  constexpr HalfPi<T> half_pi{};
  const Integers<T> large = (angle > half_pi.largest) | (angle < -half_pi.largest);
  const Vector<T> rounder = all<T>(half_pi.rounder);
  const Vector<T> shifted = angle * all<T>(static_cast<T>(0.63661977236758134308)) + rounder;
  const Vector<T> number = shifted - rounder;
  const Integers<T> quadrant = reinterpret_cast<Integers<T>>(shifted);
  Vector<T> rest = angle - number * half_pi.parts[0];
  rest = rest - number * half_pi.parts[1];
  rest = rest - number * half_pi.parts[2];
  Vector<T> s, c;
  taylor<T>(rest, s, c);
  const Integers<T> odd = (quadrant & 1) != 0;
  const Integers<T> minus_s = (quadrant & 2) != 0, minus_c = ((quadrant + 1) & 2) != 0;
  const Vector<T> first = odd ? c : s, second = odd ? s : c;
  sine = minus_s ? -first : first;
  cosine = minus_c ? -second : second;
  bool any = false;
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    any |= large[lane] != 0;
  }
  if (__builtin_expect(any, 0)) {
    for (int lane = 0; lane < kLanes<T>; ++lane) {
      sine[lane] = static_cast<T>(__builtin_sin(static_cast<double>(angle[lane])));
      cosine[lane] = static_cast<T>(__builtin_cos(static_cast<double>(angle[lane])));
    }
  }
}
